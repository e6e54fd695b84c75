package syncserver_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/wire"
	"github.com/cardferry/cardferry/hostrunner/syncserver"
)

// sessionOf has a client go through a sync up to its end. With numbers it does what only our client does.
func sessionOf(c *client, session string, numbers bool) *client {
	c.t.Helper()
	o := c.other(session)
	o.must("sync/start", []byte(startRequest))
	header := o.header()
	if numbers {
		header = strings.TrimSuffix(header, "}") + `,"n":1}`
	}
	if got := do(c.t, "POST", c.url+"sync/applyChanges", wire.NewCodec().Compress(nil, []byte(noChanges)), map[string]string{"anki-sync": header}).StatusCode; got != 200 {
		c.t.Fatal(got)
	}
	return o
}

// TestLastWord: who asks again for the end of a session that has just ended gets the same answer, whatever other devices do meanwhile, and
// disturbs nobody. A client without numbers gets that of the reference server.
func TestLastWord(t *testing.T) {
	t.Parallel()
	now, changes := newClock(), 0
	s := &syncserver.Server{Now: now.now, Changed: func(syncserver.Change) { changes++ }}
	c := newClient(t, s, serve(t, s), "ada")
	eve := newClient(t, s, c.url, "eve")
	a := sessionOf(c, "a", true)
	a.want(200, "sync/sanityCheck2", counts)
	first := string(a.must("sync/finish", []byte("{}")))
	again := func(when string) {
		t.Helper()
		now.advance(time.Second)
		if status, got := a.call("sync/finish", []byte("{}")); status != 200 || string(got) != first {
			t.Errorf("%s: %d %s, want %s", when, status, got, first)
		}
	}
	again("at once")
	again("and again")
	a.want(409, "sync/chunk", "{}")
	a.want(409, "sync/sanityCheck2", counts) // that was not the last word
	a.want(425, "sync/start", startRequest)
	a.want(400, "sync/finish", "")
	c.other("b").want(409, "sync/finish", "{}")
	eve.other("a").want(409, "sync/finish", "{}")
	b := sessionOf(c, "b", true)
	again("while another device syncs")
	a.want(425, "sync/start", startRequest)
	b.must("sync/finish", []byte("{}"))
	if m, err := wire.ParseMeta(c.must("sync/meta", []byte(metaRequest))); err != nil || m.USN != 2 || changes != 2 {
		t.Errorf("usn %d, %d changes, want 2 of each: %v", m.USN, changes, err)
	}
	again("after another device has synced")
	c.must("sync/upload", fixture(t, "stock.anki2"))
	again("after another device has uploaded")
	for i := range 8 {
		sessionOf(c, fmt.Sprint("others", i), true).must("sync/finish", []byte("{}"))
	}
	a.want(409, "sync/finish", "{}")

	bad := `{"client":[[0,0,0],1,0,0,9,5,1,1]}`
	d := sessionOf(c, "d", true)
	first = string(d.must("sync/sanityCheck2", []byte(bad)))
	if got := string(d.must("sync/sanityCheck2", []byte(bad))); got != first || !strings.Contains(got, "bad") {
		t.Errorf("the second sanity check says %s, the first %s", got, first)
	}
	d.want(409, "sync/finish", "{}")
	now.advance(time.Hour)
	d.want(409, "sync/sanityCheck2", bad)

	e := sessionOf(c, "e", false)
	e.must("sync/finish", []byte("{}"))
	e.want(409, "sync/finish", "{}")
	e.want(200, "sync/start", startRequest)
}

// TestNoSessionKey: without a key there is no session that could be another's, as at the reference server.
func TestNoSessionKey(t *testing.T) {
	t.Parallel()
	s := &syncserver.Server{}
	c := newClient(t, s, serve(t, s), "ada")
	none := c.other("")
	for method, body := range map[string]string{
		"start": startRequest, "applyGraves": `{"chunk":{"cards":[],"notes":[],"decks":[]}}`, "applyChanges": noChanges, "chunk": "{}",
		"applyChunk": `{"chunk":{"done":true}}`, "sanityCheck2": counts, "finish": "{}",
	} {
		none.want(400, "sync/"+method, body)
	}
}
