package gateway_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cardferry/cardferry/hostrunner/gateway"
)

var key = []byte("0123456789abcdef")

// recorder is an upstream that keeps what it was asked.
type recorder struct {
	*httptest.Server
	mu   sync.Mutex
	seen []*http.Request
	body []byte
}

func upstream(t testing.TB, answer http.HandlerFunc) *recorder {
	t.Helper()
	rec := &recorder{}
	rec.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		rec.mu.Lock()
		rec.seen = append(rec.seen, r)
		rec.body = body
		rec.mu.Unlock()
		if answer != nil {
			answer(w, r)
		}
	}))
	t.Cleanup(rec.Close)
	return rec
}

func (rec *recorder) requests() []*http.Request {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	return rec.seen
}

// start starts a gateway to the upstreams, given as NAME=URL, and returns its base URL.
func start(t testing.TB, o gateway.Options, upstreams ...string) string {
	t.Helper()
	h := httptest.NewServer(newGateway(t, o, upstreams...))
	t.Cleanup(h.Close)
	return h.URL
}

func newGateway(t testing.TB, o gateway.Options, upstreams ...string) *gateway.Gateway {
	t.Helper()
	for _, s := range upstreams {
		u, err := gateway.ParseUpstream(s)
		if err != nil {
			t.Fatal(err)
		}
		o.Upstreams = append(o.Upstreams, u)
	}
	o.Key = key
	g, err := gateway.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

var client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// logged is what was written to a log, which may go on.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

const header = `{"v":11,"k":"secret","c":"test","s":"s"}`

// post sends a request of the protocol.
func post(t testing.TB, url, body string) (*http.Response, string) {
	t.Helper()
	return send(t, "POST", url, strings.NewReader(body), map[string]string{"anki-sync": header})
}

func send(t testing.TB, verb, url string, body io.Reader, headers map[string]string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequest(verb, url, body)
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range headers {
		req.Header.Set(k, v)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(b)
}

// What passes in both directions is the protocol's, and nothing else.
func TestHeaders(t *testing.T) {
	t.Parallel()
	up := upstream(t, func(w http.ResponseWriter, _ *http.Request) {
		for name, value := range map[string]string{
			"anki-original-size": "7", "Set-Cookie": "a=b", "Content-Type": "text/html", "Access-Control-Allow-Origin": "*", "X-Secret": "s",
			"Connection": "keep-alive, x-secret", "Location": "http://evil.example/", "Refresh": "0; url=http://evil.example/",
		} {
			w.Header().Set(name, value)
		}
		io.WriteString(w, "answer")
	})
	base := start(t, gateway.Options{}, "up="+up.URL+"/a/b")
	resp, body := send(t, "POST", base+"/upstream/up/sync/meta?x=y", strings.NewReader("question"), map[string]string{
		"anki-sync": header, "Cookie": "a=b", "Authorization": "Bearer k", "X-Forwarded-For": "1.2.3.4", "Origin": "http://x.example",
		"TE": "trailers", "Upgrade": "websocket", "Connection": "upgrade", "Content-Type": "text/plain", "Accept-Encoding": "gzip",
	})
	if resp.StatusCode != 200 || body != "answer" {
		t.Fatalf("%d %q", resp.StatusCode, body)
	}
	got := up.requests()[0]
	if got.URL.String() != "/a/b/sync/meta" || string(up.body) != "question" || got.ContentLength != 8 {
		t.Errorf("the upstream got %s %q (%d)", got.URL, up.body, got.ContentLength)
	}
	for name := range got.Header {
		if !strings.Contains(" Anki-Sync Content-Type Content-Length Accept Via ", " "+name+" ") {
			t.Errorf("%s reached the upstream", name)
		}
	}
	if got.Header.Get("anki-sync") != header {
		t.Errorf("the header arrived as %q", got.Header.Get("anki-sync"))
	}
	if resp.Header.Get("anki-original-size") != "7" || resp.Header.Get("Content-Type") != "application/octet-stream" {
		t.Errorf("headers: %v", resp.Header)
	}
	for _, name := range []string{"Set-Cookie", "X-Secret", "Access-Control-Allow-Origin", "Location", "Refresh"} {
		if resp.Header.Get(name) != "" {
			t.Errorf("%s came back", name)
		}
	}
}

// TestConnectionsKept: a distant upstream would cost a handshake with each request.
func TestConnectionsKept(t *testing.T) {
	t.Parallel()
	const atOnce = 8
	up := upstream(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "answer") })
	base := start(t, gateway.Options{}, "up="+up.URL)
	for range 3 {
		var all sync.WaitGroup
		for range atOnce {
			all.Go(func() { post(t, base+"/upstream/up/sync/chunk", "question") })
		}
		all.Wait()
	}
	used := map[string]bool{}
	for _, r := range up.requests() {
		used[r.RemoteAddr] = true
	}
	if n := len(up.requests()); n != 3*atOnce || len(used) > 2*atOnce { // one that is opened while another becomes free is kept, too
		t.Errorf("%d requests on %d connections", n, len(used))
	}
}

// TestConnectionsEnded: on a connection with a body of unknown length, of which the real server may not wait for the end, nothing else is sent.
func TestConnectionsEnded(t *testing.T) {
	t.Parallel()
	up := upstream(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "answer") })
	base := start(t, gateway.Options{}, "up="+up.URL)
	used := map[string]bool{}
	for range 3 {
		send(t, http.MethodPost, base+"/upstream/up/sync/chunk", struct{ io.Reader }{strings.NewReader("question")}, map[string]string{"anki-sync": header})
	}
	for _, r := range up.requests() {
		used[r.RemoteAddr] = true
	}
	if n := len(up.requests()); n != 3 || len(used) != 3 {
		t.Errorf("%d requests on %d connections", n, len(used))
	}
}

// Only configured names and the protocol's methods lead anywhere.
func TestNoOpenProxy(t *testing.T) {
	t.Parallel()
	up, other := upstream(t, nil), upstream(t, nil)
	base := start(t, gateway.Options{}, "up="+up.URL)
	host := strings.TrimPrefix(other.URL, "http://")
	for _, path := range []string{
		"up/", "up", "", "up/sync/", "up/sync/unknown", "up/sync/meta/", "up/sync/meta/x", "up/msync/meta", "up/health", "up/admin", "UP/sync/meta",
		"up/../up/sync/meta", "up/./sync/meta", "up//sync/meta", "up/sync/../admin", "up/sync/..%2fadmin", "up/sync%2fmeta", "up/sync/met%61",
		"up/sync/meta%00", "up/sync/meta%0d%0aX:%20y", "up%2f..%2fsync/meta", "up/sync/meta;x", "up/%73ync/meta",
		host + "/sync/meta", url.QueryEscape(other.URL) + "/sync/meta", other.URL + "/sync/meta", "http:/" + host + "/sync/meta",
		"up@" + host + "/sync/meta", "up:80/sync/meta", "up." + host + "/sync/meta", "up~" + host + "/sync/meta", "up~/sync/meta", "up~./sync/meta",
		"up~aHR0cDovL2xvY2FsaG9zdC8.AAAAAAAAAAAAAAAAAAAAAA/sync/meta",
	} {
		if resp, _ := post(t, base+"/upstream/"+path, "x"); resp.StatusCode != 404 {
			t.Errorf("%s: %d", path, resp.StatusCode)
		}
	}
	for _, verb := range []string{"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PROPFIND"} {
		if resp, _ := send(t, verb, base+"/upstream/up/sync/meta", nil, map[string]string{"anki-sync": header}); resp.StatusCode != 405 {
			t.Errorf("%s: %d", verb, resp.StatusCode)
		}
	}
	for _, rec := range []*recorder{up, other} {
		if n := len(rec.requests()); n != 0 {
			t.Errorf("%d requests got through: %v", n, rec.requests()[0].URL)
		}
	}
}

// raw sends bytes as they are and returns the status line.
func raw(t *testing.T, base, request string) string {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, request)
	line, _ := bufio.NewReader(conn).ReadString('\n')
	return line
}

// Requests that an HTTP library does not send.
func TestRawRequests(t *testing.T) {
	t.Parallel()
	up, other := upstream(t, nil), upstream(t, nil)
	base := start(t, gateway.Options{}, "up="+up.URL)
	host := strings.TrimPrefix(other.URL, "http://")
	for name, request := range map[string]string{
		"absolute URL":    "POST " + other.URL + "/sync/meta HTTP/1.1\r\nHost: " + host + "\r\nAnki-Sync: {}\r\nContent-Length: 0\r\n\r\n",
		"CONNECT":         "CONNECT " + host + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n",
		"two headers":     "POST /upstream/up/sync/meta HTTP/1.1\r\nHost: h\r\nAnki-Sync: {}\r\nAnki-Sync: {}\r\nContent-Length: 0\r\n\r\n",
		"no header":       "POST /upstream/up/sync/meta HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
		"long header":     "POST /upstream/up/sync/meta HTTP/1.1\r\nHost: h\r\nAnki-Sync: " + strings.Repeat("x", 5000) + "\r\nContent-Length: 0\r\n\r\n",
		"huge header":     "POST /upstream/up/sync/meta HTTP/1.1\r\nHost: h\r\nAnki-Sync: " + strings.Repeat("x", 2<<20) + "\r\nContent-Length: 0\r\n\r\n",
		"line break":      "POST /upstream/up/sync/meta HTTP/1.1\r\nHost: h\r\nAnki-Sync: {}\rX: y\r\nContent-Length: 0\r\n\r\n",
		"not ASCII":       "POST /upstream/up/sync/meta HTTP/1.1\r\nHost: h\r\nAnki-Sync: {\xff}\r\nContent-Length: 0\r\n\r\n",
		"two lengths":     "POST /upstream/up/sync/meta HTTP/1.1\r\nHost: h\r\nAnki-Sync: {}\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\nhello",
		"smuggled":        "POST /upstream/up/sync/meta HTTP/1.1\r\nHost: h\r\nAnki-Sync: {}\r\nTransfer-Encoding: xchunked\r\nContent-Length: 5\r\n\r\nhello",
		"from a gateway":  "POST /upstream/up/sync/meta HTTP/1.1\r\nHost: h\r\nAnki-Sync: {}\r\nVia: 1.1 cardferry-gateway\r\nContent-Length: 0\r\n\r\n",
		"another's path":  "POST //" + host + "/upstream/up/sync/meta HTTP/1.1\r\nHost: h\r\nAnki-Sync: {}\r\nContent-Length: 0\r\n\r\n",
		"backslashes":     "POST /upstream\\up\\sync\\meta HTTP/1.1\r\nHost: h\r\nAnki-Sync: {}\r\nContent-Length: 0\r\n\r\n",
		"dots":            "POST /upstream/up/sync/../../../etc/passwd HTTP/1.1\r\nHost: h\r\nAnki-Sync: {}\r\nContent-Length: 0\r\n\r\n",
		"dots and back":   "POST /x/../upstream/up/sync/meta HTTP/1.1\r\nHost: h\r\nAnki-Sync: {}\r\nContent-Length: 0\r\n\r\n",
		"a host and port": "POST /upstream/" + host + "/sync/meta HTTP/1.1\r\nHost: h\r\nAnki-Sync: {}\r\nContent-Length: 0\r\n\r\n",
	} {
		if line := raw(t, base, request); strings.Contains(line, " 200 ") {
			t.Errorf("%s: %s", name, line)
		}
	}
	if n := len(up.requests()) + len(other.requests()); n != 0 {
		t.Errorf("%d requests got through", n)
	}
}

// Statuses and their bodies pass; a broken answer stays broken, a long one is cut off.
func TestAnswers(t *testing.T) {
	t.Parallel()
	up := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/sync/start":
			http.Error(w, "409", 409)
		case "/sync/finish":
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, "half")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		case "/sync/chunk":
			for range 100 {
				w.Write(bytes.Repeat([]byte("x"), 1000))
			}
		case "/sync/abort":
			w.Header().Set("Content-Length", "100000")
			w.Write(bytes.Repeat([]byte("x"), 100000))
		case "/sync/upload":
			http.Redirect(w, r, "/elsewhere", 302)
		case "/sync/download":
			w.Header().Set("X", strings.Repeat("x", 100<<10))
		}
	})
	var log logged
	base := start(t, gateway.Options{Answer: 50_000, Log: slog.New(slog.NewTextHandler(&log, nil))}, "up="+up.URL, "none=http://127.0.0.1:1/")
	for path, want := range map[string]int{
		"up/sync/start": 409, "up/sync/abort": 502, "up/sync/upload": 502, "up/sync/download": 502, "none/sync/meta": 502, "up/sync/meta": 200,
	} {
		if resp, _ := post(t, base+"/upstream/"+path, "the body"); resp.StatusCode != want || resp.Header.Get("Location") != "" {
			t.Errorf("%s: %d, want %d", path, resp.StatusCode, want)
		}
	}
	for _, path := range []string{"up/sync/finish", "up/sync/chunk"} {
		req, _ := http.NewRequest("POST", base+"/upstream/"+path, nil)
		req.Header.Set("anki-sync", header)
		resp, err := client.Do(req)
		if err == nil {
			_, err = io.ReadAll(resp.Body)
			resp.Body.Close()
		}
		if err == nil {
			t.Errorf("%s: a whole answer", path)
		}
	}
	if strings.Contains(log.String(), "secret") || strings.Contains(log.String(), "the body") {
		t.Errorf("the log has secrets: %s", log.String())
	}
}

// TestClientGone: of an answer that breaks off since the client has hung up nothing is said of the upstream.
func TestClientGone(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{})
	up := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "all of it")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	var log logged
	g := newGateway(t, gateway.Options{Log: slog.New(slog.NewTextHandler(&log, nil))}, "up="+up.URL)
	base := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		g.ServeHTTP(w, r)
	}))
	defer base.Close()
	req, _ := http.NewRequest("POST", base.URL+"/upstream/up/sync/download", nil)
	req.Header.Set("anki-sync", header)
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.ReadFull(resp.Body, make([]byte, len("all of it")))
	resp.Body.Close()
	if <-ended; err != nil || log.String() != "" {
		t.Errorf("%v, log: %s", err, log.String())
	}
}

// A chunked body arrives in few chunks, whatever came in, and nothing waits for its end.
func TestStreams(t *testing.T) {
	t.Parallel()
	first := make(chan struct{})
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).EnableFullDuplex()
		n, _ := io.Copy(io.Discard, r.Body)
		io.WriteString(w, "begin")
		w.(http.Flusher).Flush()
		<-first
		fmt.Fprint(w, n)
	}))
	defer up.Close()
	base := start(t, gateway.Options{}, "up="+up.URL)
	in, out := io.Pipe()
	go func() {
		for range 1000 {
			out.Write(make([]byte, 4096))
		}
		out.Close()
	}()
	req, _ := http.NewRequest("POST", base+"/upstream/up/sync/upload", in)
	req.Header.Set("anki-sync", header)
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	begin := make([]byte, 5)
	if _, err := io.ReadFull(resp.Body, begin); err != nil || string(begin) != "begin" {
		t.Fatalf("%q %v", begin, err)
	}
	close(first)
	if rest, err := io.ReadAll(resp.Body); string(rest) != "4096000" || err != nil {
		t.Errorf("%q %v", rest, err)
	}
}

// TestTwice: a request that must not come twice is forwarded once, if it has a number, and a start not after one that has.
func TestTwice(t *testing.T) {
	t.Parallel()
	up := upstream(t, nil)
	base := start(t, gateway.Options{}, "anki="+up.URL)
	for i, c := range []struct {
		method, session, number string
		status                  int
	}{
		{"sync/start", "a", ``, 200}, {"sync/start", "a", ``, 200}, {"sync/chunk", "c", ``, 200}, {"sync/start", "c", ``, 200},
		{"sync/chunk", "a", `,"n":1`, 200}, {"sync/chunk", "a", `,"n":2`, 200}, {"sync/chunk", "a", `,"n":1`, 425}, {"sync/chunk", "a", `,"n":2`, 425},
		{"sync/chunk", "b", `,"n":1`, 200}, {"sync/chunk", "a", `,"n":3`, 200}, {"sync/applyChunk", "a", `,"n":1`, 200},
		{"sync/applyChanges", "a", `,"n":4`, 200}, {"sync/applyChanges", "a", `,"n":4`, 425},
		{"sync/applyChunk", "a", `,"n":1`, 200}, {"sync/chunk", "a", ``, 200}, {"sync/chunk", "a", ``, 200},
		{"sync/start", "a", ``, 425}, {"sync/start", "d", ``, 200}, {"sync/finish", "a", ``, 200},
	} {
		before := len(up.requests())
		text := fmt.Sprintf(`{"v":11,"k":"secret","c":"test","s":%q%s}`, c.session, c.number)
		resp, _ := send(t, "POST", base+"/upstream/anki/"+c.method, strings.NewReader("x"), map[string]string{"anki-sync": text})
		if forwarded := len(up.requests()) - before; resp.StatusCode != c.status || forwarded == 1 != (c.status == 200) {
			t.Errorf("%d: %s with %s: %d, forwarded %d times", i, c.method, text, resp.StatusCode, forwarded)
		}
	}
}

// An upstream that does not answer ends with 504; more requests than allowed with 503; more logins with 429.
func TestLimits(t *testing.T) {
	t.Parallel()
	hang, entered := make(chan struct{}), make(chan struct{}, 1)
	up := upstream(t, func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/sync/start" {
			entered <- struct{}{}
			<-hang
		}
	})
	undone := 0
	o := gateway.Options{PerClient: 1, Login: func(string) (time.Duration, func()) { return 90 * time.Second, func() {} }}
	base := start(t, o, "up="+up.URL)
	done := make(chan int)
	go func() {
		resp, _ := post(t, base+"/upstream/up/sync/start", "")
		done <- resp.StatusCode
	}()
	<-entered
	if resp, _ := post(t, base+"/upstream/up/sync/meta", ""); resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" {
		t.Errorf("one too many: %d", resp.StatusCode)
	}
	close(hang)
	if status := <-done; status != 200 {
		t.Errorf("the one before: %d", status)
	}
	resp, _ := post(t, base+"/upstream/up/sync/hostKey", "")
	if resp.StatusCode != 429 || resp.Header.Get("Retry-After") != "90" {
		t.Errorf("login: %d %v", resp.StatusCode, resp.Header)
	}
	o = gateway.Options{Login: func(string) (time.Duration, func()) { return 0, func() { undone++ } }}
	if resp, _ := post(t, start(t, o, "up="+up.URL)+"/upstream/up/sync/hostKey", ""); resp.StatusCode != 200 || undone != 1 {
		t.Errorf("login: %d, %d", resp.StatusCode, undone)
	}
	broken := upstream(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) })
	refused := upstream(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) })
	for address, want := range map[string]int{broken.URL: 1, "http://127.0.0.1:1/": 1, refused.URL: 0} {
		undone = 0
		if post(t, start(t, o, "up="+address)+"/upstream/up/sync/hostKey", ""); undone != want {
			t.Errorf("login at %s: %d, want %d", address, undone, want)
		}
	}

	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	base = start(t, gateway.Options{Stall: 50 * time.Millisecond}, "up=http://"+silent.Addr().String())
	for _, body := range []string{"", strings.Repeat("x", 32<<20)} { // the second does not fit into the buffers between
		if resp, _ := post(t, base+"/upstream/up/sync/meta", body); resp.StatusCode != 504 {
			t.Errorf("a silent upstream: %d", resp.StatusCode)
		}
	}
}

// An upstream that answers before it has everything: its answer arrives, and the gateway is done with the client's body.
func TestEarlyAnswer(t *testing.T) {
	t.Parallel()
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(413) }))
	defer up.Close()
	base := start(t, gateway.Options{}, "up="+up.URL)
	conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "POST /upstream/up/sync/upload HTTP/1.1\r\nHost: h\r\nAnki-Sync: {}\r\nContent-Length: 1000000\r\n\r\nbegin")
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil || !strings.Contains(line, "413") {
		t.Errorf("%q %v", line, err)
	}
}

// slowEnd is a body that comes at once, and whose end comes when it may.
type slowEnd struct {
	io.Reader
	end chan struct{}
}

func (s slowEnd) Read(p []byte) (n int, err error) {
	if n, err = s.Reader.Read(p); err == io.EOF {
		<-s.end
	}
	return n, err
}

func (s slowEnd) Close() error { return nil }

// cut is told of deadlines for the client's connection.
type cut struct {
	*httptest.ResponseRecorder
	deadline func(time.Time)
}

func (c cut) SetReadDeadline(t time.Time) error {
	c.deadline(t)
	return nil
}

// TestAnswerBeforeTheEnd has an upstream answer before the body's end was looked for, which is there: the client's connection is not cut off.
func TestAnswerBeforeTheEnd(t *testing.T) {
	t.Parallel()
	end := make(chan struct{})
	release := sync.OnceFunc(func() { close(end) })
	rec := upstream(t, func(http.ResponseWriter, *http.Request) { time.AfterFunc(20*time.Millisecond, release) })
	u, err := gateway.ParseUpstream("up=" + rec.URL)
	if err != nil {
		t.Fatal(err)
	}
	g, err := gateway.New(gateway.Options{Upstreams: []gateway.Upstream{u}, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("POST", "/upstream/up/sync/meta", nil)
	r.Body, r.ContentLength = slowEnd{strings.NewReader("the body"), end}, 8
	r.Header.Set("anki-sync", `{"v":11,"k":"key","c":"test","s":"x"}`)
	w := cut{httptest.NewRecorder(), func(time.Time) {
		t.Error("the client is cut off")
		release()
	}}
	g.ServeHTTP(w, r)
	if w.Code != 200 {
		t.Errorf("status %d", w.Code)
	}
}
