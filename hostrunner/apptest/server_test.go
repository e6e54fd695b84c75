package apptest_test

import (
	"testing"

	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/apptest"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// TestOtherServer signs in to another server, through the way that the app's own server opens to it, then changes back to an account of its own:
// the cards of the first are not mixed with it without a choice.
func TestOtherServer(t *testing.T) {
	t.Parallel()
	own, other := apptest.Serve(t), apptest.Serve(t)
	own.SignUp(t)
	other.SignUp(t)
	own.Upstream(t, "other", other)
	desktop := apptest.NewDesktop(t, other)
	desktop.Do(t, "add_note", anki.Args{"fields": []string{"from elsewhere", "x"}}, nil)
	desktop.Upload(t)
	a := apptest.Open(t, browsertest.Start(t), own.URL)
	a.Size(t, 320, 640, false)
	a.Tap(t, "You have an account? Sign in")
	a.Fill(t, "User name", apptest.User)
	a.Fill(t, "Password", apptest.Password)
	a.Tap(t, "Server: ")
	a.Fill(t, "Server", "https://sync.example.org/")
	a.Tap(t, "Sign in")
	a.Read(t, "This page can reach its own server only")
	a.Wait(t, `document.querySelector("[role=alert]").getBoundingClientRect().top >= 0`) // and not above what is seen
	a.Access(t, "the address of a server")
	shot(t, a, "server")
	a.Fill(t, "Server", "/upstream/other/")
	a.Tap(t, "Sign in")
	a.Read(t, "The server has your decks")
	a.Tap(t, "Fetch my decks")
	a.Read(t, "Study Default")
	synced(t, a)
	a.Go(t, "#/browse?q=elsewhere")
	a.Read(t, "1 card")

	a.Go(t, "#/settings")
	a.Read(t, own.URL+"upstream/other/")
	a.Tap(t, "Use another server or account")
	a.Tap(t, "Server: "+own.URL+"upstream/other/") // it is said where that would sign in
	a.Fill(t, "Server", "/")
	a.Fill(t, "Password", apptest.Password)
	a.Tap(t, "Sign in")
	a.Read(t, "The server has no cards yet") // it is another one: nothing is sent without a question
	a.Tap(t, "Do nothing now")
	a.Go(t, "#/browse?q=elsewhere")
	a.Read(t, "1 card")
}
