package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/wire"
)

// overHTTP2 serves with the program's limits over TLS. All requests of the transport share a connection.
func overHTTP2(t *testing.T, h http.Handler) (server *httptest.Server, transport *http.Transport) {
	t.Helper()
	server = httptest.NewUnstartedServer(nil)
	server.Config = newHTTPServer(h, nil)
	server.EnableHTTP2 = true
	return server, &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
}

// TestWaitingBodies: requests whose bodies nobody reads yet leave room for the bodies of others on the same connection.
func TestWaitingBodies(t *testing.T) {
	t.Parallel()
	const waiting = 12
	began, goOn := make(chan bool, waiting), make(chan bool)
	server, transport := overHTTP2(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wait" {
			began <- true
			<-goOn
		}
		if n, err := io.Copy(io.Discard, r.Body); err != nil || n != 4<<20 {
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	server.StartTLS()
	defer server.Close()
	defer transport.CloseIdleConnections()
	post := func(path string) error {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, "POST", server.URL+path, bytes.NewReader(make([]byte, 4<<20)))
		if err != nil {
			return err
		}
		resp, err := transport.RoundTrip(req)
		if err == nil {
			if resp.Body.Close(); resp.StatusCode != http.StatusOK {
				err = errors.New(resp.Status)
			}
		}
		return err
	}
	if err := post("/"); err != nil { // from now on there is a connection
		t.Fatal(err)
	}
	ended := make(chan error, waiting)
	for range waiting {
		go func() { ended <- post("/wait") }()
	}
	for range waiting {
		<-began
	}
	if err := post("/"); err != nil {
		t.Error(err)
	}
	close(goOn)
	for range waiting {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// deafConn is a connection whose client takes nothing any more.
type deafConn struct {
	net.Conn
	deaf   *atomic.Bool
	closed chan struct{}
}

func (c deafConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.deaf.Load() {
		<-c.closed
		return 0, net.ErrClosed
	}
	return n, err
}

// TestDeafClient: a client that takes nothing of a connection, not even that a stream has ended, holds up no handler for ever.
func TestDeafClient(t *testing.T) {
	t.Parallel()
	const n = 8 // more than what is buffered on the way
	wrote := make(chan error, n)
	server, transport := overHTTP2(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			return
		}
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
		_, err := w.Write(make([]byte, 4<<20))
		wrote <- err
	}))
	if server.Config.HTTP2.WriteByteTimeout != writeTime {
		t.Fatal("the server has no limit")
	}
	server.Config.HTTP2.WriteByteTimeout = 200 * time.Millisecond
	server.StartTLS()
	defer server.Close()
	deaf, closed := atomic.Bool{}, make(chan struct{})
	transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		return deafConn{conn, &deaf, closed}, err
	}
	client := &http.Client{Transport: transport}
	resp, err := client.Get(server.URL + "/")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	deaf.Store(true)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	defer close(closed)
	for range n {
		go func() {
			req, err := http.NewRequestWithContext(ctx, "GET", server.URL+"/long", nil)
			if err != nil {
				t.Error(err)
				return
			}
			if resp, err := client.Do(req); err == nil {
				resp.Body.Close()
			}
		}()
	}
	for i := range n {
		select {
		case err := <-wrote:
			if i == n-1 && err == nil {
				t.Error("all was taken")
			}
		case <-time.After(20 * time.Second):
			t.Fatal("a handler still writes")
		}
	}
}

// TestServeFinishesHTTP2: an upload on a stream that has begun before the signal is taken to its end, though the connection takes no other request.
func TestServeFinishesHTTP2(t *testing.T) {
	t.Parallel()
	dir, profile := t.TempDir(), t.TempDir()
	cert, key, pool := writeCertificate(t, t.TempDir(), 1, time.Now())
	secure := []string{"--tls-cert", cert, "--tls-key", key}
	plain := startServe(t, dir)
	as(t, firstPassword, "user", "add", "--data", dir, "ada")
	if o := as(t, firstPassword, "login", "--profile", profile, "--endpoint", plain.url, "--user", "ada"); o.code != 0 {
		t.Fatal(o.stdout)
	}
	copyFixture(t, "stock.anki2", profile)
	if o := as(t, "", "upload", "--profile", profile); o.code != 0 {
		t.Fatal(o.stdout)
	}
	plain.stop(t, syscall.SIGTERM)

	s := startServe(t, dir, secure...)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true, ExpectContinueTimeout: time.Minute}
	defer transport.CloseIdleConnections()
	post := func(method string, body io.Reader) (int, string) {
		req, err := http.NewRequest("POST", s.url+"sync/"+method, body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("anki-sync", `{"v":11,"k":"`+keyOf(t, profile)+`","c":"test","s":"x"}`)
		req.Header.Set("Expect", "100-continue") // a body is sent once somebody reads it
		resp, err := transport.RoundTrip(req)
		if err != nil {
			return 0, err.Error()
		}
		defer resp.Body.Close()
		frame, _ := io.ReadAll(resp.Body)
		text, _ := wire.NewCodec().Decompress(nil, frame, 1<<20)
		return resp.StatusCode, string(text)
	}
	_, file := post("download", bytes.NewReader(wire.NewCodec().Compress(nil, []byte("{}"))))
	body := wire.NewCodec().Compress(nil, []byte(file))
	from, to := io.Pipe()
	type answer struct {
		status int
		text   string
	}
	uploaded := make(chan answer)
	go func() {
		status, text := post("upload", from)
		uploaded <- answer{status, text}
	}()
	_, _ = to.Write(body[:len(body)/2])
	s.Process.Signal(syscall.SIGTERM)
	for { // until nobody else is let in
		other, err := net.Dial("tcp", strings.Trim(strings.TrimPrefix(s.url, "https:"), "/"))
		if err != nil {
			break
		}
		other.Close()
	}
	if status, text := post("meta", strings.NewReader("x")); status != 0 && status != 503 {
		t.Errorf("another request: %d %s", status, text)
	}
	_, _ = to.Write(body[len(body)/2:])
	to.Close()
	if a := <-uploaded; a.status != 200 || a.text != "OK" {
		t.Errorf("%v: %s", a, s.log.String())
	}
	<-s.rest
	if code := s.code(t); code != 0 {
		t.Errorf("exit code %d: %s", code, s.log.String())
	}
}
