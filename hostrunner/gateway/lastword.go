package gateway

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/cardferry/cardferry/core/jsontext"
)

// A finish that comes again, since its answer was lost on the way, would be told by the upstream that another device has taken the session over,
// though all went well. So its answer is kept for a while, as syncserver does, for clients that number their requests.

const (
	// lastWords is how many are kept.
	lastWords = 256
	// finishBytes is how long a request or an answer may be. Both are a few bytes, unless a proxy shows a page of its own.
	finishBytes = 16 << 10
)

// lastWord is the answer to a finish, as its ResponseWriter.
type lastWord struct {
	id    [16]byte
	since time.Time
	known chan struct{} // closed when it is

	header http.Header
	status int
	body   bytes.Buffer
	whole  bool
	cut    bool // the body was longer: a page for people, which no client reads
}

func (l *lastWord) Header() http.Header { return l.header }

func (l *lastWord) WriteHeader(status int) { l.status = status }

func (l *lastWord) Write(p []byte) (int, error) {
	if room := finishBytes - l.body.Len(); len(p) > room {
		l.cut = true
		l.header.Del("Content-Length")
		l.body.Write(p[:room])
		return len(p), nil
	}
	return l.body.Write(p)
}

// finish forwards a request that ends a session, unless it was forwarded before.
func (g *Gateway) finish(w http.ResponseWriter, r *http.Request, to target, method string) {
	body, err := io.ReadAll(io.LimitReader(r.Body, finishBytes+1))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if len(body) > finishBytes {
		g.refuse(w, to, http.StatusRequestEntityTooLarge, "the body is too large", nil)
		return
	}
	word, first := g.lastWord(to, r.Header.Get(syncHeader))
	if first {
		// To its end also if the client hangs up, who may ask again.
		r := r.Clone(context.WithoutCancel(r.Context()))
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		g.hear(word, r, to, method)
	}
	select {
	case <-word.known:
	case <-r.Context().Done():
		panic(http.ErrAbortHandler)
	}
	if !word.whole {
		panic(http.ErrAbortHandler)
	}
	maps.Copy(w.Header(), word.header)
	w.WriteHeader(word.status)
	_, _ = w.Write(word.body.Bytes())
}

// lastWord returns where the answer to the end of a session is, or will be; first says that nobody has asked for it yet.
func (g *Gateway) lastWord(to target, header string) (word *lastWord, first bool) {
	id := sum(to.base.String(), header)
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, w := range g.ended {
		if w.id == id && time.Since(w.since) < onceTime {
			return w, false
		}
	}
	if len(g.ended) == lastWords {
		g.ended = g.ended[1:]
	}
	word = &lastWord{id: id, since: time.Now(), known: make(chan struct{}), header: http.Header{}}
	g.ended = append(g.ended, word)
	return word, true
}

// hear asks the upstream. What says nothing of the session's end is not kept.
func (g *Gateway) hear(word *lastWord, r *http.Request, to target, method string) {
	defer func() {
		if !word.whole || word.cut || word.status != http.StatusOK {
			g.mu.Lock()
			g.ended = slices.DeleteFunc(g.ended, func(w *lastWord) bool { return w == word })
			g.mu.Unlock()
		}
		close(word.known)
		if p := recover(); p != nil && p != http.ErrAbortHandler {
			panic(p)
		}
	}()
	g.forward(word, r, to, method)
	word.whole = true
}

// numbers reports whether a request belongs to a session whose requests have numbers.
func (g *Gateway) numbers(header string) bool {
	members, err := jsontext.ParseObject([]byte(header))
	if err != nil {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.once.knows(sessionOf(members))
}
