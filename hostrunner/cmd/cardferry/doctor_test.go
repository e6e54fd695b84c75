package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// patient is a server with something wrong with it.
type patient struct {
	clock  time.Duration // it is ahead
	limit  int64         // of bodies; 0: none
	keeps  bool          // the connection, when it refuses a body
	cors   bool
	health int    // 0: 200
	meta   int    // what it answers to everything of the protocol; 0: as it should
	to     string // where it sends those who ask for meta
	media  int    // what it answers to what media sync asks for; 0: as it should
	page   bool   // what it answers to the protocol is a page, as that of a proxy
	moved  string // where it sends all paths, as proxies do
}

func (p patient) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", time.Now().Add(p.clock).UTC().Format(http.TimeFormat))
	if p.cors {
		w.Header().Set("Access-Control-Allow-Origin", "*")
	}
	status := http.StatusForbidden
	if p.page {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
	}
	switch {
	case p.moved != "":
		w.Header().Set("Location", p.moved+r.URL.Path[1:])
		status = http.StatusPermanentRedirect
	case r.URL.Path == "/health":
		status = max(p.health, 200)
	case r.Method == http.MethodOptions:
		status = http.StatusNoContent
	case p.meta != 0:
		status = p.meta
	case p.media != 0 && strings.HasPrefix(r.URL.Path, "/msync/"):
		status = p.media
	case p.to != "" && strings.HasSuffix(r.URL.Path, "/meta"):
		w.Header().Set("Location", p.to)
		status = http.StatusPermanentRedirect
	case strings.Contains(r.Header.Get("anki-sync"), `"v":99`):
		status = http.StatusBadRequest
	case p.limit > 0 && r.ContentLength > p.limit:
		status = http.StatusRequestEntityTooLarge
		if p.keeps { // which net/http does not
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				defer conn.Close()
				fmt.Fprint(conn, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
				_, _ = io.Copy(io.Discard, conn)
			}
			return
		}
	default:
		_, _ = io.Copy(io.Discard, r.Body)
	}
	w.WriteHeader(status)
}

// TestDoctor has a server for each thing that can be wrong with one: the doctor names it, and finds nothing else.
func TestDoctor(t *testing.T) {
	t.Parallel()
	start := func(p patient) string {
		s := httptest.NewServer(p)
		t.Cleanup(s.Close)
		return s.URL + "/"
	}
	secure := httptest.NewTLSServer(patient{})
	defer secure.Close()
	good := start(patient{})
	// Not every server that speaks TLS has words for those who do not: some send an alert.
	alert := raw(t, "\x15\x03\x01\x00\x02\x02\x46")
	for name, test := range map[string]struct {
		url          string
		check, words string // "" for nothing
	}{
		"nothing":                    {good, "", ""},
		"an address without its end": {good[:len(good)-1] + "/path", "slash", "other clients drop its last part"},
		"a clock that is ahead":      {start(patient{clock: 10 * time.Minute}), "clock", "a sync allows 5 minutes"},
		"a clock that is behind":     {start(patient{clock: -6 * time.Minute}), "clock", "a sync allows 5 minutes"},
		"a clock a little off":       {start(patient{clock: 2 * time.Minute}), "", ""},
		"a limit of 40 MiB":          {start(patient{limit: 40 << 20}), "limits", "uploads of 32 MiB pass, larger ones do not"},
		"a limit of 1 kB":            {start(patient{limit: 1000}), "limits", "even an upload of 1 MiB is refused"},
		"a limit, politely":          {start(patient{limit: 12 << 20, keeps: true}), "limits", "uploads of 10 MiB pass, larger ones do not"},
		"TLS, asked without":         {"http" + strings.TrimPrefix(secure.URL, "https"), "tls", "the server speaks TLS at this address; write https://"},
		"TLS, asked without, alert":  {alert, "tls", "the server speaks TLS at this address; write https://"},
		"a server of mail":           {raw(t, "220 mail.example.org ESMTP\r\n"), "connect", "what listens at this address is no web server"},
		"a proxy without media":      {start(patient{media: 404}), "media", "do not reach the sync server (404)"},
		"a proxy that cannot reach":  {start(patient{health: 502}), "health", "has a problem (502)"},
		"a password in the address":  {strings.Replace(good, "://", "://user:secret@", 1), "", "://user:xxxxx@"},
		"a password with a percent":  {strings.Replace(good, "://", "://user:secret%zz@", 1), "url", "not the address of a sync server"},
		"a password with a slash":    {strings.Replace(good, "://", "://user:secret/zz@", 1), "url", "not the address of a sync server"},
		"this machine, shouted":      {strings.Replace(good, "127.0.0.1", "LOCALHOST", 1), "", "on this machine only"},
		"a server that stops":        {start(patient{health: 503}), "health", "cannot work now"},
		"a health not passed on":     {start(patient{health: 404}), "", "not known: GET health gives 404"},
		"a health that moved":        {start(patient{health: 302}), "health", "redirects"},
		"another program":            {start(patient{meta: 404}), "protocol", "no sync server at this address"},
		"a firewall":                 {start(patient{meta: 403}), "protocol", "refuses every request"},
		"a broken proxy":             {start(patient{meta: 502}), "protocol", "has a problem (502)"},
		"the page of a broken proxy": {start(patient{meta: 502, page: true}), "protocol", "has a problem (502)"},
		"a page":                     {start(patient{meta: 200, page: true}), "protocol", "no sync server at this address"},
		"a limit of requests":        {start(patient{meta: 429}), "protocol", "too many requests (429)"},
		"a proxy with a login":       {start(patient{meta: 401, page: true}), "protocol", "asks for a login (401)"},
		"a redirect of another kind": {start(patient{meta: 301}), "protocol", "which clients do not follow"},
		"the page of a redirect":     {start(patient{meta: 301, page: true}), "protocol", "which clients do not follow"},
		"a redirect":                 {start(patient{to: good}), "", "it sends clients to " + good},
		"a redirect of health, too":  {start(patient{to: good, health: 308}), "", "it sends clients to " + good},
		"no scheme":                  {strings.TrimPrefix(good, "http://"), "url", "for example https://"},
		"two redirects":              {start(patient{to: start(patient{to: good})}), "protocol", "redirects again"},
		"a redirect to nowhere":      {start(patient{to: "/elsewhere"}), "redirect", "no whole address"},
		"a certificate of its own":   {secure.URL, "tls", "certificate is not accepted"},
		"a certificate alone":        {withoutChain(t), "tls", "came without that of who has signed it"},
		"pages elsewhere":            {start(patient{cors: true}), "", "pages of other origins may use it too"},
		"no pages elsewhere":         {good, "", "pages of others need a gateway"},
	} {
		o := as(t, "", "doctor", "--endpoint", test.url)
		checks, _ := o.last["checks"].([]any)
		for _, c := range checks {
			c := c.(map[string]any)
			if c["ok"] == (c["name"] == test.check) && name != "an address without its end" {
				t.Errorf("%s: %v", name, c)
			}
			if c["name"] == test.check && !strings.Contains(c["detail"].(string), test.words) {
				t.Errorf("%s: %v", name, c)
			}
		}
		if strings.Contains(o.stdout, "secret") {
			t.Errorf("%s: it shows the password: %s", name, o.stdout)
		}
		if len(checks) == 0 || o.code != 0 || !strings.Contains(o.stdout, test.words) || test.check != "" && !strings.Contains(o.stdout, `"name":"`+test.check+`","ok":false`) {
			t.Errorf("%s: %d %s", name, o.code, o.stdout)
		}
	}
}

// withoutChain starts a server with a certificate that another one has signed, which it does not send.
func withoutChain(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	own := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, Subject: pkix.Name{CommonName: "leaf"},
	}
	der, err := x509.CreateCertificate(rand.Reader, own, &x509.Certificate{Subject: pkix.Name{CommonName: "intermediate"}}, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(patient{})
	s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // refusing it is what is tested
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL + "/"
}

// TestDoctorProxy: what is wrong with the proxy of this machine is not said of the server.
func TestDoctorProxy(t *testing.T) {
	t.Parallel()
	asking := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusProxyAuthRequired) }))
	defer asking.Close()
	closed := httptest.NewServer(nil)
	closed.Close()
	for name, test := range map[string]struct {
		proxy, setting string
		words          string
	}{
		"asks for a login": {proxy: asking.URL, words: "the proxy asks for a login (407)"},
		"does not run":     {proxy: closed.URL, words: "the proxy cannot be reached"},
		"has no such name": {proxy: "http://proxy.invalid:3128", words: "the proxy cannot be reached"},
		"is none":          {setting: "http://user:secret@[", words: "the proxy setting (HTTPS_PROXY, HTTP_PROXY) is not a valid address"},
	} {
		for _, endpoint := range []string{"http://sync.example.org/", "https://sync.example.org/"} {
			d := newDoctor(t.Context(), func(*http.Request) (*url.URL, error) {
				if test.setting != "" {
					return nil, fmt.Errorf("invalid proxy address %q", test.setting)
				}
				return url.Parse(test.proxy)
			})
			d.examine(endpoint)
			last := d.checks[len(d.checks)-1]
			if len(d.checks) != 3 || last.Name != "connect" || last.OK || !strings.Contains(last.Detail, test.words) || strings.Contains(last.Detail, "secret") {
				t.Errorf("%s, %s: %+v", name, endpoint, d.checks)
			}
		}
	}
}

// TestDoctorMoved: of a proxy that redirects each path to the same of another address, it says that address. Clients would take the path for a part of it.
func TestDoctorMoved(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(patient{moved: "https://sync.example.org/"})
	defer s.Close()
	o := as(t, "", "doctor", "--endpoint", s.URL)
	for _, want := range []string{`"name":"health","ok":false`, "to https://sync.example.org/health (308)", `"name":"redirect","ok":false`, "use the new address, https://sync.example.org/"} {
		if !strings.Contains(o.stdout, want) {
			t.Errorf("no %s: %s", want, o.stdout)
		}
	}
}

// TestDoctorMethods: an address of the time when there was one for cards and one for media is too long, and not too short.
func TestDoctorMethods(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(patient{meta: 404})
	defer s.Close()
	for path, times := range map[string]int{"/sync/": 1, "/anki/msync/": 1, "/sync": 2} {
		o := as(t, "", "doctor", "--endpoint", s.URL+path)
		if n := strings.Count(o.stdout, "leave out its last part"); n != times || strings.Contains(o.stdout, "is a path missing") || strings.Contains(o.stdout, "write http") {
			t.Errorf("%s: %s", path, o.stdout)
		}
	}
}

// raw starts a server that answers whatever is sent with the same bytes, and returns its address.
func raw(t *testing.T, answer string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 4096))
			_, _ = io.WriteString(c, answer)
			c.Close()
		}
	}()
	return "http://" + l.Addr().String() + "/"
}
