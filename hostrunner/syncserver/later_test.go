package syncserver_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/coretest"
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

// TestLongLog: the write-ahead log of a collection that is open all the time stays as short as SQLite itself would keep it.
func TestLongLog(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := onDisk(t, dir)
	c := newClient(t, s, serve(t, s), "ada")
	longest := int64(0)
	for i := range 60 {
		id := 1000 + i
		c.must("sync/start", []byte(startRequest))
		c.must("sync/applyChanges", fmt.Appendf(nil, deckRequest, id, id, id))
		c.must("sync/applyChunk", fmt.Appendf(nil, `{"chunk":{"done":true,"revlog":[%s[%d,2,0,3,1,1,2500,1000,1]],"cards":[],"notes":[]}}`,
			reviews(i*3000, 2999), i*3000+2999))
		c.must("sync/finish", []byte("{}"))
		logs, err := filepath.Glob(filepath.Join(dir, "accounts", "*", "collection.anki2-wal"))
		coretest.Must(t, err)
		for _, log := range logs { // after the first of these syncs, a long one, the collection is closed, and its log is gone
			if info, err := os.Stat(log); err == nil {
				longest = max(longest, info.Size())
			}
		}
	}
	if longest < 4_000_000 || longest > 5_000_000 {
		t.Errorf("the log got %d bytes long", longest)
	}
}

func reviews(first, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "[%d,2,0,3,1,1,2500,1000,1],", first+i)
	}
	return b.String()
}
