package gateway_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/gateway"
)

// redirecting is an upstream that answers meta with a 308.
func redirecting(t testing.TB, location *string) *recorder {
	return upstream(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Location"] = []string{*location}
		w.WriteHeader(308)
	})
}

// A redirect becomes one to a path of the gateway, which leads to the named server; a second gateway with the same settings
// knows the path as well.
func TestRedirect(t *testing.T) {
	t.Parallel()
	second, third := upstream(t, nil), upstream(t, nil)
	location := second.URL + "/base/"
	first := redirecting(t, &location)
	settings := []string{"first=" + first.URL, "third=" + third.URL + "/x/"}
	base := start(t, gateway.Options{}, settings...)

	resp, _ := post(t, base+"/upstream/first/sync/meta", "")
	got := resp.Header.Get("Location")
	if resp.StatusCode != 308 || !strings.HasPrefix(got, base+"/upstream/first~") || !strings.HasSuffix(got, "/") {
		t.Fatalf("%d %q", resp.StatusCode, got)
	}
	if resp, _ := post(t, got+"sync/start", ""); resp.StatusCode != 200 || second.requests()[0].URL.Path != "/base/sync/start" {
		t.Errorf("the path given: %d", resp.StatusCode)
	}
	if resp, _ := post(t, got, ""); resp.StatusCode != 404 { // where the fetch of a page ends
		t.Errorf("the base: %d", resp.StatusCode)
	}
	again := start(t, gateway.Options{}, settings...)
	if resp, _ := post(t, strings.Replace(got, base, again, 1)+"sync/start", ""); resp.StatusCode != 200 {
		t.Errorf("after a restart: %d", resp.StatusCode)
	}
	for name, forged := range map[string]string{
		"another upstream's": strings.Replace(got, "first~", "third~", 1),
		"a changed one":      strings.Replace(got, "first~aH", "first~aI", 1),
		"a longer one":       strings.TrimSuffix(got, "/") + "A/",
		"a shorter one":      strings.TrimSuffix(got, "/")[:len(got)-3] + "/",
	} {
		if resp, _ := post(t, forged+"sync/start", ""); resp.StatusCode != 404 {
			t.Errorf("%s: %d", name, resp.StatusCode)
		}
	}
	if len(third.requests()) != 0 || len(second.requests()) != 2 {
		t.Errorf("requests: %d, %d", len(third.requests()), len(second.requests()))
	}

	location = third.URL + "/x"
	if resp, _ := post(t, base+"/upstream/first/sync/meta", ""); resp.Header.Get("Location") != base+"/upstream/third/" {
		t.Errorf("to another upstream: %d %v", resp.StatusCode, resp.Header)
	}

	location = second.URL + "/" + strings.Repeat("x", 250)
	if resp, _ := post(t, base+"/upstream/first/sync/meta", ""); resp.StatusCode != 308 || len(resp.Header.Get("Location")) < 300 {
		t.Errorf("to a long address: %d %v", resp.StatusCode, resp.Header)
	}
}

// Redirects to anything else end at the gateway, which itself follows none.
func TestRedirectTricks(t *testing.T) {
	t.Parallel()
	var location string
	first := redirecting(t, &location)
	base := start(t, gateway.Options{}, "first="+first.URL)
	port := first.URL[strings.LastIndex(first.URL, ":"):]
	for _, location = range []string{
		"", "/", "//127.0.0.1/", "sync/meta", "http://evil.example/", "https://evil.example/", "http://localhost" + port + "/",
		"http://169.254.169.254/latest/", "http://127.0.0.2/", "http://127.1/", "http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/",
		"http://[::1]/", "http://[::ffff:10.0.0.1]/", "http://[fe80::1%25eth0]/", "http://127.0.0.1@evil.example/", "http://evil.example#@127.0.0.1/",
		"http://127.0.0.1.evil.example/", "http://127.0.0.1\\.evil.example/", "http://127.0.0.1:80@evil.example/", "http://127.0.0.1/../admin/",
		"http://127.0.0.1/a//b/", "http://127.0.0.1/%2e%2e/", "http://127.0.0.1/?x=/", "http://127.0.0.1/#x", "http://127.0.0.1:99999/",
		"http://127.0.0.1:/", "http://127.0.0.1:0/", "ftp://127.0.0.1/", "file:///etc/passwd", "javascript:alert(1)", "http:127.0.0.1/",
		"http://127.0.0.1 /", "http://127.0.0.1/\tx/", "http://127.0.0.1/" + strings.Repeat("x", 400) + "/", "http://１２７.0.0.1/",
	} {
		resp, _ := post(t, base+"/upstream/first/sync/meta", "")
		if resp.StatusCode != 502 || resp.Header.Get("Location") != "" {
			t.Errorf("%q: %d %q", location, resp.StatusCode, resp.Header.Get("Location"))
		}
	}
	for _, status := range []int{301, 302, 303, 307, 304, 300} {
		other := upstream(t, nil)
		up := upstream(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", other.URL+"/")
			w.WriteHeader(status)
		})
		resp, _ := post(t, start(t, gateway.Options{}, "up="+up.URL)+"/upstream/up/sync/meta", "")
		if resp.StatusCode != 502 || resp.Header.Get("Location") != "" || len(other.requests()) != 0 {
			t.Errorf("%d: %d %v", status, resp.StatusCode, resp.Header)
		}
	}
	// Two Locations, of which programs would take one or the other.
	up := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Location"] = []string{"http://" + r.Host + "/a/", "http://evil.example/"}
		w.WriteHeader(308)
	})
	if resp, _ := post(t, start(t, gateway.Options{}, "up="+up.URL)+"/upstream/up/sync/meta", ""); resp.StatusCode != 502 {
		t.Errorf("two Locations: %d", resp.StatusCode)
	}
}

// TestRedirectLogged: who has to configure the other server reads in the log which one it is, and nothing that only a client should know.
func TestRedirectLogged(t *testing.T) {
	t.Parallel()
	location := "https://user:secret@sync.example.net:8443/secret/?key=secret"
	var log logged
	base := start(t, gateway.Options{Log: slog.New(slog.NewTextHandler(&log, nil))}, "first="+redirecting(t, &location).URL)
	post(t, base+"/upstream/first/sync/meta", "")
	if text := log.String(); !strings.Contains(text, "status 308 to https://sync.example.net:8443\"") || strings.Contains(text, "secret") {
		t.Error(text)
	}
}

// Below a path of another site, the address is that which the client has to ask: a handler before the gateway that takes the path away leaves it in the
// request; a proxy can tell it. A page is told where to go from where it is, which needs neither.
func TestRedirectBelowPath(t *testing.T) {
	t.Parallel()
	location := ""
	first, third := redirecting(t, &location), upstream(t, nil)
	location = third.URL + "/"
	to, err := url.Parse(start(t, gateway.Options{}, "first="+first.URL, "third="+third.URL))
	if err != nil {
		t.Fatal(err)
	}
	inside := newGateway(t, gateway.Options{}, "first="+first.URL, "third="+third.URL)
	site := http.NewServeMux()
	site.Handle("/in/side/", http.StripPrefix("/in/side", inside))
	site.Handle("/plain/", http.StripPrefix("/plain", httputil.NewSingleHostReverseProxy(to)))
	site.Handle("/telling/", http.StripPrefix("/telling", &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host
		r.Out.Header.Set("X-Forwarded-Prefix", "/telling")
	}}))
	server := httptest.NewServer(site)
	t.Cleanup(server.Close)
	for _, c := range []struct{ path, origin, want string }{
		{"/in/side", "", server.URL + "/in/side/upstream/third/"},
		{"/in/side", server.URL, "../../third/"},
		{"/telling", "", server.URL + "/telling/upstream/third/"},
		{"/telling", server.URL, "../../third/"},
		{"/plain", server.URL, "../../third/"},
	} {
		headers := map[string]string{"anki-sync": header}
		if c.origin != "" {
			headers["Origin"] = c.origin
		}
		resp, _ := send(t, "POST", server.URL+c.path+"/upstream/first/sync/meta", nil, headers)
		if got := resp.Header.Get("Location"); resp.StatusCode != 308 || got != c.want {
			t.Errorf("%s of %q: %d %q", c.path, c.origin, resp.StatusCode, got)
		}
		if at, err := resp.Location(); err != nil || at.String() != server.URL+c.path+"/upstream/third/" {
			t.Errorf("%s of %q leads to %v %v", c.path, c.origin, at, err)
		}
	}
	for _, told := range []string{"//evil.example", "/a/../b", "/a?b", "@evil.example", "evil", ".evil.example", ":1/", "/a, /b", "/%2e"} {
		resp, _ := send(t, "POST", to.String()+"/upstream/first/sync/meta", nil, map[string]string{"anki-sync": header, "X-Forwarded-Prefix": told})
		if resp.StatusCode != 502 {
			t.Errorf("told %q: %d %q", told, resp.StatusCode, resp.Header.Get("Location"))
		}
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"", "a", "=http://h/", "a=", "a=h", "a=h:80", "a=ftp://h/", "a b=http://h/", "a/b=http://h/", "ä=http://h/", "a~b=http://h/", "a.b=http://h/",
		"a=http://h/?x", "a=http://u:p@h/", "a=http://h/../x/", "a=http://h/#", "a=http://ä.example/", "a=http://h:0/", "a=http://127.1/", "a=//h/",
	} {
		if _, err := gateway.ParseUpstream(s); fault.KindOf(err) != fault.InvalidInput {
			t.Errorf("%q: %v", s, err)
		}
	}
	u, err := gateway.ParseUpstream("a=https://h.example/x")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gateway.New(gateway.Options{Key: key, Upstreams: []gateway.Upstream{u, u}}); fault.KindOf(err) != fault.InvalidInput {
		t.Errorf("two of one name: %v", err)
	}
	if _, err := gateway.New(gateway.Options{}); err == nil {
		t.Error("no key was needed")
	}
}
