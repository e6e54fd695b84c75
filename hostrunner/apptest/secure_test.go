package apptest_test

import (
	"testing"

	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/apptest"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// TestSecure has app and real program use a server with TLS, as everywhere outside of this machine: decks with pictures come, an edit goes and
// what the other has sent comes, without a tap, and again after the server was killed with all requests on its connection.
func TestSecure(t *testing.T) {
	s := apptest.ServeSecure(t)
	s.SignUp(t)
	desktop := apptest.DemoDesktop(t, s)
	desktop.Upload(t)
	a := apptest.Open(t, browsertest.Start(t), s.URL)
	a.Size(t, 360, 780, false)
	var protocol string
	a.Eval(t, &protocol, `return performance.getEntriesByType("navigation")[0].nextHopProtocol`)
	if protocol != "h2" {
		t.Fatalf("the app has come by %s", protocol)
	}
	fetchDecks(t, a, "At the harbour")
	a.Go(t, "#/browse?q=barco")
	a.Tap(t, "el barco")
	a.Wait(t, `[...document.querySelectorAll(".editable img")].some((i) => i.naturalWidth > 0)`)

	desktop.Do(t, "add_notes", anki.Args{"prefix": "live", "count": 1}, nil)
	desktop.SyncAll(t)
	a.Go(t, "#/browse?q=live")
	a.Read(t, "live 0")

	s.Stop()
	addOffline(t, a, "from the phone")
	s.Start(t)
	syncNow(t, a)
	desktop.SyncAll(t)
	if n := number(t, desktop, "SELECT count() FROM notes WHERE flds LIKE 'from the phone%'"); n != 1 {
		t.Errorf("the desktop program has %d of the notes", n)
	}
	sameDecks(t, a, desktop)
}
