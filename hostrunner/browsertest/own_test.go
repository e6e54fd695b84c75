package browsertest_test

import (
	"context"
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
	h := httptest.NewServer(s)
	t.Cleanup(func() {
		h.CloseClientConnections()
		h.Close()
		_ = s.Close(context.Background())
	})
	return browsertest.NewServer(t, h.URL+"/")
}

// login opens the profile in a page and logs in to our own server.
func login(t testing.TB, page *browsertest.Page) {
	t.Helper()
	page.Run(t, nil, `await open(); await ferry.login({user: args[0], password: args[1]})`, ownUser, ownPassword)
}
