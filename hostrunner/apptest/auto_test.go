package apptest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/apptest"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// TestByItself is flows 4 and 5: without a tap an edit is sent and what another device sends arrives; the settings begin with the three switches,
// which stay as they are set; the button says when it cannot.
func TestByItself(t *testing.T) {
	t.Parallel() // one of the longest
	s := apptest.Serve(t)
	s.SignUp(t)
	desktop := apptest.NewDesktop(t, s)
	desktop.Do(t, "add_notes", anki.Args{"prefix": "word", "count": 3}, nil)
	desktop.Upload(t)
	a := apptest.Open(t, browsertest.Start(t), s.URL)
	a.Size(t, 360, 780, false)
	fetchDecks(t, a, "Study Default")

	addNote(t, a, "from the phone")
	a.Go(t, "#/")
	synced(t, a)
	a.Read(t, "Last sync just now")
	desktop.SyncAll(t)
	if n := number(t, desktop, "SELECT count() FROM notes WHERE flds LIKE 'from the phone%'"); n != 1 {
		t.Errorf("the desktop program has %d of the notes", n)
	}
	desktop.Do(t, "add_notes", anki.Args{"prefix": "live", "count": 1}, nil)
	desktop.SyncAll(t)
	a.Go(t, "#/browse?q=live")
	a.Read(t, "live 0")

	a.Go(t, "#/settings")
	a.See(t, "[role=switch]")
	var switches []string
	a.Eval(t, &switches, `return all("[role=switch]").map((e) => clean(e.closest("label").querySelector(".label").textContent) + " " + e.checked)`)
	if want := []string{"Sync by itself true", "Pictures and sounds too true", "Look for new pictures every 15 minutes true"}; len(switches) < 3 || !slices.Equal(switches[:3], want) {
		t.Errorf("the settings begin with %q", switches)
	}
	var after, explained []string
	a.Eval(t, &after, `return [...document.querySelector("main section").querySelectorAll(".label")].slice(3).map((e) => clean(e.textContent))`)
	if want := []string{"Sync at once when another device has synced", "On a metered connection"}; !slices.Equal(after, want) {
		t.Errorf("after the three switches come %q", after)
	}
	a.Eval(t, &explained, `return [...document.querySelector("main section").querySelectorAll("p")].map((e) => clean(e.textContent))`)
	if len(explained) != 5 || slices.ContainsFunc(explained, func(s string) bool { return strings.Index(s, ".") != len(s)-1 }) {
		t.Errorf("the switches are explained by %q", explained)
	}
	a.Tap(t, "Sync by itself")
	a.Wait(t, `!all("[role=switch]")[0].checked`)
	a.Go(t, "#/stats")
	a.Go(t, "#/settings")
	a.Wait(t, `all("[role=switch]").length > 0 && !all("[role=switch]")[0].checked`)

	addNote(t, a, "stays here")
	a.Go(t, "#/")
	a.Read(t, "Sync (")
	looks(t, a, "blue")
	s.Stop()
	a.Tap(t, "Sync (")
	a.Read(t, "Offline, ")
	shot(t, a, "offline")
	for _, width := range []int64{360, 320} { // the longest of what the button says has room
		a.Size(t, width, 780, false)
		a.Wait(t, `[document.querySelector(".sync"), document.querySelector(".sync > span")].every((e) => e.scrollWidth <= e.clientWidth && e.getBoundingClientRect().right < innerWidth)`)
	}
	shot(t, a, "offline-320")
}
