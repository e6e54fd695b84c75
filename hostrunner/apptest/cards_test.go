package apptest_test

import (
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/cardferry/cardferry/hostrunner/apptest"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// TestCards shows what cards may have besides text: formulas, typed answers, clozes, sounds, the night.
func TestCards(t *testing.T) {
	s := apptest.Serve(t)
	s.SignUp(t)
	apptest.DemoDesktop(t, s).Upload(t)
	a := apptest.Open(t, browsertest.Start(t), s.URL)
	a.Size(t, 360, 780, true)
	fetchDecks(t, a, "At the harbour")

	a.Tap(t, "Sentences: ")
	a.ReadCard(t, "?")
	a.Wait(t, `document.activeElement?.tagName === "IFRAME"`) // the box has the cursor
	if apptest.Card[string](t, a, `return getComputedStyle(document.body).backgroundColor`) != "rgb(26, 33, 41)" {
		t.Error("the card is not dark")
	}
	a.Type(t, "¿donde")
	a.Key(t, kb.Enter)
	a.See(t, ".grades")
	a.SeeCard(t, "code#typeans .typeBad, code#typeans .typeMissed")
	shot(t, a, "typed")

	a.Go(t, "#/browse?q=buoyant")
	a.Tap(t, "What does Archimedes")
	a.Tap(t, "Preview")
	a.Tap(t, "Show answer")
	a.ReadCard(t, "Archimedes")
	a.SeeCard(t, "mjx-container svg")
	shot(t, a, "formula")

	a.Go(t, "#/browse?q=nautical")
	a.Tap(t, "A nautical mile")
	a.Tap(t, "Preview")
	a.ReadCard(t, "[...]")
	a.Go(t, "#/browse?q=transbordador")
	a.Tap(t, "el transbordador")
	a.Tap(t, "Preview")
	a.SeeCard(t, ".replay-button svg")
}
