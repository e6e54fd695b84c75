package gateway

import (
	"crypto/sha256"
	"time"

	"github.com/cardferry/cardferry/core/jsontext"
)

// A browser sends a request again by itself if a connection ends before there is an answer. Upstream servers do not know a second one, which
// does harm with some methods (remote.Once), so it ends here.

const (
	// onceTime is how long a request is known at least: longer than one waits for its answer (Options.Stall, by default).
	onceTime = 10 * time.Minute
	// onceMost is how many either half has at most.
	onceMost = 1 << 16
)

// recent are the requests that were forwarded not long ago, in two halves: the older one is forgotten as a whole.
type recent struct {
	now, before map[[16]byte]struct{}
	since       time.Time // now is from
}

// first reports whether a request is the first one with this header: it has the session's key and the request's number. Those of other
// clients have no number; they do not come twice, or nobody can tell.
func (g *Gateway) first(header string) bool {
	members, err := jsontext.ParseObject([]byte(header))
	if err != nil || jsontext.Get(members, "n") == nil {
		return true
	}
	sum := sha256.Sum256([]byte(header))
	id := [16]byte(sum[:16])
	g.mu.Lock()
	defer g.mu.Unlock()
	o := &g.once
	if time.Since(o.since) > onceTime || len(o.now) >= onceMost {
		o.now, o.before, o.since = map[[16]byte]struct{}{}, o.now, time.Now()
	}
	_, now := o.now[id]
	_, before := o.before[id]
	o.now[id] = struct{}{}
	return !now && !before
}
