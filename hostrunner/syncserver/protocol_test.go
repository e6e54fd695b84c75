package syncserver_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/wire"
	"github.com/cardferry/cardferry/hostrunner/syncserver"
)

const (
	metaRequest  = `{"v":11,"cv":"test"}`
	startRequest = `{"minUsn":0,"lnewer":false,"graves":null}`
	noChanges    = `{"changes":{"models":[],"decks":[[],[]],"tags":[]}}`
	noGraves     = `{"chunk":{"cards":[],"decks":[],"notes":[]}}`
	lastChunk    = `{"chunk":{"done":true}}`
	counts       = `{"client":[[0,0,0],0,0,0,0,5,1,1]}` // of a new collection
)

// stateful are the requests that need a session.
var stateful = [][2]string{
	{"sync/applyGraves", noGraves}, {"sync/applyChanges", noChanges}, {"sync/chunk", "{}"}, {"sync/applyChunk", lastChunk},
	{"sync/sanityCheck2", counts}, {"sync/finish", "{}"},
}

func newServer(t *testing.T) (*syncserver.Server, *client) {
	t.Helper()
	s := &syncserver.Server{}
	url := serve(t, s)
	return s, newClient(t, s, url, "ada")
}

// TestPaths has what the real server answers to paths and verbs (tools/probes/http_framing.py).
func TestPaths(t *testing.T) {
	t.Parallel()
	_, c := newServer(t)
	good := wire.NewCodec().Compress(nil, []byte(metaRequest))
	header := map[string]string{"anki-sync": c.header()}
	for path, want := range map[string]int{
		"sync/nope": 400, "sync/Meta": 400, "sync/sanityCheck": 400, "sync/meta/": 404, "sync/": 404, "sync": 404, "nope": 404, "": 404,
		"/sync/meta": 404, "sync/meta?x=1": 200, "msync/nope": 400, "msync/": 404, "api/": 404, "api": 404, "sync/../sync/meta": 404,
	} {
		resp := do(t, "POST", c.url+path, good, header)
		if resp.StatusCode != want || want == 404 && !strings.HasPrefix(path, "api/") && len(resp.body) > 0 || resp.ContentLength != int64(len(resp.body)) {
			t.Errorf("POST %s: %d %q of %d bytes, want %d", path, resp.StatusCode, resp.body, resp.ContentLength, want)
		}
	}
	for _, verb := range []string{"GET", "PUT", "HEAD", "OPTIONS", "DELETE"} {
		if resp := do(t, verb, c.url+"sync/meta", nil, header); resp.StatusCode != 405 || resp.Header.Get("Allow") != "POST" || len(resp.body) > 0 {
			t.Errorf("%s: %d %v", verb, resp.StatusCode, resp.Header)
		}
	}
	if resp := do(t, "GET", c.url+"health", nil, nil); resp.StatusCode != 200 || len(resp.body) > 0 {
		t.Errorf("health: %d %q", resp.StatusCode, resp.body)
	}
	if resp := do(t, "POST", c.url+"health", nil, nil); resp.StatusCode != 405 {
		t.Errorf("POST health: %d", resp.StatusCode)
	}
}

// TestHeader has what the real server answers to headers; but for older versions, which we tell that they are.
func TestHeader(t *testing.T) {
	t.Parallel()
	_, c := newServer(t)
	good := wire.NewCodec().Compress(nil, []byte(metaRequest))
	for _, h := range []struct {
		text   string
		status int
	}{
		{c.header(), 200}, {`{"v":11,"k":"KEY","c":"\u00fc","s":"","zz":[1]}`, 200},
		{"", 400}, {"xx", 400}, {"{}", 400}, {`{"v":11,"k":"KEY","c":"x"}`, 400}, {`{"v":11,"c":"x","s":"x"}`, 400}, {`{"v":11,"k":"KEY","s":"x"}`, 400},
		{`{"k":"KEY","c":"x","s":"x"}`, 400}, {`{"v":"11","k":"KEY","c":"x","s":"x"}`, 400}, {`{"v":11,"k":"KEY","c":"x","s":null}`, 400},
		{`{"v":11,"k":"KEY","c":"ü","s":"x"}`, 400}, {`{"v":0,"k":"KEY","c":"x","s":"x"}`, 400}, {`{"v":7,"k":"KEY","c":"x","s":"x"}`, 400},
		{`{"v":12,"k":"KEY","c":"x","s":"x"}`, 400}, {`{"v":8,"k":"KEY","c":"x","s":"x"}`, 501}, {`{"v":10,"k":"KEY","c":"x","s":"x"}`, 501},
		{`{"v":11,"k":"forged","c":"x","s":"x"}`, 403}, {`{"v":11,"k":"","c":"x","s":"x"}`, 403},
		{`{"v":11,"k":"KEY","c":"` + strings.Repeat("x", 5000) + `","s":"x"}`, 400},
	} {
		resp := do(t, "POST", c.url+"sync/meta", good, map[string]string{"anki-sync": strings.Replace(h.text, "KEY", c.key, 1)})
		if resp.StatusCode != h.status {
			t.Errorf("%.80s: %d, want %d", h.text, resp.StatusCode, h.status)
		}
	}
	if resp := do(t, "POST", c.url+"sync/meta", []byte("--x"), map[string]string{"Content-Type": "multipart/form-data; boundary=x"}); resp.StatusCode != 501 {
		t.Errorf("a client of version 10: %d", resp.StatusCode)
	}
	if resp := do(t, "POST", c.url+"sync/meta", []byte("junk"), map[string]string{"anki-sync": `{"v":11,"k":"forged","c":"x","s":"x"}`}); resp.StatusCode != 403 {
		t.Errorf("a forged key with a broken body: %d", resp.StatusCode) // the reference reads the body first: 400
	}
}

// TestBodies has what the real server answers to bodies.
func TestBodies(t *testing.T) {
	t.Parallel()
	_, c := newServer(t)
	zstd := func(text string) []byte { return wire.NewCodec().Compress(nil, []byte(text)) }
	good := zstd(metaRequest)
	for name, b := range map[string]struct {
		body   []byte
		status int
	}{
		"good": {good, 200}, "junk": {[]byte("\x01\x02\x03"), 400}, "none": {nil, 400}, "cut off": {good[:len(good)-3], 400},
		"not JSON": {zstd("{"), 400}, "a second frame": {append(bytes.Clone(good), zstd("garbage")...), 200},
		"JSON in two frames": {append(zstd(`{"v":11,`), zstd(`"cv":"x"}`)...), 400}, "garbage behind": {append(bytes.Clone(good), "junk"...), 200},
	} {
		if status, _ := c.raw("sync/meta", b.body); status != b.status {
			t.Errorf("%s: %d, want %d", name, status, b.status)
		}
	}
}

func TestMeta(t *testing.T) {
	t.Parallel()
	now := newClock()
	s := &syncserver.Server{Now: now.now, Limits: syncserver.Limits{Slice: 1234}}
	c := newClient(t, s, serve(t, s), "ada")
	m, err := wire.ParseMeta(c.must("sync/meta", []byte(metaRequest)))
	want := wire.Meta{Scm: now.now().UnixMilli(), TS: now.now().Unix(), Cont: true, Empty: true, Slice: 1234, KeepsBackup: true, Events: true}
	if err != nil || m != want {
		t.Fatalf("%+v, %v; want %+v", m, err, want)
	}
	for v, want := range map[int]int{0: 501, 7: 501, 8: 200, 9: 200, 10: 200, 11: 200, 12: 501} {
		c.want(want, "sync/meta", fmt.Sprintf(`{"v":%d,"cv":"x"}`, v))
	}
	for v, cont := range map[int]bool{8: false, 9: true, 10: true} { // a new collection uses the second scheduler
		m, err := wire.ParseMeta(c.must("sync/meta", fmt.Appendf(nil, `{"v":%d,"cv":"x"}`, v)))
		if err != nil || m.Cont != cont || (m.Msg == "") != cont {
			t.Errorf("version %d: %+v %v", v, m, err)
		}
	}
	for _, bad := range []string{`{"v":11}`, `{"cv":"x"}`, `{"v":"11","cv":"x"}`, ``} {
		c.want(400, "sync/meta", bad)
	}
}

// TestSessions has the rules of §17, as the real server was seen to follow them; but an abort of another device's session does
// nothing.
func TestSessions(t *testing.T) {
	t.Parallel()
	_, a := newServer(t)
	b := a.other("two")
	for _, r := range stateful {
		a.want(409, r[0], r[1])
	}
	a.must("sync/start", []byte(startRequest))
	for _, r := range stateful[:4] {
		b.want(409, r[0], r[1])
		a.want(200, r[0], r[1])
		a.other("").want(400, r[0], r[1])
		a.want(400, r[0], `{"chunk":5}`[:6]) // does not parse: the session stays
	}
	b.must("sync/start", []byte(startRequest)) // supersedes
	a.want(409, "sync/chunk", "{}")
	b.want(200, "sync/chunk", "{}")
	a.other("").want(400, "sync/start", startRequest)

	for _, c := range []struct {
		name string
		end  func()
		left int
	}{
		{"abort of another", func() { a.must("sync/abort", []byte("{}")) }, 200},
		{"abort without a key", func() { a.other("").must("sync/abort", []byte("{}")) }, 200},
		{"own abort", func() { b.must("sync/abort", []byte("{}")); b.must("sync/abort", []byte("[]")) }, 409},
		{"meta", func() { a.must("sync/meta", []byte(metaRequest)) }, 409},
		{"meta that does not parse", func() { a.want(400, "sync/meta", "{}") }, 200},
		{"meta of a wrong version", func() { a.want(501, "sync/meta", `{"v":12,"cv":""}`) }, 409},
		{"login", func() { login(t, a.url, "ada", password) }, 200},
		{"download", func() { a.must("sync/download", []byte("{}")) }, 409},
		{"upload of junk", func() { a.must("sync/upload", []byte("xx")) }, 409},
		{"an upload that is cut off", func() { a.raw("sync/upload", []byte("xx")) }, 200},
		{"an error", func() {
			b.want(400, "sync/applyChanges", `{"changes":{"models":[{}],"decks":[[],[]],"tags":[]}}`)
		}, 409},
		{"a note without a notetype", func() {
			b.want(400, "sync/applyChunk", `{"chunk":{"done":true,"notes":[[1,"g",5,1,0,"","a","","",0,""]]}}`)
		}, 409},
		{"a bad sanity check", func() {
			r, err := wire.ParseSanity(b.must("sync/sanityCheck2", []byte(`{"client":[[0,0,0],1,0,0,9,5,1,1]}`)))
			if err != nil || r.OK || r.Client.Graves != 0 || r.Client.Cards != 1 || r.Server.Notetypes != 5 {
				t.Errorf("%+v %v", r, err)
			}
		}, 409},
	} {
		b.must("sync/start", []byte(startRequest))
		c.end()
		if status, _ := b.call("sync/chunk", []byte("{}")); status != c.left {
			t.Errorf("after %s: %d, want %d", c.name, status, c.left)
		}
	}
}

// TestEmptySync goes through a whole sync of nothing.
func TestEmptySync(t *testing.T) {
	t.Parallel()
	now := newClock()
	var changes []syncserver.Change
	s := &syncserver.Server{Now: now.now, Changed: func(c syncserver.Change) { changes = append(changes, c) }}
	c := newClient(t, s, serve(t, s), "ada")
	for round := range int64(2) {
		if got := c.must("sync/start", []byte(startRequest)); string(got) != `{"cards":[],"decks":[],"notes":[]}` {
			t.Fatalf("start: %s", got)
		}
		if got := c.must("sync/applyGraves", []byte(noGraves)); string(got) != "null" {
			t.Fatalf("applyGraves: %s", got)
		}
		if got, err := wire.ParseChanges(c.must("sync/applyChanges", []byte(noChanges))); err != nil || len(got.Notetypes) != 5 || len(got.Decks) != 1 || got.Config == nil {
			t.Fatalf("applyChanges: %d notetypes, %v", len(got.Notetypes), err)
		}
		if got := c.must("sync/chunk", []byte("{}")); string(got) != `{"done":true}` {
			t.Fatalf("chunk: %s", got)
		}
		if got := c.must("sync/applyChunk", []byte(lastChunk)); string(got) != "null" {
			t.Fatalf("applyChunk: %s", got)
		}
		if r, err := wire.ParseSanity(c.must("sync/sanityCheck2", []byte(counts))); err != nil || !r.OK {
			t.Fatalf("sanityCheck2: %+v, %v", r, err)
		}
		ms, err := wire.ParseFinish(c.must("sync/finish", []byte("{}")))
		if want := now.now().UnixMilli() + round; err != nil || ms != want { // the clock stands still, the second time differs
			t.Fatalf("finish: %d, want %d: %v", ms, want, err)
		}
		c.want(409, "sync/chunk", "{}")
		m, err := wire.ParseMeta(c.must("sync/meta", []byte(metaRequest)))
		if err != nil || m.USN != int32(round+1) || m.Mod != ms {
			t.Fatalf("meta: %+v, %v", m, err)
		}
	}
	if len(changes) != 2 || changes[1].USN != 2 || !changes[1].Empty || changes[1].MediaUSN != -1 {
		t.Errorf("changes: %+v", changes)
	}
}

// A device that has seen a later state than there is, since an older copy of the data was put in place: what it had sent since is on no other
// device, and would not be asked for. It must not be told that all is well.
func TestOlderCopyInPlace(t *testing.T) {
	t.Parallel()
	_, c := newServer(t)
	for _, d := range []struct {
		usn, finish int
	}{{5, 409}, {1, 409}, {0, 200}, {1, 200}, {-1, 200}} { // the server's is 0, and one more after each sync
		c.must("sync/start", fmt.Appendf(nil, `{"minUsn":%d,"lnewer":false,"graves":null}`, d.usn))
		c.must("sync/applyChanges", []byte(noChanges))
		r, err := wire.ParseSanity(c.must("sync/sanityCheck2", []byte(counts)))
		if err != nil || r.OK != (d.finish == 200) || r.Server == nil || r.Server.Notetypes != 5 {
			t.Errorf("usn %d: %+v %v", d.usn, r, err)
		}
		c.want(d.finish, "sync/finish", "{}")
	}
}

// TestRolledBack: what a session did is gone if it does not end with finish.
func TestRolledBack(t *testing.T) {
	t.Parallel()
	now := newClock()
	s := &syncserver.Server{Now: now.now}
	c := newClient(t, s, serve(t, s), "ada")
	rename := `{"changes":{"models":[],"decks":[[{"id":5,"mod":9,"name":"mine","usn":0,"lrnToday":[0,0],"revToday":[0,0],"newToday":[0,0],"timeToday":[0,0],"collapsed":false,"dyn":0,"conf":1}],[]],"tags":["t"]}}`
	decks := func() int {
		c.must("sync/start", []byte(startRequest))
		got, err := wire.ParseChanges(c.must("sync/applyChanges", []byte(noChanges)))
		if err != nil {
			t.Fatal(err)
		}
		c.must("sync/abort", []byte("{}"))
		return len(got.Decks)
	}
	for name, end := range map[string]func(){
		"abort": func() { c.must("sync/abort", []byte("{}")) },
		"meta":  func() { c.must("sync/meta", []byte(metaRequest)) },
		"error": func() { c.want(400, "sync/applyChanges", `{"changes":{"models":[{}],"decks":[[],[]],"tags":[]}}`) },
		"expiry": func() {
			now.advance(time.Hour)
			c.want(409, "sync/finish", "{}")
		},
		"sweep": func() {
			now.advance(10 * time.Minute) // idle, but a session waits longer
			if n := s.Sweep(now.now()); n != 1 {
				t.Errorf("%d accounts are open", n)
			}
			now.advance(10 * time.Minute)
			if n := s.Sweep(now.now()); n != 0 {
				t.Errorf("%d accounts are open", n)
			}
			c.want(409, "sync/finish", "{}")
		},
	} {
		c.must("sync/start", []byte(startRequest))
		c.must("sync/applyChanges", []byte(rename))
		end()
		if n := decks(); n != 1 {
			t.Errorf("%s: %d decks", name, n)
		}
	}
	c.must("sync/start", []byte(startRequest))
	c.must("sync/applyChanges", []byte(rename))
	c.must("sync/finish", []byte("{}"))
	if n := decks(); n != 2 {
		t.Errorf("finish: %d decks", n)
	}
}

// TestAccountsAreApart: with every method, a key reaches its own account only.
func TestAccountsAreApart(t *testing.T) {
	t.Parallel()
	s, ada := newServer(t)
	eve := newClient(t, s, ada.url, "eve")
	ada.must("sync/upload", fixture(t, "stock.anki2"))
	before := ada.must("sync/meta", []byte(metaRequest))
	ada.must("sync/start", []byte(startRequest))
	for _, r := range stateful { // ada's session key, but another account
		eve.want(409, r[0], r[1])
	}
	eve.must("sync/abort", []byte("{}"))
	eve.must("sync/meta", []byte(metaRequest))
	eve.must("sync/upload", fixture(t, "empty.anki2"))
	if m, err := wire.ParseMeta(eve.must("sync/meta", []byte(metaRequest))); err != nil || !m.Empty {
		t.Errorf("another user's collection: %+v, %v", m, err)
	}
	ada.want(200, "sync/chunk", "{}")
	var a, b map[string]any
	if err := json.Unmarshal(before, &a); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(ada.must("sync/meta", []byte(metaRequest)), &b); err != nil {
		t.Fatal(err)
	}
	if a["mod"] != b["mod"] || a["usn"] != b["usn"] || a["scm"] != b["scm"] {
		t.Errorf("before %v, after %v", a, b)
	}
}

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("../../core/collection/testdata/collections/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestClosing: a server that is being stopped says so.
func TestClosing(t *testing.T) {
	t.Parallel()
	s, c := newServer(t)
	c.must("sync/start", []byte(startRequest))
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	resp := do(t, "POST", c.url+"sync/meta", nil, map[string]string{"anki-sync": c.header()})
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
		t.Error(resp.StatusCode, resp.Header)
	}
}

// TestTwice: a request with a number, which its client sends once, is not answered a second time, and the session goes on.
func TestTwice(t *testing.T) {
	t.Parallel()
	_, c := newServer(t)
	c.must("sync/start", []byte(startRequest))
	for i, r := range []struct{ number, status int }{
		{1, 200}, {2, 200}, {1, 425}, {2, 425}, {5, 200}, {4, 200}, {3, 200}, {4, 425}, {60, 200}, {6, 200}, {61, 200}, {60, 425}, {5, 425}, {1, 425},
		{1000, 200}, {60, 425}, {999, 200}, {0, 200}, {0, 200}, {-1, 200},
	} {
		header := strings.TrimSuffix(c.header(), "}") + fmt.Sprintf(`,"n":%d}`, r.number)
		if got := do(t, "POST", c.url+"sync/chunk", wire.NewCodec().Compress(nil, []byte("{}")), map[string]string{"anki-sync": header}).StatusCode; got != r.status {
			t.Errorf("%d: number %d: %d, want %d", i, r.number, got, r.status)
		}
	}
	c.must("sync/finish", []byte("{}"))
}

// TestLateStart: a copy of start that comes when its session has gone on does not drop what was sent in it, if the client numbers its requests.
func TestLateStart(t *testing.T) {
	t.Parallel()
	for number, status := range map[int]int{0: 200, 1: 425} {
		_, c := newServer(t)
		c.must("sync/start", []byte(startRequest))
		c.must("sync/start", []byte(startRequest)) // sent again, as no answer came
		header := c.header()
		if number > 0 {
			header = fmt.Sprintf(`%s,"n":%d}`, strings.TrimSuffix(header, "}"), number)
		}
		body := wire.NewCodec().Compress(nil, []byte(`{"changes":{"models":[],"decks":[[],[]],"tags":["sent"]}}`))
		if got := do(t, "POST", c.url+"sync/applyChanges", body, map[string]string{"anki-sync": header}).StatusCode; got != 200 {
			t.Fatal(got)
		}
		c.want(status, "sync/start", startRequest)
		c.must("sync/finish", []byte("{}"))
		next := c.other("next")
		next.must("sync/start", []byte(startRequest))
		got := string(next.must("sync/applyChanges", []byte(`{"changes":{"models":[],"decks":[[],[]],"tags":[]}}`)))
		if kept := strings.Contains(got, `"sent"`); kept != (number > 0) {
			t.Errorf("number %d: then the server has %s", number, got)
		}
	}
}
