package browsertest_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// loggedIn returns a page with an open profile and an account of a real server.
func loggedIn(t *testing.T) (*browsertest.Server, *browsertest.Page) {
	t.Helper()
	endpoint, acc := account(t)
	server := browsertest.NewServer(t, endpoint)
	page := browsertest.Start(t).Open(t, server.URL)
	page.Run(t, nil, `await open(); await ferry.login({user: args[0], password: args[1]})`, acc.User, anki.Password)
	return server, page
}

// TestErrorKinds answers each request for meta with something else than the server would, and checks the kind that
// arrives in the page, with what to do.
func TestErrorKinds(t *testing.T) {
	t.Parallel()
	server, page := loggedIn(t)
	cases := []struct {
		kind   fault.Kind
		answer http.HandlerFunc
	}{
		{fault.DatabaseCheck, status(400)},
		{fault.Auth, status(403)},
		{fault.Network, status(404)},
		{fault.Conflict, status(409)},
		{fault.TooLarge, status(413)},
		{fault.Network, status(429)},
		{fault.ServerError, status(500)},
		{fault.ClientTooOld, status(501)},
		{fault.ServerError, status(503)},
		{fault.DamagedDownload, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "no zstd") }},
		{fault.Network, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
	}
	for _, c := range cases {
		server.Intercept(only("/sync/meta", c.answer))
		err := page.Try(t, nil, `await ferry.sync()`)
		if fault.KindOf(err) != c.kind {
			t.Errorf("kind %v (%v), want %v", fault.KindOf(err), err, c.kind)
		}
		var hint string
		if page.Run(t, &hint, `return ferry.status.error.hint`); hint == "" || hint != err.(*fault.Error).Hint {
			t.Errorf("%v: the error says %q, the status %q", err, err.(*fault.Error).Hint, hint)
		}
	}
	server.Intercept(nil)
	wantKind(t, page.Try(t, nil, `await ferry.login({user: ferry.account.user, password: "wrong"})`), fault.Auth)
	wantKind(t, page.Try(t, nil, `await ferry.login({user: "", password: ""})`), fault.InvalidInput)
	// An account stays as it was after a refused login.
	page.Run(t, nil, `await exec("UPDATE col SET mod = mod + 1")`)
	var required string
	if page.Run(t, &required, `return (await ferry.refresh()).required`); required != "full" {
		t.Errorf("an empty collection and an empty server: %q is required", required)
	}
	e := wantKind(t, page.Try(t, nil, `await ferry.sync()`), fault.OneWayNeeded)
	if e.Hint == "" || e.Details["upload_ok"] != true || e.Details["download_ok"] != true || e.Changed {
		t.Errorf("hint %q, details %v, changed %v", e.Hint, e.Details, e.Changed)
	}
	var activity string
	if page.Run(t, &activity, `return ferry.status.activity + " " + ferry.status.error.kind`); activity != "attention one_way_needed" {
		t.Errorf("status %q", activity)
	}
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// only intercepts requests for one path.
func only(path string, answer http.HandlerFunc) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != path {
			return false
		}
		answer(w, r)
		return true
	}
}

// TestRedirect moves the server: what a page sees of a 308 is only where it led.
func TestRedirect(t *testing.T) {
	t.Parallel()
	endpoint, acc := account(t)
	server := browsertest.NewServer(t, endpoint)
	page := browsertest.Start(t).Open(t, server.URL)
	page.Run(t, nil, `await open(); await ferry.login({ user: args[0], password: args[1] }); await ferry.upload()`, acc.User, anki.Password)
	var mu sync.Mutex
	var paths []string
	server.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		paths = append(paths, r.URL.Path)
		switch {
		case r.URL.Path == "/sync/meta":
			http.Redirect(w, r, server.URL+"sync/moved/", http.StatusPermanentRedirect)
		case r.URL.Path == "/sync/moved/":
			w.WriteHeader(http.StatusNotFound)
		default:
			r.URL.Path = strings.Replace(r.URL.Path, "/sync/moved/", "/", 1)
			return false
		}
		return true
	})
	var report struct {
		NewEndpoint string `json:"new_endpoint"`
		Account     string
	}
	page.Run(t, &report, `return { ...await ferry.sync(), account: ferry.account.endpoint }`)
	if want := server.URL + "sync/moved/"; report.NewEndpoint != want || report.Account != want {
		t.Errorf("new endpoint %+v, want %s; requests %v", report, want, paths)
	}
	paths = nil
	page.Load(t, server.URL)
	page.Run(t, nil, `await open(); await ferry.sync()`)
	if len(paths) == 0 || !strings.HasPrefix(paths[0], "/sync/moved/sync/") {
		t.Errorf("after a reload the page asked for %v", paths)
	}
	// It is kept as well if what has learnt of it fails later, as the sync of another profile that has to choose a side.
	var moved string
	page.Run(t, &moved, `
		await ferry.close();
		await open({ profile: "other" });
		await ferry.login({ user: args[0], password: args[1] });
		const { kind } = await ferry.sync().catch((e) => e);
		return kind + " " + ferry.account.endpoint`, acc.User, anki.Password)
	if want := "one_way_needed " + server.URL + "sync/moved/"; moved != want {
		t.Errorf("after a failed sync: %q, want %q", moved, want)
	}
}

// TestCancel cancels a sync whose server does not answer.
func TestCancel(t *testing.T) {
	t.Parallel()
	server, page := loggedIn(t)
	server.Intercept(only("/sync/meta", func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then the server notices that the page has gone
		<-r.Context().Done()
	}))
	wantKind(t, page.Try(t, nil, `
		const signal = AbortSignal.timeout(100);
		let at;
		signal.addEventListener("abort", () => (at = performance.now()));
		try { await ferry.sync({ signal }); } finally { window.took = performance.now() - at; }`), fault.Cancelled)
	var took float64
	page.Run(t, &took, `return took`)
	if took > 1000 {
		t.Errorf("cancelled after %.0f ms", took)
	}
	wantKind(t, page.Try(t, nil, `await ferry.sync({ signal: AbortSignal.abort() })`), fault.Cancelled)
	server.Intercept(nil)
	page.Run(t, nil, `await ferry.upload(); if (ferry.status.activity !== "idle") throw new Error(ferry.status.activity)`)
}

// TestUseDuringSync reads and edits the collection while a request of a sync is under way.
func TestUseDuringSync(t *testing.T) {
	t.Parallel()
	server, page := loggedIn(t)
	page.Run(t, nil, `await ferry.upload(); await exec("UPDATE col SET mod = mod + 1000")`)
	asked, answer := make(chan bool), make(chan bool)
	server.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/sync/finish" {
			asked <- true
			<-answer
		}
		return false
	})
	page.Run(t, nil, `window.syncing = ferry.sync()`)
	<-asked
	var n, pending int
	page.Run(t, &n, `
		await exec("INSERT INTO tags VALUES ('during', -1, 0, NULL)");
		return (await ferry.query("SELECT count(*) AS n FROM tags"))[0].n`)
	if n != 1 {
		t.Errorf("%d tags", n)
	}
	answer <- true
	page.Run(t, nil, `await window.syncing`)
	server.Intercept(nil)
	if page.Run(t, &pending, `return ferry.status.pending`); pending != 1 {
		t.Errorf("%d pending rows, want the one added meanwhile", pending)
	}
}
