package syncserver_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/wire"
	"github.com/cardferry/cardferry/hostrunner/syncserver"
)

// stream is a device that listens.
type stream struct {
	t     testing.TB
	resp  *http.Response
	lines chan string // what is sent, without heartbeats; closed at the end
	beats chan bool
	// replaced: an event has said that the collection is another one.
	replaced bool
}

// listen begins to listen with the device's key.
func (c *client) listen() *stream {
	c.t.Helper()
	return listenWith(c.t, noRedirects.Transport, c.url, c.key)
}

func listenWith(t testing.TB, transport http.RoundTripper, url, key string) *stream {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, "GET", url+"api/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" || resp.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%s %v", resp.Status, resp.Header)
	}
	t.Cleanup(func() { resp.Body.Close() })
	s := &stream{t: t, resp: resp, lines: make(chan string, 100), beats: make(chan bool, 1)}
	go s.read()
	return s
}

func (s *stream) read() {
	defer close(s.lines)
	for r := bufio.NewReader(s.resp.Body); ; {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		switch line = strings.TrimSpace(line); {
		case line == ":":
			select {
			case s.beats <- true:
			default:
			}
		case line != "" && line != ": listening":
			s.lines <- line
		}
	}
}

// change is what a "changed" event says.
type change struct {
	USN      *int64 `json:"usn"`
	MediaUSN *int64 `json:"media_usn"`
	Empty    bool   `json:"empty"`
	Replaced bool   `json:"replaced"`
}

func (s *stream) next() string {
	s.t.Helper()
	select {
	case line, ok := <-s.lines:
		if !ok {
			s.t.Fatal("the stream has ended")
		}
		return line
	case <-time.After(20 * time.Second):
		s.t.Fatal("nothing is sent")
	}
	return ""
}

// want waits for an event with these numbers; -1 is null.
func (s *stream) want(usn, mediaUSN int64) {
	s.t.Helper()
	s.wantEvent(usn, mediaUSN, false)
}

// wantEmpty waits for the event of syncs that were empty.
func (s *stream) wantEmpty(usn, mediaUSN int64) {
	s.t.Helper()
	s.wantEvent(usn, mediaUSN, true)
}

// wantEvent waits for an event. Changes that are told at once on an idle machine are told one after the other on a busy one, so there may
// be events with lower numbers before.
func (s *stream) wantEvent(usn, mediaUSN int64, empty bool) {
	s.t.Helper()
	for {
		c := s.event()
		s.replaced = s.replaced || c.Replaced
		if number(c.USN) == usn && number(c.MediaUSN) == mediaUSN && c.Empty == empty {
			return
		}
		if number(c.USN) >= usn && number(c.MediaUSN) >= mediaUSN {
			s.t.Fatalf("usn %d, media usn %d, empty: %v, want %d, %d, %v", number(c.USN), number(c.MediaUSN), c.Empty, usn, mediaUSN, empty)
		}
	}
}

// event waits for an event.
func (s *stream) event() (c change) {
	s.t.Helper()
	if line := s.next(); line != "event: changed" {
		s.t.Fatalf("%q", line)
	}
	data, ok := strings.CutPrefix(s.next(), "data: ")
	if err := json.Unmarshal([]byte(data), &c); !ok || err != nil {
		s.t.Fatalf("%q %v", data, err)
	}
	return c
}

func number(n *int64) int64 {
	if n == nil {
		return -1
	}
	return *n
}

// ended waits for the end of the stream.
func (s *stream) ended() {
	s.t.Helper()
	for {
		select {
		case line, ok := <-s.lines:
			if !ok {
				return
			}
			s.t.Errorf("before the end: %q", line)
		case <-time.After(20 * time.Second):
			s.t.Fatal("the stream does not end")
		}
	}
}

// sync makes a whole sync of nothing.
func (c *client) sync() {
	c.t.Helper()
	c.must("sync/start", []byte(startRequest))
	c.must("sync/applyChanges", []byte(noChanges))
	c.must("sync/applyChunk", []byte(lastChunk))
	c.must("sync/finish", []byte("{}"))
}

// syncTags syncs a tag.
func (c *client) syncTags() {
	c.t.Helper()
	c.must("sync/start", []byte(startRequest))
	c.must("sync/applyChanges", []byte(`{"changes":{"models":[],"decks":[[],[]],"tags":["t"]}}`))
	c.must("sync/finish", []byte("{}"))
}

func TestEvents(t *testing.T) {
	t.Parallel()
	s, a := newServer(t)
	b := login(t, a.url, "ada", password)
	eve := newClient(t, s, a.url, "eve")
	atA, atB, atEve := a.listen(), b.listen(), eve.listen()
	if n := s.Listeners(); n != 3 {
		t.Errorf("%d listeners", n)
	}
	a.put(file("x.txt", "1"))
	atB.want(0, 1)
	a.put(file("x.txt", "1")) // changes nothing
	a.sync()
	atB.wantEmpty(1, 1)
	b.put(file("y.txt", "1"))
	b.sync()
	atA.wantEmpty(2, 2) // what comes at once is told at once
	b.sync()
	b.syncTags()
	atA.want(4, 2)
	b.must("sync/upload", b.must("sync/download", []byte("{}"))) // which has counted once more
	m, err := wire.ParseMeta(b.must("sync/meta", []byte(metaRequest)))
	if err != nil {
		t.Fatal(err)
	}
	atA.want(5, 2)
	if m.USN != 5 || !atA.replaced {
		t.Errorf("after an upload: usn %d, told: %v", m.USN, atA.replaced)
	}
	a.put(file("z.txt", "1"))
	b.put(file("zz.txt", "1"))
	atA.want(5, 4)
	if n := number(atB.event().MediaUSN); n != 4 && n != 3 { // 3 if a's file was told of alone
		t.Errorf("media usn %d", n)
	}
	if status, _ := a.api("GET", "devices", nil); status != 200 {
		t.Error(status)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, l := range []*stream{atA, atB, atEve} { // nothing else was told
		l.ended()
	}
	if resp := do(t, "GET", a.url+"api/events", nil, map[string]string{"Authorization": "Bearer " + a.key}); resp.StatusCode != 503 {
		t.Errorf("while closing: %d", resp.StatusCode)
	}
}

// TestEventsNeedKey: who may listen.
func TestEventsNeedKey(t *testing.T) {
	t.Parallel()
	_, c := newServer(t)
	for header, want := range map[string]int{"": 401, "Bearer ": 401, "Bearer nope": 401, c.key: 401, "Basic " + c.key: 401} {
		if resp := do(t, "GET", c.url+"api/events", nil, map[string]string{"Authorization": header}); resp.StatusCode != want || resp.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("%.10q: %d", header, resp.StatusCode)
		}
	}
	for _, verb := range []string{"POST", "DELETE"} {
		if resp := do(t, verb, c.url+"api/events", nil, map[string]string{"Authorization": "Bearer " + c.key}); resp.StatusCode != 405 {
			t.Errorf("%s: %d", verb, resp.StatusCode)
		}
	}
}

// TestEventsEnd: a revoked device, a changed password, a removed or disabled account end the listening; the last two, which other
// processes may do, with the next heartbeat.
func TestEventsEnd(t *testing.T) {
	t.Parallel()
	s := &syncserver.Server{Limits: syncserver.Limits{Heartbeat: 50 * time.Millisecond}}
	url := serve(t, s)
	a := newClient(t, s, url, "ada")
	b := login(t, url, "ada", password)
	atA, atB := a.listen(), b.listen()
	for range 3 {
		<-atA.beats
		<-atB.beats
	}
	status, answer := a.api("GET", "devices", nil)
	devices, _ := answer["devices"].([]any)
	if status != 200 || len(devices) != 2 {
		t.Fatal(status, answer)
	}
	for _, d := range devices {
		if d := d.(map[string]any); d["current"] != true {
			if status, _ := a.api("DELETE", "devices/"+d["id"].(string), nil); status != 204 {
				t.Fatal(status)
			}
		}
	}
	atB.ended()
	b = login(t, url, "ada", password)
	atB = b.listen()
	if status, answer := a.api("POST", "password", map[string]string{"old": password, "new": "another horse"}); status != 204 {
		t.Fatal(status, answer)
	}
	atB.ended()
	<-atA.beats

	account, err := s.Accounts.ByName(t.Context(), "ada")
	if err != nil {
		t.Fatal(err)
	}
	account.Disabled = true
	if err := s.Accounts.Update(t.Context(), account); err != nil {
		t.Fatal(err)
	}
	atA.ended()

	eve := newClient(t, s, url, "eve")
	atEve := eve.listen()
	account, err = s.Accounts.ByName(t.Context(), "eve")
	if err == nil {
		err = s.Accounts.Remove(t.Context(), account.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	atEve.ended()
	if n := s.Listeners(); n != 0 {
		t.Errorf("%d listeners are left", n)
	}
}

// TestTooManyListeners: the oldest one of the same device makes room, else the oldest one.
func TestTooManyListeners(t *testing.T) {
	t.Parallel()
	s := &syncserver.Server{Limits: syncserver.Limits{Listeners: 3}}
	url := serve(t, s)
	a := newClient(t, s, url, "ada")
	b := login(t, url, "ada", password)
	first, second, third := a.listen(), b.listen(), b.listen()
	fourth := b.listen()
	second.ended()
	c := login(t, url, "ada", password)
	fifth := c.listen()
	first.ended()
	a.put(file("x.txt", "1"))
	for _, l := range []*stream{third, fourth, fifth} {
		l.want(0, 1)
	}
	if n := s.Listeners(); n != 3 {
		t.Errorf("%d listeners", n)
	}
}

// TestListenerGone: who has hung up is forgotten.
func TestListenerGone(t *testing.T) {
	t.Parallel()
	s := &syncserver.Server{Limits: syncserver.Limits{Heartbeat: 20 * time.Millisecond}}
	c := newClient(t, s, serve(t, s), "ada")
	l := c.listen()
	<-l.beats
	l.resp.Body.Close()
	waitFor(t, func() bool { return s.Listeners() == 0 })
}

// waitFor waits for something that happens soon.
func waitFor(t testing.TB, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !done(); {
		if time.Now().After(deadline) {
			t.Fatal("it does not happen")
		}
		<-time.After(5 * time.Millisecond)
	}
}

// TestEventsHTTP2: where the connection cannot be taken, the handler stays.
func TestEventsHTTP2(t *testing.T) {
	t.Parallel()
	s := &syncserver.Server{Limits: syncserver.Limits{Heartbeat: 20 * time.Millisecond}}
	url := serveHTTP2(t, s)
	a := newClient(t, s, url, "ada")
	b := login(t, url, "ada", password)
	atB := b.listen()
	if atB.resp.ProtoMajor != 2 {
		t.Fatalf("HTTP %d", atB.resp.ProtoMajor)
	}
	<-atB.beats
	a.put(file("x.txt", "1"))
	atB.want(0, 1)
	b.listen().resp.Body.Close()
	waitFor(t, func() bool { return s.Listeners() == 1 })
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
	atB.ended()
}
