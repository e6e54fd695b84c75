package syncserver

import (
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cardferry/cardferry/core/wire"
)

// tools are what a message is read and answered with: a codec, and the memory of the body and of what was in it, which is used again.
type tools struct {
	*wire.Codec
	body, payload []byte
}

// kept is how long memory may be that is used again.
const kept = 1 << 20

// toolbox has the tools of messages; files have encoders of their own.
var toolbox = sync.Pool{New: func() any { return &tools{Codec: wire.NewCodec()} }}

// giveBack gives tools back.
func (t *tools) giveBack() {
	if cap(t.body) > kept {
		t.body = nil
	}
	if cap(t.payload) > kept {
		t.payload = nil
	}
	toolbox.Put(t)
}

// chunks are slices of rows, whose memory is used again.
var chunks = sync.Pool{New: func() any { return new(wire.Chunk) }}

// bodyReader reads a request's body and cuts slow clients off.
type bodyReader struct {
	r       io.Reader
	control *http.ResponseController
	stall   time.Duration
	timer   *timer // nil: HTTP/1.1
	begun   time.Time
	read    int64

	waiting atomic.Int64 // since when for the client, in ns; 0: it is not

	mu          sync.Mutex // of the deadline
	ended       bool       // everything was read
	limited     time.Time  // the one that was set last
	interrupted bool
	left        bool
}

// interrupt ends the reading. It may be called at any time, also after the request, of which net/http knows nothing any more. Once everything
// was read there is nothing to end: the deadline would be one of the server's own watch for the client hanging up, and the connection's next
// request would count as given up by its client.
func (b *bodyReader) interrupt() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.left || b.ended {
		return
	}
	b.interrupted = true
	_ = b.control.SetReadDeadline(time.Unix(1, 0))
}

// Read reads. Errors: errStalled, *http.MaxBytesError, those of the connection.
func (b *bodyReader) Read(p []byte) (int, error) {
	now := time.Now()
	if !b.extend(now) {
		return 0, errStalled
	}
	b.waiting.Store(now.UnixNano())
	n, err := b.r.Read(p)
	b.waiting.Store(0)
	b.timer.stop()
	b.read += int64(n)
	switch {
	case err == nil:
	case err == io.EOF:
		b.end()
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = errStalled
	default:
		if _, ok := errors.AsType[*http.MaxBytesError](err); !ok {
			err = errHungUp
		}
	}
	return n, err
}

// end is called when everything was read. Nothing more will come: the server's own watch for the client hanging up must not time out.
func (b *bodyReader) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
	if b.timer == nil {
		_ = b.control.SetReadDeadline(time.Time{})
	}
}

// spoiled reports whether the connection is of no more use: it was interrupted just when the last of the body came, perhaps after the server had
// begun to watch it.
func (b *bodyReader) spoiled() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.timer == nil && b.interrupted
}

// leave sets the deadline for what the server itself reads of a body that nobody has read to its end. It waits for it before it
// looks for another request. Nobody reads any more.
func (b *bodyReader) leave() {
	b.mu.Lock()
	ended := b.ended
	b.mu.Unlock()
	if !ended && b.timer == nil {
		b.extend(time.Now())
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left = true
}

// extend gives the client time for its next bytes: the stall time, but no more than a minimum rate allows on the whole. The
// deadline is set once a second at most, since that is a system call. It reports whether reading may go on.
func (b *bodyReader) extend(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.interrupted {
		return false
	}
	until := now.Add(b.stall)
	if slowest := b.begun.Add(b.stall + time.Duration(b.read/minRate)*time.Second); slowest.Before(until) {
		until = slowest
	}
	if b.timer != nil {
		b.timer.start(until.Sub(now), b.interrupt)
		return true
	}
	if until.Sub(b.limited) >= time.Second || until.Before(b.limited) {
		_ = b.control.SetReadDeadline(until) // a test's recorder has none
		b.limited = until
	}
	return true
}

// timer ends what waits for the client of a stream of HTTP/2. The server's deadlines would do so as well while nobody reads or writes, as those
// of HTTP/1.1 do not. A nil timer does nothing.
type timer struct{ *time.Timer }

// timerOf returns the timer of a request, nil if it needs none.
func timerOf(r *http.Request) *timer {
	if r.ProtoMajor < 2 {
		return nil
	}
	return &timer{}
}

// start has end called after some time, which is always the same function. Who started it last stops it.
func (t *timer) start(after time.Duration, end func()) {
	if t.Timer == nil {
		t.Timer = time.AfterFunc(after, end)
	} else {
		t.Reset(after)
	}
}

func (t *timer) stop() {
	if t != nil && t.Timer != nil {
		t.Stop()
	}
}

// responseWriter writes an answer, cuts off clients that do not take it, and counts.
type responseWriter struct {
	http.ResponseWriter
	control *http.ResponseController // of the ResponseWriter
	stall   time.Duration
	timer   *timer // nil: HTTP/1.1
	stalled atomic.Bool
	status  int
	written int64
	limited time.Time
	begun   bool // there is something to be sent

	mu      sync.Mutex // of what follows
	settled bool
}

// Unwrap serves http.ResponseController.
func (w *responseWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader sets the status.
func (w *responseWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.begun = true
	w.ResponseWriter.WriteHeader(status)
}

// leastPiece is how much is written at once, however soon a client is cut off.
const leastPiece = 16 << 10

// Write sends a part of the body, in pieces: a deadline is that of a whole write, and a client at the minimum rate must be able to take a piece
// before it.
func (w *responseWriter) Write(p []byte) (n int, err error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	w.begun = true
	most := max(int(w.stall/time.Second)*minRate, leastPiece)
	for {
		piece, k := p[n:min(n+most, len(p))], 0
		err = w.within(w.stall, func() error {
			k, err = w.ResponseWriter.Write(piece)
			return err
		})
		n += k
		w.written += int64(k)
		if err != nil || n == len(p) {
			return n, err
		}
	}
}

// FlushError serves http.ResponseController.
func (w *responseWriter) FlushError() error { return w.within(w.stall, w.control.Flush) }

// within has the client take what is written within a time, or cuts it off: errStalled.
func (w *responseWriter) within(limit time.Duration, write func() error) error {
	if w.timer != nil {
		w.timer.start(limit, w.cut)
		defer w.timer.stop()
	} else if until := time.Now().Add(limit); until.Sub(w.limited) >= time.Second {
		_ = w.control.SetWriteDeadline(until)
		w.limited = until
	}
	err := write()
	if errors.Is(err, os.ErrDeadlineExceeded) || err != nil && w.stalled.Load() {
		err = errStalled
	}
	return err
}

// cut ends a stream of HTTP/2. A timer may call it when it was stopped, and even after the request: then there is no stream any more.
func (w *responseWriter) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.settled {
		return
	}
	w.stalled.Store(true)
	_ = w.control.SetWriteDeadline(time.Unix(1, 0))
}

// settle sends what is buffered while the deadline stands, and then lifts it: the connection may serve other handlers.
func (w *responseWriter) settle() {
	if w.begun {
		_ = w.FlushError()
		if w.timer == nil {
			_ = w.control.SetWriteDeadline(time.Time{})
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.settled = true
}
