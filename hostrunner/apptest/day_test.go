package apptest_test

import (
	"testing"
	"time"

	"github.com/cardferry/cardferry/hostrunner/apptest"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// TestNewDay leaves the app open until another day: who comes back to it is shown what is due then, in the list and where a deck was finished.
func TestNewDay(t *testing.T) {
	t.Parallel()
	a := apptest.Open(t, browsertest.Start(t), apptest.Serve(t).URL)
	a.Size(t, 360, 780, false)
	a.Tap(t, "Start without an account")
	addNote(t, a, "a word")
	a.Go(t, "#/")
	a.Tap(t, "Study Default")
	a.Tap(t, "Show answer")
	a.Tap(t, "Easy")
	a.Read(t, "Done for now")
	const comeBack = `document.dispatchEvent(new Event("visibilitychange"))`
	a.Later(t, 10*24*time.Hour)
	a.Run(t, nil, comeBack)
	a.ReadCard(t, "a word")
	a.Tap(t, "Show answer")
	a.Tap(t, "Good")
	a.Read(t, "Done for now")
	a.Go(t, "#/")
	a.Read(t, "All done for today")
	a.Later(t, 100*24*time.Hour)
	a.Run(t, nil, comeBack)
	a.Read(t, "1 card in about")
}
