package apptest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/apptest"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// found waits until the list has so many cards for a search.
func found(t *testing.T, a *apptest.App, search, n string) {
	t.Helper()
	a.Go(t, "#/browse?q="+search)
	a.Wait(t, `clean(document.querySelector(".head p")?.innerText ?? "") === `+"`"+n+"`")
}

// paste puts a picture into the field that has the cursor, as the clipboard would.
func paste(t *testing.T, a *apptest.App) {
	t.Helper()
	a.Run(t, nil, pictures+`
		const data = pictures("image.gif");
		document.activeElement.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }))`)
	a.Wait(t, `document.querySelector(".editable img")?.naturalWidth === 1`)
}

// photograph takes a picture for the field that has the cursor, as the camera of a phone would.
func photograph(t *testing.T, a *apptest.App) {
	t.Helper()
	a.Run(t, nil, pictures+`
		const data = pictures("image.gif");
		const camera = document.querySelector("input[type=file][capture=environment]");
		camera.files = data.files;
		camera.dispatchEvent(new Event("change", { bubbles: true }))`)
	a.Wait(t, `document.querySelector(".editable img")?.naturalWidth === 1`)
}

// TestWithoutServer does on the way what is done with single cards and notes: flag, bury, search, hear, paste, delete and take back, clean up. Signing
// out asks about what was not sent; later the real program has all of it.
func TestWithoutServer(t *testing.T) {
	t.Parallel()
	s := apptest.Serve(t)
	s.SignUp(t)
	desktop := apptest.DemoDesktop(t, s)
	kind := desktop.ID(t, "add_notetype", anki.Args{"name": "Reading"})
	desktop.Do(t, "edit_notetype", anki.Args{"id": kind, "front": "{{furigana:Front}}"}, nil)
	desktop.Do(t, "add_note", anki.Args{"notetype": "Reading", "fields": []string{"日本[にほん]", "Japan"}}, nil)
	desktop.Upload(t)
	a := apptest.Open(t, browsertest.Start(t), s.URL)
	a.Size(t, 360, 780, false)
	fetchDecks(t, a, "At the harbour")
	a.Access(t, "the decks")
	s.Stop()
	a.Wait(t, `performance.getEntriesByName("cardferry-ahead").length === 1`) // the first card is looked at before somebody asks for it

	a.Tap(t, "Study Spanish")
	a.ReadCard(t, "el")
	a.Tap(t, "More about this card")
	a.Tap(t, "Red")
	a.See(t, ".flag.f1")
	a.Tap(t, "More about this card")
	a.Tap(t, "Bury until tomorrow")
	a.Read(t, "The card comes back tomorrow.")
	a.Wait(t, `all(".flag.f1").length === 0`)
	a.Tap(t, "Show answer")
	a.Tap(t, "Good")
	a.Wait(t, `all(".grades").length === 0`)
	a.Go(t, "#/stats")
	a.Wait(t, `document.querySelector(".figures b")?.innerText === "1"`)
	var chart []string
	a.Eval(t, &chart, `return [...document.querySelectorAll(".chart rect title")].map((e) => e.textContent)`)
	if len(chart) != 30 || chart[29] != "Today: 1 review" {
		t.Errorf("the chart says %q", chart)
	}
	for search, n := range map[string]string{"flag:1": "1 card", "is:buried": "1 card", "tag:questions": "2 cards", "deck:Seafaring": "8 cards", "BARCO": "2 cards"} {
		found(t, a, search, n)
	}

	found(t, a, "Japan", "1 card")
	a.Tap(t, "日本")
	a.Tap(t, "Preview")
	a.ReadCard(t, "にほん")
	if !apptest.Card[bool](t, a, `return document.querySelector("ruby rt")?.innerText === "にほん"`) {
		t.Error("the reading does not stand above the word")
	}
	a.Run(t, nil, `window.played = []; HTMLMediaElement.prototype.play = function () { window.played.push(this.src); return Promise.resolve(); }`)
	found(t, a, "ancla", "1 card")
	a.Tap(t, "el ancla")
	a.Tap(t, "Preview")
	a.ReadCard(t, "el ancla")
	a.TapCard(t, ".replay-button")
	a.Wait(t, `window.played.length === 1 && window.played[0].startsWith("blob:")`)

	for front, picture := range map[string]func(*testing.T, *apptest.App){"kept": photograph, "not kept": paste} {
		a.Go(t, "#/note/new")
		a.Fill(t, "Front", front)
		picture(t, a)
		a.Tap(t, "Add card")
		a.Read(t, "Added 1 card")
		a.Go(t, "#/")
	}
	for _, undo := range []bool{true, false} {
		found(t, a, `"not kept"`, "1 card")
		a.Tap(t, "Select not kept")
		a.Tap(t, "Delete notes")
		a.Read(t, "Delete 1 note with all its cards?")
		a.Tap(t, "Delete notes")
		a.Read(t, "1 note deleted.")
		if undo {
			shot(t, a, "deleted")
			a.Access(t, "what can be taken back")
			a.Tap(t, "Undo")
			a.Read(t, "The last change was taken back")
		}
	}
	a.Go(t, "#/check")
	a.Read(t, "Not used by any note (1)")
	a.Tap(t, "Delete the unused files")
	a.Read(t, "Delete 1 file here")
	a.Tap(t, "Delete the unused files")
	a.Read(t, "Every file is used")

	a.Go(t, "#/settings")
	a.Tap(t, "Sign out")
	a.Read(t, "on this device have not been sent yet")
	a.Read(t, "Sync first")
	shot(t, a, "sign-out")
	a.Key(t, kb.Escape)
	s.Start(t)
	syncNow(t, a)
	desktop.SyncAll(t)
	for sql, want := range map[string]int64{
		"SELECT count() FROM cards WHERE flags & 7 = 1 AND queue = -3":                           1,
		"SELECT count() FROM notes WHERE flds LIKE 'kept<img src=%' AND flds NOT LIKE '%blob:%'": 1,
		"SELECT count() FROM notes WHERE flds LIKE 'not kept%'":                                  0,
	} {
		if n := number(t, desktop, sql); n != want {
			t.Errorf("the desktop program has %d: %s", n, sql)
		}
	}
	flds := desktop.SQL(t, "SELECT flds FROM notes WHERE flds LIKE 'kept<img%'")[0][0].(string)
	_, rest, _ := strings.Cut(flds, `src="`)
	name, _, _ := strings.Cut(rest, `"`)
	if info, err := os.Stat(filepath.Join(desktop.MediaDir(), name)); err != nil || info.Size() != 42 {
		t.Errorf("the desktop program has not got the picture %q: %v", name, err)
	}
}
