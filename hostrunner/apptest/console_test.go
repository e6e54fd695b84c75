package apptest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/cardferry/cardferry/hostrunner/apptest"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// failing takes the failures of a test for a look at them.
type failing struct {
	testing.TB
	mu       sync.Mutex
	failures []string
	cleanups []func()
}

func (f *failing) Errorf(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failures = append(f.failures, fmt.Sprintf(format, args...))
}

func (f *failing) Cleanup(do func()) { f.cleanups = append(f.cleanups, do) }

// TestErrorsOfWorkers lets a worker and a service worker fail in every way that no page is told of.
func TestErrorsOfWorkers(t *testing.T) {
	t.Parallel()
	const fail = `
		console.error("said in " + NAME);
		Promise.reject(new Error("rejected in " + NAME));
		setTimeout(() => { throw new Error("thrown in " + NAME); });`
	files := map[string]string{
		"/":     `<!doctype html><link rel="icon" href="data:,"><h1>A page</h1>`,
		"/w.js": `const NAME = "a worker"; onerror = () => true;` + fail + `setTimeout(() => postMessage(1), 100);`,
		"/s.js": `const NAME = "a service worker";` + fail,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, ".js") {
			w.Header().Set("Content-Type", "text/javascript")
		}
		_, _ = w.Write([]byte(files[r.URL.Path]))
	}))
	t.Cleanup(server.Close)
	f := &failing{TB: t}
	a := apptest.Open(f, browsertest.Start(t), server.URL)
	a.Run(t, nil, `
		await new Promise((told) => { new Worker("/w.js").onmessage = told; });
		await navigator.serviceWorker.register("/s.js");
		await navigator.serviceWorker.ready;`)
	a.Heard(t, "thrown in a service worker")
	a.Heard(t, "rejected in a service worker")
	for i := len(f.cleanups) - 1; i >= 0; i-- {
		f.cleanups[i]()
	}
	all := strings.Join(f.failures, "\n")
	for _, want := range []string{
		"said in a worker", "rejected in a worker", "said in a service worker", "rejected in a service worker", "thrown in a service worker",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("no test would fail because of what is %s: %s", want, all)
		}
	}
}
