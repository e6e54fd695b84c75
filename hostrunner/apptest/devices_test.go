package apptest_test

import (
	"testing"

	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/apptest"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// TestDevices signs the desktop program out from the app: it cannot sync any more, and this device still can.
func TestDevices(t *testing.T) {
	s := apptest.Serve(t)
	s.SignUp(t)
	desktop := apptest.NewDesktop(t, s)
	desktop.Do(t, "add_note", anki.Args{"fields": []string{"a note", "x"}}, nil)
	desktop.Upload(t)
	a := apptest.Open(t, browsertest.Start(t), s.URL)
	a.Size(t, 360, 780, false)
	fetchDecks(t, a, "Study")
	a.Go(t, "#/settings")
	a.Tap(t, "Devices")
	a.Read(t, "This device")
	a.Read(t, "Last seen")
	a.Read(t, "Anki 2")
	a.Access(t, "devices")
	shot(t, a, "devices")
	a.Tap(t, "Sign out")
	a.Read(t, "Its cards stay on it")
	shot(t, a, "devices-ask")
	a.Tap(t, "Sign out")
	a.Read(t, "was signed out")
	a.Wait(t, `all("main li").length === 1`)
	desktop.Refused(t)
	syncNow(t, a)
}
