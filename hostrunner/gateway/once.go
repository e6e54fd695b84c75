package gateway

import (
	"crypto/sha256"
	"strings"
	"time"

	"github.com/cardferry/cardferry/core/jsontext"
	"github.com/cardferry/cardferry/core/remote"
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
// clients have no number; they do not come twice, or nobody can tell. A start is not if there was one with a number in its session: it would
// drop what the client has sent since.
func (g *Gateway) first(method, header string) bool {
	if method != "start" && !remote.Once(method) {
		return true
	}
	members, err := jsontext.ParseObject([]byte(header))
	numbered := jsontext.Get(members, "n") != nil
	if err != nil || numbered == (method == "start") {
		return true
	}
	session := sessionOf(members)
	g.mu.Lock()
	defer g.mu.Unlock()
	o := &g.once
	if method == "start" {
		return !o.knows(session)
	}
	if time.Since(o.since) > onceTime || len(o.now) >= onceMost {
		o.now, o.before, o.since = map[[16]byte]struct{}{}, o.now, time.Now()
	}
	id := sum(header)
	known := o.knows(id)
	o.now[id], o.now[session] = struct{}{}, struct{}{}
	return !known
}

// sessionOf is a client's session, by the members of its header.
func sessionOf(members []jsontext.Member) [16]byte {
	return sum(string(jsontext.Get(members, "k")), string(jsontext.Get(members, "s")))
}

func (o *recent) knows(id [16]byte) bool {
	_, now := o.now[id]
	_, before := o.before[id]
	return now || before
}

func sum(parts ...string) [16]byte {
	h := sha256.Sum256([]byte(strings.Join(parts, "\n")))
	return [16]byte(h[:16])
}
