package main

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/anki"
)

// served is a running cardferry serve.
type served struct {
	*process
	url string
	// log collects standard error.
	log lockedBuffer
	// rest is what follows the first line of standard output.
	rest chan string
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// startServe starts cardferry serve with its data in dir, at a free port.
func startServe(t *testing.T, dir string, args ...string) *served {
	t.Helper()
	return startServeWith(t, nil, append([]string{"--data", dir, "--addr", "127.0.0.1:0"}, args...)...)
}

// startServeWith is startServe with variables.
func startServeWith(t *testing.T, vars []string, args ...string) *served {
	t.Helper()
	s := &served{process: newProcess(t, append([]string{"serve"}, args...)...), rest: make(chan string, 1)}
	s.Env = append(s.Env, vars...)
	s.Stderr = &s.log
	s.Stdout = nil
	out, err := s.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.start(t)
	lines := bufio.NewReader(out)
	first, err := lines.ReadString('\n')
	if err != nil {
		t.Fatalf("it does not start: %s", s.log.String())
	}
	var ready struct{ Event, URL string }
	if err := json.Unmarshal([]byte(first), &ready); err != nil || ready.Event != "ready" {
		t.Fatalf("the first line is %s", first)
	}
	s.url = ready.URL
	go func() {
		b, _ := io.ReadAll(lines)
		s.rest <- string(b)
	}()
	return s
}

// stop ends the server with a signal and checks how it ends.
func (s *served) stop(t *testing.T, signal os.Signal) {
	t.Helper()
	s.Process.Signal(signal)
	rest := <-s.rest
	if code := s.code(t); code != 0 {
		t.Errorf("exit code %d: %s", code, s.log.String())
	}
	if err := checkLines(rest, 0); err != nil || strings.Count(rest, "\n") != 1 {
		t.Errorf("%v: %s", err, rest)
	}
}

// request sends any request and returns its answer and body.
func request(t *testing.T, verb, url, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequest(verb, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
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

// as runs the program in this process, with a password on standard input.
func as(t *testing.T, password string, args ...string) outcome {
	t.Helper()
	var out, errs bytes.Buffer
	code := run(t.Context(), append(args, "--json", "--engine=native"), strings.NewReader(password+"\n"), &out, &errs)
	if err := checkLines(out.String(), code); err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out.String())
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	o := outcome{code: code, stdout: out.String(), stderr: errs.String()}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &o.last); err != nil {
		t.Fatal(err)
	}
	return o
}

const (
	firstPassword  = "correct horse battery"
	secondPassword = "another staple"
)

// One server from its first start to its end, with accounts that change while it runs.
func TestServe(t *testing.T) {
	t.Parallel()
	dir, profiles := filepath.Join(t.TempDir(), "data"), t.TempDir()
	s := startServe(t, dir, "--cors-origin", "https://app.example")
	one, two := filepath.Join(profiles, "one"), filepath.Join(profiles, "two")

	if o := as(t, firstPassword, "user", "add", "--data", dir, "Ada"); o.code != 0 {
		t.Fatal(o.stdout)
	}
	as(t, firstPassword, "user", "add", "--data", dir, "ada").want(t, 2, fault.InvalidInput)
	as(t, "short", "user", "add", "--data", dir, "eve").want(t, 2, fault.InvalidInput)
	if resp, body := request(t, "POST", s.url+"api/signup", `{"user":"bea","password":"`+secondPassword+`"}`); resp.StatusCode != 201 {
		t.Fatalf("sign-up: %d %s", resp.StatusCode, body)
	}

	if o := as(t, firstPassword, "login", "--profile", one, "--endpoint", s.url, "--user", "ada"); o.code != 0 {
		t.Fatal(o.stdout)
	}
	copyFixture(t, "stock.anki2", one)
	if o := as(t, "", "upload", "--profile", one); o.code != 0 {
		t.Fatal(o.stdout)
	}
	if o := as(t, firstPassword, "login", "--profile", two, "--endpoint", s.url, "--user", "Ada"); o.code != 0 {
		t.Fatal(o.stdout)
	}
	if o := as(t, "", "download", "--profile", two); o.code != 0 {
		t.Fatal(o.stdout)
	}
	editNote(t, one)
	for _, dir := range []string{one, two} {
		if o := as(t, "", "sync", "--no-media", "--profile", dir); o.code != 0 || o.last["required"] != "none" {
			t.Fatal(o.stdout)
		}
	}
	checkDoctor(t, s.url)
	checkSite(t, s.url)

	o := as(t, "", "user", "list", "--data", dir)
	users, _ := o.last["users"].([]any)
	if len(users) != 2 || field(o.last, "users.0.name") != "Ada" || field(o.last, "users.0.devices") != 2.0 || field(o.last, "users.1.name") != "bea" {
		t.Errorf("list: %s", o.stdout)
	}
	id, _ := field(o.last, "users.0.id").(string)
	if _, err := os.Stat(filepath.Join(dir, "accounts", id, "collection.anki2")); err != nil || id == "" {
		t.Errorf("the list does not say which folder is whose: %q %v", id, err)
	}
	key := keyOf(t, one)
	if o := as(t, secondPassword, "user", "passwd", "--data", dir, "ada"); o.code != 0 {
		t.Error(o.stdout)
	}
	as(t, "", "sync", "--no-media", "--profile", one).want(t, 4, fault.Auth)
	as(t, firstPassword, "login", "--profile", one, "--endpoint", s.url, "--user", "ada").want(t, 4, fault.Auth)
	if o := as(t, secondPassword, "login", "--profile", one, "--endpoint", s.url, "--user", "ada"); o.code != 0 {
		t.Error(o.stdout)
	}
	if o := as(t, "", "user", "remove", "--data", dir, "ada"); o.code != 0 {
		t.Errorf("remove: %s", o.stdout)
	}
	as(t, "", "sync", "--no-media", "--profile", one).want(t, 4, fault.Auth)
	as(t, "", "user", "remove", "--data", dir, "ada").want(t, 1, fault.NotFound)

	secondKey := keyOf(t, one)
	s.stop(t, syscall.SIGTERM)
	for _, secret := range []string{firstPassword, secondPassword, key, secondKey, "Bearer"} {
		if strings.Contains(s.log.String(), secret) {
			t.Errorf("the log has %q", secret)
		}
	}
	if !strings.Contains(s.log.String(), `"user":"Ada"`) {
		t.Errorf("the log does not say who synced: %s", s.log.String())
	}

	for _, name := range []string{"collection.anki2", "media.db", "backups/*"} {
		if left, _ := filepath.Glob(filepath.Join(dir, "accounts", "*", name)); len(left) > 0 {
			t.Errorf("left of the removed account: %v", left)
		}
	}
}

func keyOf(t *testing.T, profile string) string {
	t.Helper()
	acc, err := readAccount(profile)
	if err != nil {
		t.Fatal(err)
	}
	return acc.Key
}

func checkDoctor(t *testing.T, url string) {
	t.Helper()
	o := as(t, "", "doctor", "--endpoint", url)
	if o.code != 0 || strings.Contains(o.stdout, `"ok":false`) {
		t.Errorf("doctor: %s", o.stdout)
	}
}

// checkSite looks at what is not the sync protocol's.
func checkSite(t *testing.T, url string) {
	t.Helper()
	resp, body := request(t, "GET", url, "")
	policy := resp.Header.Get("Content-Security-Policy")
	if resp.StatusCode != 200 || !strings.Contains(policy, "default-src 'none'") || !strings.Contains(body, "Cardferry") || strings.Contains(body, "<script>") {
		t.Errorf("the page: %d %v", resp.StatusCode, resp.Header)
	}
	if resp, body := request(t, "GET", url+"metrics", ""); resp.StatusCode != 200 ||
		!strings.Contains(body, `cardferry_requests_total{endpoint="sync/meta",status="200"}`) || !strings.Contains(body, "cardferry_open_accounts 1") || !strings.Contains(body, "cardferry_listeners 0") {
		t.Errorf("metrics: %d %s", resp.StatusCode, body)
	}
	for _, test := range []struct {
		verb, path string
		headers    []string
		status     int
		allowed    string
	}{
		{"POST", "", nil, 405, ""},
		{"POST", "metrics", nil, 405, ""},
		{"GET", "nothing", nil, 404, ""},
		{"POST", "upstream/x/sync/meta", nil, 404, ""},
		{"GET", "../../etc/passwd", nil, 404, ""},
		// A page of another origin, with what a browser adds.
		{"POST", "api/signup", []string{"Origin: https://evil.example", "Sec-Fetch-Site: cross-site", "Content-Type: text/plain"}, 403, ""},
		{"POST", "api/password", []string{"Origin: https://evil.example", "Sec-Fetch-Site: cross-site"}, 403, ""},
		{"DELETE", "api/devices/x", []string{"Origin: https://evil.example", "Sec-Fetch-Site: cross-site"}, 403, ""},
		{"DELETE", "api/devices/x", nil, 401, ""},
		{"OPTIONS", "sync/meta", []string{"Origin: https://evil.example", "Access-Control-Request-Method: POST"}, 405, ""},
		{"OPTIONS", "sync/meta", []string{"Origin: https://app.example", "Access-Control-Request-Method: POST"}, 204, "https://app.example"},
		{"POST", "sync/meta", []string{"Origin: https://app.example"}, 400, "https://app.example"},
		{"POST", "sync/meta", []string{"Origin: https://app.example.evil.example"}, 400, ""},
	} {
		resp, _ := request(t, test.verb, url+test.path, "", test.headers...)
		if got := resp.Header.Get("Access-Control-Allow-Origin"); resp.StatusCode != test.status || got != test.allowed {
			t.Errorf("%s /%s %v: %d, allowed %q", test.verb, test.path, test.headers, resp.StatusCode, got)
		}
	}
}

// What cannot be served is refused with a clear error.
func TestServeRefused(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	used := t.TempDir()
	s := startServe(t, used)
	for _, test := range []struct {
		args []string
		code int
		kind fault.Kind
	}{
		{[]string{"--data", used}, 1, fault.Busy},
		{[]string{"--addr", taken.Addr().String()}, 1, fault.Busy},
		{[]string{"--addr", "nonsense"}, 2, fault.InvalidInput},
		{[]string{"--addr", "127.0.0.1:99999"}, 2, fault.InvalidInput},
		{[]string{"--addr", "192.0.2.1:0"}, 2, fault.InvalidInput},
		{[]string{"--signup", "perhaps"}, 2, fault.InvalidInput},
		{[]string{"--upstream", "nonsense"}, 2, fault.InvalidInput},
		{[]string{"--upstream", "a=ftp://h/"}, 2, fault.InvalidInput},
		{[]string{"--upstream", "a=http://h/", "--upstream", "a=http://i/"}, 2, fault.InvalidInput},
		{[]string{"--cors-origin", "app.example"}, 2, fault.InvalidInput},
		{[]string{"--cors-origin", "https://app.example/"}, 2, fault.InvalidInput},
		{[]string{"--cors-origin", "https://app.example:443"}, 2, fault.InvalidInput},
		{[]string{"--cors-origin", "https://*.example"}, 2, fault.InvalidInput},
		{[]string{"--cors-origin", "https://bücher.example"}, 2, fault.InvalidInput},
		{[]string{"--tls-cert", "x"}, 2, fault.InvalidInput},
		{[]string{"--tls-cert", "missing", "--tls-key", "missing"}, 2, fault.InvalidInput},
		{[]string{"--data="}, 2, fault.InvalidInput},
		{[]string{"--nonsense"}, 2, fault.InvalidInput},
	} {
		args := append([]string{"serve"}, test.args...)
		if !strings.Contains(strings.Join(args, " "), "--data") {
			args = append(args, "--data", t.TempDir())
		}
		if !strings.Contains(strings.Join(args, " "), "--addr") {
			args = append(args, "--addr", "127.0.0.1:0")
		}
		as(t, "", args...).want(t, test.code, test.kind)
	}
	as(t, "", "serve").want(t, 2, fault.InvalidInput)
	refuseData(t)
	as(t, "", "user", "list", "--data", t.TempDir()).want(t, 1, fault.NotFound)
	as(t, "x", "user", "passwd", "--data", used, "nobody").want(t, 1, fault.NotFound)
	s.stop(t, syscall.SIGTERM)
}

// refuseData has data folders that are none; what is said of them speaks of no profile.
func refuseData(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "accounts.db"), 0o700); err != nil {
		t.Fatal(err)
	}
	damaged := t.TempDir()
	as(t, firstPassword, "user", "add", "ben", "--data", damaged)
	accounts, err := os.OpenFile(filepath.Join(damaged, "accounts.db"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	// After its first page: it can be opened.
	if _, err := accounts.WriteAt(bytes.Repeat([]byte("x"), 28<<10), 4<<10); err != nil || accounts.Close() != nil {
		t.Fatal(err)
	}
	piped := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(piped, "gateway.key"), 0o600); err != nil {
		t.Fatal(err)
	}
	as(t, "", "serve", "--data", piped, "--addr", "127.0.0.1:0", "--upstream", "a=http://h/").want(t, 9, fault.UnsupportedFile)
	for _, command := range []string{"serve", "user list", "user add ada"} {
		for _, test := range []struct {
			data string
			code int
			kind fault.Kind
		}{
			{file, 2, fault.InvalidInput}, {filepath.Join(file, "sub"), 1, fault.NotWritable}, {dir, 9, fault.UnsupportedFile},
			{damaged, 9, fault.DamagedFile},
		} {
			o := as(t, firstPassword, append(strings.Fields(command), "--data", test.data)...)
			o.want(t, test.code, test.kind)
			if strings.Contains(o.stdout, "profile") || strings.Contains(o.stdout, "collection") {
				t.Errorf("%s: %s", command, o.stdout)
			}
		}
	}
}

// The real client with our server in the place of the reference's, with the settings of that and the key that it had before, and one of ours.
func TestServeRealClient(t *testing.T) {
	t.Parallel()
	client := anki.NewClient(t)
	dir, profile := t.TempDir(), t.TempDir()
	vars := []string{"SYNC_USER1=ada:" + firstPassword, "SYNC_BASE=" + dir, "SYNC_HOST=127.0.0.1", "SYNC_PORT=0"}
	s := startServeWith(t, vars, "--signup=closed")
	key, err := client.Login(s.url, "ada", firstPassword)
	if err != nil {
		t.Fatal(err)
	}
	client.Do(t, "add_note", anki.Args{"fields": []string{"front", "back"}}, nil)
	if o, err := client.Sync(s.url, key); err != nil || o.Required != "FULL_UPLOAD" {
		t.Fatalf("%+v %v", o, err)
	}
	if err := client.Full(s.url, key, true); err != nil {
		t.Fatal(err)
	}
	if o := as(t, firstPassword, "login", "--profile", profile, "--endpoint", s.url, "--user", "ada"); o.code != 0 {
		t.Fatal(o.stdout)
	}
	if o := as(t, "", "sync", "--no-media", "--on-conflict=download", "--profile", profile); o.code != 0 {
		t.Fatal(o.stdout)
	}
	old := anki.ServerKey("ada:" + firstPassword)
	client.Do(t, "add_note", anki.Args{"fields": []string{"second", "back"}}, nil)
	if o, err := client.Sync(s.url, old); err != nil || o.Required != "NO_CHANGES" {
		t.Fatalf("with the reference's key: %+v %v", o, err)
	}
	if o := as(t, "", "sync", "--no-media", "--profile", profile); o.code != 0 || field(o.last, "received.notes") != 1.0 {
		t.Fatal(o.stdout)
	}
	if resp, _ := request(t, "POST", s.url+"api/signup", `{"user":"bea","password":"`+secondPassword+`"}`); resp.StatusCode != 403 {
		t.Errorf("sign-up: %d", resp.StatusCode)
	}
	as(t, secondPassword, "user", "passwd", "--data", dir, "ada").want(t, 2, fault.InvalidInput)
	s.stop(t, syscall.SIGTERM)
	for _, secret := range []string{firstPassword, key, old} {
		if strings.Contains(s.log.String(), secret) {
			t.Errorf("the log has %q", secret)
		}
	}
}

// The reference server's settings.
func TestServeEnvironment(t *testing.T) {
	t.Parallel()
	lookup := func(vars ...string) func(string) (string, bool) {
		return func(name string) (string, bool) {
			for _, v := range vars {
				if n, value, _ := strings.Cut(v, "="); n == name {
					return value, true
				}
			}
			return "", false
		}
	}
	c := &serveCommand{dataFlag: dataFlag{"d"}}
	set, err := c.settings(lookup("SYNC_HOST=0.0.0.0", "SYNC_PORT=27701", "MAX_SYNC_PAYLOAD_MEGS=7", "SYNC_USER1=a:secret", "SYNC_USER2=b:other",
		"SYNC_IP_HEADER=RightmostXForwardedFor"))
	if err != nil || set.addr != "0.0.0.0:27701" || set.limits.Collection != 21<<20 || len(set.users) != 2 || set.users[1].Name != "b" {
		t.Fatalf("%+v %v", set, err)
	}
	r, _ := http.NewRequest("GET", "/", nil)
	r.Header.Set("X-Forwarded-For", "10.0.0.1, 192.0.2.1")
	if ip := set.clientIP(r); ip != "192.0.2.1" {
		t.Errorf("the client's address: %s", ip)
	}
	// Its port follows an address of IPv6 without brackets, as the reference takes it.
	if set, err = c.settings(lookup("SYNC_IP_HEADER=CloudFrontViewerAddress")); err != nil {
		t.Fatal(err)
	}
	for value, want := range map[string]string{
		"192.0.2.1:443": "192.0.2.1", "2001:db8::1:443": "2001:db8::1", "2001:db8:1:2:3:4:5:6:443": "2001:db8:1:2:3:4:5:6", "[2001:db8::1]:443": "2001:db8::1",
	} {
		r.Header.Set("CloudFront-Viewer-Address", value)
		if ip := set.clientIP(r); ip != want {
			t.Errorf("the client's address in %s: %s", value, ip)
		}
	}
	for _, bad := range []string{"MAX_SYNC_PAYLOAD_MEGS=x", "MAX_SYNC_PAYLOAD_MEGS=0", "SYNC_USER1=secret", "SYNC_PORT=x", "SYNC_IP_HEADER=x"} {
		_, err := c.settings(lookup(bad))
		if fault.KindOf(err) != fault.InvalidInput || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", bad, err)
		}
	}
	// The values are not the names of headers, which is what one would try.
	_, err = c.settings(lookup("SYNC_IP_HEADER=X-Real-IP"))
	if e, ok := errors.AsType[*fault.Error](err); !ok || !strings.Contains(e.Hint, "XRealIp") {
		t.Errorf("a header's name: %v", err)
	}
	s := startServeWith(t, []string{"SYNC_USER1=a:secret", "SYNC_USER3=c:other", "MAX_SYNC_PAYLOAD_MEGS=1"}, "--data", t.TempDir(), "--addr", "127.0.0.1:0")
	// What does not compress may be as long as what does.
	for size, want := range map[int]string{3<<20 - 1: "corrupt", 3 << 20: "exceeds size limit"} {
		noise := make([]byte, size)
		_, _ = rand.Read(noise)
		resp, text := request(t, "POST", s.url+"sync/upload", string(anki.Compress(noise)), fmt.Sprintf(`anki-sync: {"v":11,"k":%q,"c":"x","s":"x"}`, anki.ServerKey("a:secret")))
		if plain, err := anki.Decompress([]byte(text)); err != nil || !strings.Contains(string(plain), want) {
			t.Errorf("an upload of %d bytes: %d %s", size, resp.StatusCode, plain)
		}
	}
	s.stop(t, syscall.SIGTERM)
	if log := s.log.String(); !strings.Contains(log, "SYNC_USER3 is set, but not SYNC_USER2") || strings.Contains(log, "other") {
		t.Errorf("of a gap it says %s", log)
	}
	c.Addr = "127.0.0.1:0"
	if set, err := c.settings(lookup("SYNC_HOST=0.0.0.0")); err != nil || set.addr != c.Addr {
		t.Errorf("a flag does not come first: %v", err)
	}
}

// 0.0.0.0 is IPv4 alone, and what is for all is shown as an address that a browser here can use.
func TestListen(t *testing.T) {
	t.Parallel()
	l, err := listen(t.Context(), "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if at := l.Addr().String(); !strings.HasPrefix(at, "0.0.0.0:") || !strings.HasPrefix(shownHost(l.Addr()), "127.0.0.1:") {
		t.Errorf("it listens at %s, shown as %s", at, shownHost(l.Addr()))
	}
	if _, err := listen(t.Context(), l.Addr().String()); fault.KindOf(err) != fault.Busy {
		t.Errorf("a second one: %v", err)
	}
}

// A head that comes a byte at a time is cut off.
func TestSlowHeads(t *testing.T) {
	t.Parallel()
	server := newHTTPServer(http.NotFoundHandler(), nil)
	if server.ReadHeaderTimeout != headerTime || server.IdleTimeout == 0 || server.MaxHeaderBytes == 0 {
		t.Fatal("the server has no limits")
	}
	server.ReadHeaderTimeout = 1 // ns; what counts is that it ends
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go server.Serve(l)
	defer server.Close()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nX: ")
	if _, err := io.Copy(io.Discard, conn); err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Error(err)
	}
}
