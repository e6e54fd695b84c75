package apptest_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/cardferry/cardferry/hostrunner/anki"
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
	shot(t, a, "selected-320")
	a.Size(t, 320, 1280, true) // as long as the list: to axe a box that has scrolled halfway behind the selection is one too small to tap
	a.Access(t, "selected cards")
	a.Size(t, 320, 640, true)
	a.Go(t, "#/settings")
	a.Tap(t, "Sign out")
	a.Read(t, "Your cards stay here")
	a.Access(t, "signing out")
	shot(t, a, "sign-out-320")
}

// TestDeepDecks has decks twenty levels deep, which all have room on a narrow phone, and in a wide window.
func TestDeepDecks(t *testing.T) {
	t.Parallel()
	s := apptest.Serve(t)
	s.SignUp(t)
	desktop := apptest.NewDesktop(t, s)
	name := "Deck 1"
	for i := 2; i <= 20; i++ {
		desktop.Do(t, "add_deck", anki.Args{"name": name}, nil)
		name += fmt.Sprintf("::Deck %d", i)
	}
	desktop.Do(t, "add_note", anki.Args{"deck": name, "fields": []string{"deep", "x"}}, nil)
	desktop.Upload(t)
	a := apptest.Open(t, browsertest.Start(t), s.URL)
	a.Size(t, 320, 640, false)
	fetchDecks(t, a, "Study Deck 1")
	for i := 1; i < 20; i++ {
		a.Wait(t, fmt.Sprintf(`(all(".fold[aria-expanded=false]")[0]?.click(), all(".deck").length > %d)`, i))
	}
	a.Access(t, "deep decks")
	shot(t, a, "deep-320")
	a.Size(t, 1280, 800, false)
	a.Access(t, "deep decks in a wide window")
	a.Tap(t, "Deck 20: ")
	a.ReadCard(t, "deep")
}

// TestForcedColors has the system choose the colours, as people do who see little contrast: what is drawn with a background is seen still.
func TestForcedColors(t *testing.T) {
	t.Parallel()
	s := apptest.Serve(t)
	s.SignUp(t)
	apptest.DemoDesktop(t, s).Upload(t)
	a := apptest.Open(t, browsertest.Start(t), s.URL)
	fetchDecks(t, a, "At the harbour")
	a.Media(t, "forced-colors", "active")
	// differ says that two elements, or their pseudo-elements, have other backgrounds.
	differ := func(what, one, pseudo, other string) {
		t.Helper()
		var colors []string
		a.Eval(t, &colors, `return [getComputedStyle(await until(() => document.querySelector(args[0]), 5000), args[1] || null).backgroundColor, getComputedStyle(document.querySelector(args[2])).backgroundColor]`, one, pseudo, other)
		if colors[0] == colors[1] {
			t.Errorf("%s is not seen: both are %s", what, colors[0])
		}
	}
	a.Go(t, "#/settings")
	a.See(t, "[role=switch]")
	differ("a switch that is on", "[role=switch]:checked", "", "body")
	differ("its position", "[role=switch]:checked", "::after", "[role=switch]:checked")
	shot(t, a, "settings-forced")
	a.Go(t, "#/stats")
	a.See(t, ".kinds")
	differ("how many cards are new", ".kinds .bar > i.new", "", ".kinds .bar")
	shot(t, a, "stats-forced")
}

// TestPrinted prints the decks and a card: what is there to be tapped, and would stand above the words of every page, is not on the paper.
func TestPrinted(t *testing.T) {
	t.Parallel()
	a := apptest.Open(t, browsertest.Start(t), apptest.Serve(t).URL)
	a.Size(t, 794, 1123, false) // as wide as the paper
	a.Tap(t, "Start without an account")
	addNote(t, a, "on paper")
	printed := func(name string) {
		t.Helper()
		paper := chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
			return err
		})
		if err := chromedp.Do(a.Context(), paper); err != nil {
			t.Fatal(err)
		}
		shot(t, a, name)
		var left []string
		a.Eval(t, &left, `return all("nav, button, .toast").map(name)`)
		if len(left) > 0 {
			t.Errorf("%s has %q", name, left)
		}
		a.Size(t, 794, 1123, false)
	}
	a.Go(t, "#/")
	a.Read(t, "Study Default")
	printed("printed-decks")
	a.Tap(t, "Study Default")
	a.ReadCard(t, "on paper")
	a.Tap(t, "Show answer")
	a.See(t, ".grades")
	printed("printed-card")
}
