package apptest_test

import (
	"testing"

	"github.com/cardferry/cardferry/hostrunner/apptest"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// TestAccess looks at every place at 320 pixels, in light and dark.
func TestAccess(t *testing.T) {
	t.Parallel() // one of the longest
	s := apptest.Serve(t)
	s.SignUp(t)
	apptest.DemoDesktop(t, s).Upload(t)
	a := apptest.Open(t, browsertest.Start(t), s.URL)
	a.Size(t, 320, 640, false)
	a.Access(t, "the first page")
	signIn(t, a)
	a.Read(t, "The server has your decks")
	a.Access(t, "the offer to fetch")
	a.Tap(t, "Fetch my decks")
	a.Read(t, "At the harbour")
	synced(t, a)
	var note, deck int64
	a.Eval(t, &deck, `return Number(named("a", "Spanish: ").hash.split("/")[2])`)
	a.Go(t, "#/browse?q=transbordador")
	a.Read(t, "el transbordador")
	a.Eval(t, &note, `return Number(named(".hit a", "el transbordador").hash.split("/")[2])`)
	var moves bool
	a.Eval(t, &moves, `return getComputedStyle(document.documentElement).getPropertyValue("--fast").trim() !== "0ms" || document.body.appendChild(Object.assign(document.createElement("i"), { className: "turning" })).getAnimations().length > 0`)
	if moves {
		t.Error("things move although the system asks for less motion")
	}
	for _, dark := range []bool{false, true} {
		a.Size(t, 320, 640, dark)
		for _, place := range []struct{ hash, text string }{
			{"#/", "At the harbour"}, {"#/browse", "26 cards"}, {"#/browse?q=nothing+at+all", "No card matches"}, {"#/note/new", "Front"},
			{"#/note/" + itoa(note), "Edit the note"}, {"#/stats", "a day on average"}, {"#/settings", "Connect a computer"},
			{"#/settings/computer", "Self-hosted"}, {"#/settings/missing", "filtered decks"}, {"#/settings/backups", "Save everything as a file"},
			{"#/settings/devices", "This device"}, {"#/settings/diagnostics", "Diagnostics"}, {"#/sync", "Last syncs"}, {"#/check", "Every file is used"}, {"#/sign-in", "Sign in"},
			{"#/study/" + itoa(deck), "Show answer"},
		} {
			a.Go(t, place.hash)
			a.Read(t, place.text)
			a.Access(t, place.hash)
		}
		a.Tap(t, "Show answer")
		a.See(t, ".grades")
		a.Access(t, "the answer")
		a.Tap(t, "More about this card")
		a.Read(t, "Bury until tomorrow")
		a.Access(t, "the menu of a card")
		a.Tap(t, "Close")
	}
	a.Tap(t, "Good")
	a.Go(t, "#/browse?q=deck:Seafaring")
	a.Tap(t, "Select A nautical mile")
	a.Tap(t, "Select A ship")
	a.Read(t, "2 selected")
	a.Access(t, "selected cards")
	shot(t, a, "selected-320")
	a.Go(t, "#/settings")
	a.Tap(t, "Sign out")
	a.Read(t, "Your cards stay here")
	a.Access(t, "signing out")
	shot(t, a, "sign-out-320")
}
