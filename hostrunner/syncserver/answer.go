package syncserver

import (
	"bufio"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/cardferry/cardferry/core/wire"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// answer is what a method returns: a message, or one that is compressed already, with its size before, or a file that is sent, and closed,
// by its caller, or what sends it.
type answer struct {
	message []byte
	frame   []byte
	size    int
	file    store.File
	send    func() error
}

var null = answer{message: []byte("null")} // of methods without a result (§3.3)

// send sends an answer as one zstd frame.
func (c *call) send(a answer) error {
	c.closeSpoiled()
	switch {
	case a.file != nil:
		return c.sendFile(a.file)
	case a.send != nil:
		return a.send()
	}
	body, size := a.frame, a.size
	if body == nil {
		t := c.takeTools()
		t.body = t.Compress(t.body[:0], a.message)
		body, size = t.body, len(a.message)
	}
	h := c.w.Header()
	h.Set("anki-original-size", strconv.Itoa(size))
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	c.w.WriteHeader(http.StatusOK)
	_, err := c.w.Write(body)
	return err
}

// sendFile sends a whole file, which has no place in memory. One block is sent while the next is compressed. Blocks are large: threads that
// hand over to each other every 100 µs, as the encoder's own would, cost more than they gain.
func (c *call) sendFile(f store.File) error {
	defer f.Close()
	h := c.w.Header()
	h.Set("anki-original-size", strconv.FormatInt(f.Size(), 10))
	h.Set("Content-Type", "application/octet-stream")
	c.w.WriteHeader(http.StatusOK)
	from, to := io.Pipe()
	compressed := make(chan struct{})
	go func() {
		defer close(compressed)
		to.CloseWithError(compress(to, f))
	}()
	_, err := io.CopyBuffer(onlyWriter{c.w}, from, make([]byte, fileBlock))
	from.CloseWithError(err)
	<-compressed
	return err
}

// fileBlock is how much of a compressed file is on its way to the client while the next is made.
const fileBlock = 512 << 10

// compress writes a file as one zstd frame.
func compress(to io.Writer, f store.File) error {
	b := bufio.NewWriterSize(to, fileBlock)
	z, err := wire.NewWriter(b)
	if err != nil {
		return err
	}
	if _, err = io.CopyBuffer(onlyWriter{z}, io.NewSectionReader(f, 0, f.Size()), make([]byte, 128<<10)); err != nil {
		z.Close()
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return b.Flush()
}

// onlyWriter hides that an encoder can read by itself, in which it would use a larger buffer of its own.
type onlyWriter struct{ io.Writer }

// fail answers with the status of an error. Its body is the status in digits (§3.3); clients do not read it.
func (c *call) fail(err error) {
	status := statusOf(err)
	c.failWith(err, func() { c.text(status, strconv.Itoa(status)) })
}

// failWith answers an error with what answer writes.
func (c *call) failWith(err error, answer func()) {
	if gone(err) && !errors.Is(err, errStalled) && c.server.isClosing() {
		err = errStopped // it is we who have ended the connection
	}
	c.err = err
	if c.w.status != 0 || gone(err) {
		// Half an answer is out, or nobody listens: all that is left is to hang up.
		if c.w.status == 0 {
			c.w.status = 499
		}
		panic(http.ErrAbortHandler)
	}
	if e, ok := errors.AsType[*statusError](err); ok {
		if e.retryAfter > 0 {
			c.w.Header().Set("Retry-After", strconv.Itoa(e.retryAfter))
		}
		if e.location != "" {
			c.w.Header().Set("Location", e.location)
		}
	}
	c.drain()
	c.closeSpoiled()
	answer()
}

// closeSpoiled has a connection end with the answer if nothing else can be asked over it.
func (c *call) closeSpoiled() {
	if c.body.spoiled() {
		c.w.Header().Set("Connection", "close")
	}
}

// drain reads what a client is still sending, up to a limit: many do not look for an answer before they have sent everything, and
// would take the end of the connection for a network problem. One that announces more than that is answered at once.
func (c *call) drain() {
	const limit = 1 << 20
	if c.r.ContentLength <= limit {
		_, _ = io.CopyN(io.Discard, c.body, limit)
	}
}

// report writes the log's line of the request. The names of fields are those of the reference's log (§18).
func (c *call) report() {
	s := c.server
	status := c.w.status
	if status == 0 {
		status = http.StatusOK
	}
	elapsed := time.Since(c.begun)
	if s.Observe != nil {
		s.Observe(Observation{Endpoint: c.endpoint, Status: status, Elapsed: elapsed, In: c.body.read, Out: c.w.written})
	}
	level := slog.LevelInfo
	switch {
	case status >= 500 && !ordinary(status, c.err):
		level = slog.LevelError
	case c.endpoint == "health":
		level = slog.LevelDebug
	}
	ctx := c.r.Context()
	if !s.Log.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("endpoint", c.endpoint), slog.Int("status", status), slog.Int64("elapsed_ms", elapsed.Milliseconds()),
		slog.String("ip", c.ip), slog.Int64("in", c.body.read), slog.Int64("out", c.w.written),
	}
	if c.account.Name != "" {
		attrs = append(attrs, slog.String("user", c.account.Name))
	}
	if c.header.client != "" {
		// Anybody can send these, of any length.
		attrs = append(attrs, slog.String("client", deviceName(c.header.client)), slog.String("session", deviceName(c.header.session)))
	}
	if c.err != nil {
		attrs = append(attrs, slog.String("error", c.err.Error()))
	}
	s.Log.LogAttrs(ctx, level, "request", attrs...)
}
