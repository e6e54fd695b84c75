package gateway_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/hostrunner/gateway"
)

// FuzzPath: whatever path is asked for, the upstream sees none but those of the protocol, and nothing panics.
func FuzzPath(f *testing.F) {
	for _, path := range []string{
		"upstream/a/sync/meta", "upstream/a/msync/begin", "upstream/a/../b/sync/meta", "upstream/a/sync/%2e%2e/x", "upstream//sync/meta", "upstream/a/sync/meta?x=1",
		"upstream/a/at/x/y/sync/meta", "upstream/a/sync/meta/", "upstream/A/sync/meta", "upstream/a/sync/meta%00",
	} {
		f.Add(path)
	}
	up := upstream(f, nil)
	u, err := gateway.ParseUpstream("a=" + up.URL + "/base/")
	if err != nil {
		f.Fatal(err)
	}
	g, err := gateway.New(gateway.Options{Upstreams: []gateway.Upstream{u}, Key: key})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, path string) {
		r := httptest.NewRequest("POST", "/", nil).WithContext(t.Context())
		to, err := r.URL.Parse("/" + strings.TrimLeft(path, "/"))
		if err != nil {
			t.Skip()
		}
		r.URL = to
		before := len(up.requests())
		rec := httptest.NewRecorder()
		g.ServeHTTP(rec, r)
		for _, seen := range up.requests()[before:] {
			rest, ok := strings.CutPrefix(seen.URL.Path, "/base/")
			if part, method, _ := strings.Cut(rest, "/"); !ok || part != "sync" && part != "msync" || method == "" || strings.Contains(method, "/") {
				t.Errorf("%q asks the upstream for %q", path, seen.URL.Path)
			}
		}
		if rec.Code == http.StatusInternalServerError {
			t.Errorf("%q: %s", path, rec.Body)
		}
	})
}
