package apptest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/cardferry/cardferry/hostrunner/apptest"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// shot writes a screenshot into the folder CARDFERRY_SCREENSHOTS, if that is set.
func shot(t *testing.T, a *apptest.App, name string) {
	t.Helper()
	if dir := os.Getenv("CARDFERRY_SCREENSHOTS"); dir != "" {
		a.Picture(t, filepath.Join(dir, name+".png"))
	}
}

// TestShots makes the pictures of every place with the demonstration collection (make shots): on a phone and on a desk, light and dark.
func TestShots(t *testing.T) {
	if os.Getenv("CARDFERRY_SHOTS") == "" {
		t.Skip("set CARDFERRY_SHOTS and CARDFERRY_SCREENSHOTS")
	}
	s := apptest.Serve(t)
	s.SignUp(t)
	apptest.DemoDesktop(t, s).Upload(t)
	a := apptest.Open(t, browsertest.Start(t), s.URL)
	each(t, a, "welcome")
	signIn(t, a)
	a.Read(t, "The server has your decks")
	each(t, a, "choice-download")
	a.Tap(t, "Fetch my decks")
	a.Read(t, "Spanish")
	a.Wait(t, "!clean(document.body.innerText).includes('Syncing')")
	a.Wait(t, "document.querySelector('.toast').textContent === ''")
	each(t, a, "decks")
	for _, place := range []struct{ name, hash, text string }{
		{"browse", "#/browse?q=deck:Spanish", "18 cards"}, {"stats", "#/stats", "a day on average"}, {"settings", "#/settings", "used"},
		{"sync", "#/sync", "Last syncs"}, {"add", "#/note/new", "Front"}, {"missing", "#/settings/missing", "filtered"},
		{"sign-in", "#/sign-in", "Sign in"}, {"check", "#/check", "Not used"},
	} {
		a.Go(t, place.hash)
		a.Read(t, place.text)
		each(t, a, place.name)
	}
	a.Go(t, "#/browse?q=barco")
	a.Tap(t, "el barco")
	a.Read(t, "Edit the note")
	a.Tap(t, "Preview")
	a.ReadCard(t, "el barco")
	a.Run(t, nil, `scrollTo(0, 0)`)
	each(t, a, "note")
	a.Go(t, "#/")
	a.Tap(t, "Study Spanish")
	a.ReadCard(t, "el")
	each(t, a, "question")
	a.Tap(t, "Show answer")
	a.See(t, ".grades")
	apptest.Card[bool](t, a, `for (let i = 0; i < 100 && [...document.images].some((e) => !e.naturalWidth); i++) await new Promise((r) => setTimeout(r, 50)); return true`)
	each(t, a, "answer")
	a.Tap(t, "More about this card")
	each(t, a, "card-menu")
}

// each takes four pictures.
func each(t *testing.T, a *apptest.App, name string) {
	t.Helper()
	for _, size := range []struct{ w, h int64 }{{360, 780}, {1280, 800}} {
		for theme, dark := range map[string]bool{"light": false, "dark": true} {
			a.Size(t, size.w, size.h, dark)
			a.Wait(t, "new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(() => r(true))))")
			shot(t, a, fmt.Sprintf("%s-%d-%s", name, size.w, theme))
		}
	}
}
