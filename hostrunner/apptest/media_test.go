package apptest_test

import (
	"strings"
	"testing"

	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/apptest"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// TestMissingMedia is flow 6: a card whose file nobody has says so, names it, and offers what can be done: in the note, and in the template.
func TestMissingMedia(t *testing.T) {
	s := apptest.Serve(t)
	s.SignUp(t)
	desktop := apptest.NewDesktop(t, s)
	kind := desktop.ID(t, "add_notetype", anki.Args{"name": "With a logo"})
	desktop.Do(t, "edit_notetype", anki.Args{"id": kind, "front": "{{Front}}\n<img src=\"_logo.png\">"}, nil)
	desktop.Do(t, "add_note", anki.Args{"notetype": "With a logo", "fields": []string{"a note", `x <img src="gone.png">`}}, nil)
	desktop.Upload(t)

	a := apptest.Open(t, browsertest.Start(t), s.URL)
	a.Size(t, 360, 780, false)
	signIn(t, a)
	a.Tap(t, "Fetch my decks")
	a.Tap(t, "Study Default")
	a.Read(t, "_logo.png is missing")
	a.Tap(t, "What can I do?")
	a.Read(t, "It may not be synced from the other device yet")
	a.Read(t, "named in the card template Card 1 of With a logo")
	a.Read(t, `<img src="_logo.png">`)
	shot(t, a, "missing-template")
	a.Tap(t, "Remove it from the template")
	a.Read(t, "for all cards of this type")
	a.Tap(t, "Remove it from the template")
	a.Read(t, "The line was removed")

	a.Go(t, "#/")
	a.Tap(t, "Study Default")
	a.Tap(t, "Show answer")
	a.Read(t, "gone.png is missing")
	shot(t, a, "missing-note")
	a.Tap(t, "What can I do?")
	a.Tap(t, "Open the note: Back")
	a.Tap(t, "Remove gone.png")
	a.Tap(t, "Save")
	a.Read(t, "Saved")
	syncNow(t, a)
	desktop.SyncAll(t)
	if n := number(t, desktop, "SELECT count() FROM notes WHERE flds = ?", "a note\x1fx "); n != 1 {
		t.Errorf("the desktop program has %v", desktop.SQL(t, "SELECT flds FROM notes"))
	}
	for _, row := range desktop.SQL(t, "SELECT hex(config) FROM templates WHERE ntid = ?", kind) {
		if strings.Contains(row[0].(string), "5F6C6F676F") { // _logo
			t.Error("the desktop program's template still names the file")
		}
	}
}
