package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cardferry/cardferry/core/wire"
)

// A killed server has lost nothing that it has acknowledged, and what it had not ends with the session.
func TestServeKilled(t *testing.T) {
	t.Parallel()
	dir, profile, other := t.TempDir(), t.TempDir(), t.TempDir()
	s := startServe(t, dir)
	as(t, firstPassword, "user", "add", "--data", dir, "ada")
	for _, p := range []string{profile, other} {
		if o := as(t, firstPassword, "login", "--profile", p, "--endpoint", s.url, "--user", "ada"); o.code != 0 {
			t.Fatal(o.stdout)
		}
	}
	copyFixture(t, "stock.anki2", profile)
	if o := as(t, "", "upload", "--profile", profile); o.code != 0 {
		t.Fatal(o.stdout)
	}
	editNote(t, profile)
	proxy, hanging := hangAt(t, s.url, "/sync/finish")
	redirect(t, profile, proxy.URL)
	p := newProcess(t, "sync", "--no-media", "--profile", profile)
	p.start(t)
	<-hanging // everything is sent, nothing is committed
	s.Process.Kill()
	<-s.rest
	s.Wait()
	p.Process.Kill()
	p.Wait()

	s = startServe(t, dir)
	for _, p := range []string{profile, other} {
		redirect(t, p, s.url)
	}
	if o := as(t, "", "download", "--profile", other); o.code != 0 {
		t.Fatal(o.stdout)
	}
	for _, test := range []struct{ profile, count string }{{profile, "sent"}, {other, "received"}} {
		o := as(t, "", "sync", "--no-media", "--profile", test.profile)
		if o.code != 0 || field(o.last, test.count+".notes") != 1.0 {
			t.Errorf("%s: %s", test.count, o.stdout)
		}
	}
	s.stop(t, syscall.SIGTERM)
}

// A signal while a client is in a session, with a request that never ends: the server ends, and the session is rolled back. A second signal
// does not wait.
func TestServeStopped(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := startServe(t, dir)
	conn := stuckUpload(t, s.url)
	s.Process.Signal(os.Interrupt)
	ended := make(chan error, 1)
	go func() { ended <- s.Wait() }()
	for s.Process.Signal(os.Interrupt) == nil {
		select {
		case err := <-ended:
			ended <- err
		default:
		}
	}
	<-ended
	if status, ok := s.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() {
		t.Errorf("it ended with %v", s.ProcessState)
	}
	conn.Close()

	s = startServe(t, dir)
	conn = stuckUpload(t, s.url)
	defer conn.Close()
	s.stop(t, syscall.SIGTERM)
	if log := s.log.String(); !strings.Contains(log, "cut off: the server is being stopped") || strings.Contains(log, "hung up") {
		t.Errorf("the log does not say who has ended the request: %s", log)
	}
}

// stuckUpload begins a sign-up and does not end it.
func stuckUpload(t *testing.T, url string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/"))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(conn, "POST /api/signup HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n")
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(line, "100") { // now somebody reads the body
		t.Fatal(line, err)
	}
	fmt.Fprint(conn, `{"user":`)
	return conn
}

// TestServeFinishes: an upload that has begun before the signal is taken to its end, and kept.
func TestServeFinishes(t *testing.T) {
	t.Parallel()
	dir, profile := t.TempDir(), t.TempDir()
	s := startServe(t, dir)
	as(t, firstPassword, "user", "add", "--data", dir, "ada")
	if o := as(t, firstPassword, "login", "--profile", profile, "--endpoint", s.url, "--user", "ada"); o.code != 0 {
		t.Fatal(o.stdout)
	}
	file, err := os.ReadFile(filepath.Join(fixtures, "stock.anki2"))
	if err != nil {
		t.Fatal(err)
	}
	body := wire.NewCodec().Compress(nil, file)
	address := strings.TrimSuffix(strings.TrimPrefix(s.url, "http://"), "/")
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST /sync/upload HTTP/1.1\r\nHost: h\r\nanki-sync: {\"v\":11,\"k\":%q,\"c\":\"test\",\"s\":\"x\"}\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n",
		keyOf(t, profile), len(body))
	answer := bufio.NewReader(conn)
	if line, err := answer.ReadString('\n'); err != nil || !strings.Contains(line, " 100 ") { // now somebody reads the body
		t.Fatal(line, err)
	}
	_, _ = answer.ReadString('\n')
	_, _ = conn.Write(body[:len(body)/2])
	s.Process.Signal(syscall.SIGTERM)
	for { // until nobody else is let in
		other, err := net.Dial("tcp", address)
		if err != nil {
			break
		}
		other.Close()
	}
	_, _ = conn.Write(body[len(body)/2:])
	resp, err := http.ReadResponse(answer, nil)
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("%v %v: %s", resp, err, s.log.String())
	}
	frame, err := io.ReadAll(resp.Body)
	if text, derr := wire.NewCodec().Decompress(nil, frame, 100); err != nil || derr != nil || string(text) != "OK" {
		t.Errorf("%q %v %v", text, err, derr)
	}
	<-s.rest
	if code := s.code(t); code != 0 {
		t.Errorf("exit code %d: %s", code, s.log.String())
	}
	s = startServe(t, dir)
	redirect(t, profile, s.url)
	if o := as(t, "", "download", "--profile", profile); o.code != 0 || o.last["bytes"] != float64(len(file)) {
		t.Errorf("%s: %d bytes were sent", o.stdout, len(file))
	}
	s.stop(t, syscall.SIGTERM)
}
