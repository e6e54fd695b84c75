package syncserver_test

import (
	"fmt"
	"testing"

	"github.com/cardferry/cardferry/core/wire"
	"github.com/cardferry/cardferry/hostrunner/syncserver"
)

// badSlice is a slice that is not the last, with a note of a notetype that there is not.
const badSlice = `{"chunk":{"done":false,"revlog":[],"cards":[],"notes":[[5,"guid",4711,9,0,"","a\u001fb","","",0,""]]}}`

// TestFailsLater: what cannot be stored was acknowledged, and is what the next request is told, whatever it asks for; the session is over,
// and nothing of it stays.
func TestFailsLater(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, s *syncserver.Server) {
		c := newClient(t, s, serve(t, s), "ada")
		for _, r := range stateful {
			c.must("sync/start", []byte(startRequest))
			c.must("sync/applyChanges", fmt.Appendf(nil, deckRequest, 1234, 1234, 1234))
			c.must("sync/applyChunk", []byte(badSlice))
			if status, _ := c.call(r[0], []byte(r[1])); status != 400 && status != 500 {
				t.Errorf("%s after a slice that cannot be stored: %d", r[0], status)
			}
			c.want(409, r[0], r[1])
		}
		for _, next := range [][2]string{{"sync/meta", metaRequest}, {"sync/abort", "{}"}, {"sync/start", startRequest}, {"sync/download", "{}"}} {
			c.must("sync/start", []byte(startRequest))
			c.must("sync/applyChunk", []byte(badSlice))
			c.must(next[0], []byte(next[1])) // ends the session anyway
		}
		c.must("sync/start", []byte(startRequest))
		got, err := wire.ParseChanges(c.must("sync/applyChanges", []byte(noChanges)))
		if err != nil || len(got.Decks) != 1 {
			t.Errorf("%d decks, %v", len(got.Decks), err)
		}
		// A usn that only a client may have is refused at once.
		c.want(400, "sync/applyChunk", `{"chunk":{"done":false,"revlog":[[1,2,-1,3,1,1,2500,1000,1]],"cards":[],"notes":[]}}`)
		c.must("sync/abort", []byte("{}"))
	})
}

// TestEndsMeanwhile: a server that is stopped, and an account that is closed, wait for what a request has left to do.
func TestEndsMeanwhile(t *testing.T) {
	t.Parallel()
	s := onDisk(t, t.TempDir())
	c := newClient(t, s, serve(t, s), "ada")
	for i := range 20 {
		c.must("sync/start", []byte(startRequest))
		c.must("sync/applyChunk", fmt.Appendf(nil, `{"chunk":{"done":false,"revlog":[[%d,2,0,3,1,1,2500,1000,1]],"cards":[],"notes":[]}}`, i+1))
		s.Sweep(s.Now().Add(s.Limits.Session))
		c.must("sync/meta", []byte(metaRequest))
	}
}
