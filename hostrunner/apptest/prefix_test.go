package apptest_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"

	"github.com/cardferry/cardferry/hostrunner/apptest"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// TestPrefix puts the app below a path of another site, as a proxy does that has more than one thing to serve: its server is there too,
// and nothing is asked of the site itself.
func TestPrefix(t *testing.T) {
	t.Parallel()
	s, other := apptest.Serve(t), apptest.Serve(t)
	other.SignUp(t)
	s.Upstream(t, "front", sending(t, other))
	to, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	site := http.NewServeMux()
	site.Handle("/cards/", http.StripPrefix("/cards", httputil.NewSingleHostReverseProxy(to)))
	site.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/favicon.ico" {
			t.Errorf("the site is asked for %s", r.URL.Path)
		}
		http.NotFound(w, r)
	})
	proxy := httptest.NewServer(site)
	t.Cleanup(func() {
		proxy.CloseClientConnections()
		proxy.Close()
	})
	home := proxy.URL + "/cards/"
	b := browsertest.Start(t)
	a := apptest.Open(t, b, home)
	a.Size(t, 360, 780, false)
	a.Fill(t, "User name", apptest.User)
	a.Fill(t, "Password", apptest.Password)
	a.Tap(t, "Create an account")
	a.Read(t, "Come back tomorrow")
	syncNow(t, a)

	// Offline, and loaded again: all is kept that the app needs.
	s.Stop()
	a.Load(t, home+"#/settings/computer")
	a.Read(t, home)
	a.Wait(t, `navigator.serviceWorker.controller?.scriptURL.includes("/cards/")`)
	s.Start(t)
	syncNow(t, a)
	a.Go(t, "#/sign-in")
	a.Read(t, home[len("http://"):len(home)-1])
	a.Tap(t, "Server: ")
	a.Fill(t, "Server", "https://sync.example.org/")
	a.Fill(t, "Password", apptest.Password)
	a.Tap(t, "Sign in")
	a.Read(t, "an address such as /cards/upstream/NAME/")
	shot(t, a, "prefix")

	// A server that is reached through this one sends to another: the way there is below the path, too.
	a.Fill(t, "Server", "/cards/upstream/front/")
	a.Tap(t, "Sign in")
	syncNow(t, a)
}

// sending returns a server that takes logins for another one, and sends those who want to sync there.
func sending(t *testing.T, to *apptest.Server) *apptest.Server {
	t.Helper()
	at, err := url.Parse(to.URL)
	if err != nil {
		t.Fatal(err)
	}
	forward := httputil.NewSingleHostReverseProxy(at)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/sync/meta" {
			w.Header().Set("Location", to.URL)
			w.WriteHeader(http.StatusPermanentRedirect)
			return
		}
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return &apptest.Server{URL: s.URL + "/"}
}
