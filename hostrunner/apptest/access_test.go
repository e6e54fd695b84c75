package apptest_test

import (
	"testing"

	"github.com/cardferry/cardferry/hostrunner/apptest"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// TestAccess looks at every place at 320 pixels, in light and dark.
func TestAccess(t *testing.T) {
	s := apptest.Serve(t)
	a := apptest.Open(t, browsertest.Start(t), s.URL)
	for _, dark := range []bool{false, true} {
		a.Size(t, 320, 640, dark)
		for _, place := range []struct{ hash, text string }{
			{"#/sign-in", "Sign in"}, {"#/sign-up", "Create an account"}, {"#/", ""}, {"#/browse", "Browse"}, {"#/note/new", "Front"},
			{"#/stats", "Reviews per day"}, {"#/settings", "Connect a computer"}, {"#/settings/computer", "Self-hosted"},
			{"#/settings/missing", "filtered decks"}, {"#/settings/backups", "Backups"}, {"#/sync", "Sync"}, {"#/settings/diagnostics", "Diagnostics"},
		} {
			a.Go(t, place.hash)
			a.Read(t, place.text)
			a.Access(t, place.hash)
		}
	}
}
