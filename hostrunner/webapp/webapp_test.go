package webapp_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cardferry/cardferry/hostrunner/webapp"
)

// packed returns text as gzip.
func packed(text string) []byte {
	var b strings.Builder
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, text)
	_ = z.Close()
	return []byte(b.String())
}

func app() *webapp.App {
	return webapp.Of(fstest.MapFS{
		"index.html":           {Data: []byte("<!doctype html>page")},
		"index.html.gz":        {Data: packed("<!doctype html>page")},
		"frame.html":           {Data: []byte("frame")},
		"app-4F2KQ7ZD.js":      {Data: []byte("script")},
		"core-0123456789.wasm": {Data: []byte("\x00asm")},
		"icon-192.png":         {Data: []byte("png")},
	})
}

func TestHas(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{
		"/": true, "/frame.html": true, "/app-4F2KQ7ZD.js": true, "/none": false, "/index.html.gz": false, "/../secret": false, "//": false,
	} {
		if got := app().Has(path); got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
	if (*webapp.App)(nil).Has("/") {
		t.Error("no app has a page")
	}
}

func TestServe(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ path, accept, body, kind, cache, encoding string }{
		{"/", "", "<!doctype html>page", "text/html; charset=utf-8", "no-cache", ""},
		{"/", "br, gzip;q=0.5", string(packed("<!doctype html>page")), "text/html; charset=utf-8", "no-cache", "gzip"},
		{"/", "gzip; q=0", "<!doctype html>page", "text/html; charset=utf-8", "no-cache", ""},
		{"/app-4F2KQ7ZD.js", "gzip", "script", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable", ""},
		{"/core-0123456789.wasm", "gzip", "\x00asm", "application/wasm", "public, max-age=31536000, immutable", ""},
		{"/icon-192.png", "", "png", "image/png", "no-cache", ""},
	} {
		r := httptest.NewRequest(http.MethodGet, c.path, nil)
		r.Header.Set("Accept-Encoding", c.accept)
		w := httptest.NewRecorder()
		app().ServeHTTP(w, r)
		h := w.Header()
		if w.Body.String() != c.body || h.Get("Content-Type") != c.kind || h.Get("Cache-Control") != c.cache || h.Get("Content-Encoding") != c.encoding {
			t.Errorf("%s %q: %q, %v", c.path, c.accept, w.Body, h)
		}
		if policy := h.Get("Content-Security-Policy"); strings.Contains(policy, "unsafe-inline") || !strings.HasPrefix(policy, "default-src 'none'; ") {
			t.Errorf("%s: policy %q", c.path, policy)
		}
	}
}

// TestFrame: the document around a card lets scripts run, but nothing be loaded or visited.
func TestFrame(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	app().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/frame.html", nil))
	policy := w.Header().Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "connect-src 'none'", "frame-src 'none'", "form-action 'none'", "frame-ancestors 'self'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("%q lacks %s", policy, want)
		}
	}
	// The file says it as well, for servers that send no policy. What may be around it can only be said in a header.
	file, err := os.ReadFile("../../web/src/frame.html")
	if inside, _, _ := strings.Cut(policy, "; frame-ancestors"); err != nil || !strings.Contains(string(file), `content="`+inside+`"`) {
		t.Errorf("frame.html has another policy than %q, %v", inside, err)
	}
	if got := w.Header().Get("Connection-Allowlist"); got != "()" {
		t.Errorf("a card may connect to %q", got)
	}
}
