package syncserver_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/wire"
	"github.com/cardferry/cardferry/hostrunner/syncserver"
)

// cheap makes passwords that cost tests nothing.
var cheap = syncserver.Passwords{Memory: 8, Passes: 1}

const password = "correct horse"

// serve starts a server for the test and returns its base URL. It ends with the test.
func serve(t testing.TB, s *syncserver.Server) string {
	t.Helper()
	return begin(t, s, (*httptest.Server).Start)
}

// serveHTTP2 is serve with TLS and HTTP/2: all requests of the clients share a connection.
func serveHTTP2(t testing.TB, s *syncserver.Server) string {
	t.Helper()
	return begin(t, s, func(h *httptest.Server) {
		h.EnableHTTP2 = true
		h.StartTLS()
	})
}

func begin(t testing.TB, s *syncserver.Server, start func(*httptest.Server)) string {
	t.Helper()
	if s.Passwords.Memory == 0 {
		s.Passwords = cheap
	}
	h := httptest.NewUnstartedServer(s)
	start(h)
	t.Cleanup(func() {
		h.Close()
		if err := s.Close(context.WithoutCancel(t.Context())); err != nil { // it has ended already
			t.Errorf("close: %v", err)
		}
	})
	return h.URL + "/"
}

// client is a client of the protocol made by hand.
type client struct {
	t            testing.TB
	url          string
	key, session string
	version      int
	name         string
}

// newClient makes an account, unless it is there, and logs a device in.
func newClient(t testing.TB, s *syncserver.Server, url, user string) *client {
	t.Helper()
	if _, err := s.Users().Add(t.Context(), user, password); err != nil {
		t.Fatal(err)
	}
	return login(t, url, user, password)
}

// login logs a device in.
func login(t testing.TB, url, user, password string) *client {
	t.Helper()
	c := &client{t: t, url: url, session: "one", version: 11, name: "test,1,linux"}
	status, body := c.call("sync/hostKey", wire.LoginRequest(user, password))
	if status != 200 {
		t.Fatalf("login: %d", status)
	}
	key, err := wire.ParseLogin(body)
	if err != nil {
		t.Fatal(err)
	}
	c.key = key
	return c
}

// other returns another session of the same device.
func (c *client) other(session string) *client {
	o := *c
	o.session = session
	return &o
}

func (c *client) header() string {
	return fmt.Sprintf(`{"v":%d,"k":%q,"c":%+q,"s":%q}`, c.version, c.key, c.name, c.session)
}

// call sends a request and returns the status and the decompressed answer.
func (c *client) call(method string, payload []byte) (int, []byte) {
	c.t.Helper()
	return c.raw(method, wire.NewCodec().Compress(nil, payload))
}

// raw is call with a body as it is sent.
func (c *client) raw(method string, body []byte) (int, []byte) {
	c.t.Helper()
	resp := do(c.t, "POST", c.url+method, body, map[string]string{"anki-sync": c.header()})
	got := resp.body
	if resp.StatusCode != 200 {
		if want := strconv.Itoa(resp.StatusCode); string(got) != want || resp.Header.Get("anki-original-size") != "" {
			c.t.Fatalf("%s: an error's body is %q, headers %v", method, got, resp.Header)
		}
		return resp.StatusCode, nil
	}
	size, err := strconv.Atoi(resp.Header.Get("anki-original-size"))
	if err != nil {
		c.t.Fatalf("%s: no original size: %v", method, resp.Header)
	}
	payload, err := wire.NewCodec().Decompress(nil, got, 1<<30)
	if err != nil || len(payload) != size {
		c.t.Fatalf("%s: %d bytes, announced were %d: %v", method, len(payload), size, err)
	}
	return resp.StatusCode, payload
}

// must is call for what has to succeed.
func (c *client) must(method string, payload []byte) []byte {
	c.t.Helper()
	status, body := c.call(method, payload)
	if status != 200 {
		c.t.Fatalf("%s: %d", method, status)
	}
	return body
}

// want fails if the status is another.
func (c *client) want(status int, method string, payload string) {
	c.t.Helper()
	if got, _ := c.call(method, []byte(payload)); got != status {
		c.t.Errorf("%s %.80s: %d, want %d", method, payload, got, status)
	}
}

type response struct {
	*http.Response
	body []byte
}

// do sends any request.
func do(t testing.TB, verb, url string, body []byte, header map[string]string) response {
	t.Helper()
	req, err := http.NewRequest(verb, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	resp, err := noRedirects.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response{resp, got}
}

var noRedirects = &http.Client{
	Transport: &http.Transport{
		DisableCompression: true, MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Second,
		ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // serveHTTP2
	},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// api sends a request to /api/ and decodes its answer.
func (c *client) api(verb, path string, request any) (int, map[string]any) {
	c.t.Helper()
	body, err := json.Marshal(request)
	if err != nil {
		c.t.Fatal(err)
	}
	header := map[string]string{"Content-Type": "application/json"}
	if c.key != "" {
		header["Authorization"] = "Bearer " + c.key
	}
	resp := do(c.t, verb, c.url+"api/"+path, body, header)
	var answer map[string]any
	if len(resp.body) > 0 {
		if err := json.Unmarshal(resp.body, &answer); err != nil {
			c.t.Fatalf("%s %s: %d %s: %v", verb, path, resp.StatusCode, resp.body, err)
		}
	}
	return resp.StatusCode, answer
}

// fromHeader takes the address of a client from a header.
func fromHeader(r *http.Request) string { return r.Header.Get("from") }

// frame returns a body with a payload.
func frame(payload string) io.Reader {
	return bytes.NewReader(wire.NewCodec().Compress(nil, []byte(payload)))
}
