package browsertest_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/cardferry/cardferry/hostrunner/browsertest"
	"github.com/cardferry/cardferry/hostrunner/syncserver"
)

const (
	ownUser     = "tester"
	ownPassword = "correct horse"
)

// ownServer returns an origin with our own sync server in memory, which has one account.
func ownServer(t testing.TB) *browsertest.Server {
	t.Helper()
	return serverWith(t, &syncserver.Server{})
}

func serverWith(t testing.TB, s *syncserver.Server) *browsertest.Server {
	t.Helper()
	if _, err := s.Users().Add(t.Context(), ownUser, ownPassword); err != nil {
		t.Fatal(err)
	}
	return browsertest.NewServer(t, running(t, s))
}

// running serves our sync server until the test ends, and returns its address.
func running(t testing.TB, s *syncserver.Server) string {
	t.Helper()
	t.Cleanup(func() { _ = s.Close(context.Background()) }) // after what serves it
	return listening(t, s)
}

// listening serves a handler until the test ends, and returns its address.
func listening(t testing.TB, handler http.Handler) string {
	t.Helper()
	h := httptest.NewServer(handler)
	t.Cleanup(func() {
		h.CloseClientConnections()
		h.Close()
	})
	return h.URL + "/"
}

// login opens the profile in a page and logs in to our own server.
func login(t testing.TB, page *browsertest.Page) {
	t.Helper()
	page.Run(t, nil, `await open(); await ferry.login({user: args[0], password: args[1]})`, ownUser, ownPassword)
}
