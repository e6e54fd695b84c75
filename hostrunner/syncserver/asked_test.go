package syncserver_test

import (
	"testing"

	"github.com/cardferry/cardferry/hostrunner/syncserver"
)

// TestReplacedAfterMeta: a client that was told of a collection by meta does not begin to merge with the one that another device has
// put in its place meanwhile. The simulator has found it (seed 200019).
func TestReplacedAfterMeta(t *testing.T) {
	t.Parallel()
	s := &syncserver.Server{}
	a := newClient(t, s, serve(t, s), "ada")
	b := a.other("two")
	a.must("sync/meta", []byte(metaRequest))
	b.must("sync/meta", []byte(metaRequest))
	b.must("sync/upload", changed(t, "stock.anki2", "UPDATE col SET scm = scm + 1"))
	a.want(409, "sync/start", startRequest)
	b.must("sync/start", []byte(startRequest)) // it knows what it has sent
	a.must("sync/meta", []byte(metaRequest))
	a.must("sync/start", []byte(startRequest))
	b.other("never asked").must("sync/start", []byte(startRequest))
}
