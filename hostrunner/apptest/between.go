package apptest

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/cardferry/cardferry/hostrunner/anki"
)

// Between stands between the app and its server, and can answer in the server's place.
type Between struct {
	URL    string
	answer atomic.Pointer[func(w http.ResponseWriter, r *http.Request) bool]
}

// Between starts one.
func (s *Server) Between(t testing.TB) *Between {
	t.Helper()
	to, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	b, proxy := &Between{}, httputil.NewSingleHostReverseProxy(to)
	pass := anki.Reverse(proxy)
	proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f := b.answer.Load(); f == nil || !(*f)(w, r) {
			pass.ServeHTTP(w, r)
		}
	}))
	b.URL = server.URL + "/"
	t.Cleanup(func() {
		server.CloseClientConnections() // those that listen for events would go on
		server.Close()
	})
	return b
}

// Answer has f answer; what it returns false for goes to the server. nil: nothing.
func (b *Between) Answer(f func(w http.ResponseWriter, r *http.Request) bool) {
	if f == nil {
		b.answer.Store(nil)
		return
	}
	b.answer.Store(&f)
}
