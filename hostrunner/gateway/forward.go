package gateway

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cardferry/cardferry/core/fault"
)

const (
	syncHeader = "Anki-Sync"
	maxHeader  = 4096 // of syncHeader
	// via marks what comes from a gateway, so that a circle of them ends.
	via = "1.1 cardferry-gateway"
)

// checkHeaders returns the status with which a request is refused, 0 if it is not. Asking for the protocol's header also keeps the forms of
// other origins' pages out: they cannot set it.
func checkHeaders(r *http.Request) int {
	list := r.Header.Values(syncHeader)
	if len(list) != 1 || len(list[0]) > maxHeader || strings.ContainsFunc(list[0], func(c rune) bool { return c < ' ' || c > '~' }) {
		return http.StatusBadRequest
	}
	if strings.Contains(strings.Join(r.Header.Values("Via"), ","), via) {
		return http.StatusLoopDetected
	}
	return 0
}

// forward sends a request on and its answer back.
func (g *Gateway) forward(w http.ResponseWriter, r *http.Request, to target, method string) {
	undo := func() {}
	if method == "sync/hostKey" {
		var wait time.Duration
		if wait, undo = g.options.Login(g.options.ClientIP(r)); wait > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
			g.refuse(w, to, http.StatusTooManyRequests, "too many logins", nil)
			return
		}
	}
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	watch := &watch{time.AfterFunc(g.options.Stall, func() { cancel(errStalled) }), g.options.Stall}
	defer watch.timer.Stop()
	body := &requestBody{r: r.Body, watch: watch}
	body.left.Store(r.ContentLength)
	defer body.end(http.NewResponseController(w))
	resp, err := to.via.RoundTrip(outgoing(ctx, r, body, to.base, method))
	if err != nil {
		if context.Cause(ctx) == errStalled {
			err = errStalled
		}
		if r.Context().Err() == nil && body.err.Load() == nil {
			undo() // the upstream is down, which is not the client's fault
		}
		g.failed(w, r, to, body, err)
		return
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusOK || resp.StatusCode >= 500 {
		undo()
	}
	if resp.StatusCode < 200 || resp.StatusCode >= 300 && resp.StatusCode < 400 {
		g.redirect(w, r, to, resp)
		return
	}
	if resp.ContentLength > g.options.Answer {
		g.refuse(w, to, http.StatusBadGateway, "the answer is too large", nil)
		return
	}
	g.answer(w, r, to, resp, watch)
}

// errStalled ends a request whose upstream neither takes nor sends anything.
var errStalled = fault.New(fault.Timeout, "nothing moved for too long")

// watch ends a request in which nothing moves.
type watch struct {
	timer *time.Timer
	stall time.Duration
}

func (w *watch) moved() { w.timer.Reset(w.stall) }

// outgoing makes the request for the upstream: it has the headers of the protocol, and nothing else of what the client sent.
func outgoing(ctx context.Context, r *http.Request, body *requestBody, base address, method string) *http.Request {
	out := (&http.Request{
		Method: http.MethodPost, Body: body, ContentLength: r.ContentLength,
		URL: &url.URL{Scheme: base.scheme, Host: hostPort(base), Path: base.path + method},
		Header: http.Header{
			syncHeader: {r.Header.Get(syncHeader)}, "Content-Type": {"application/octet-stream"}, "Accept": {"*/*"},
			"Via": {via}, "User-Agent": nil, // nil: none is sent
		},
	}).WithContext(ctx)
	switch {
	case r.ContentLength == 0:
		out.Body = http.NoBody
	case r.ContentLength < 0:
		// The real client's. The real server answers once the content has ended, maybe before the end of the body has come, and closes the
		// connection then: a moment later than the next request may have been sent on it.
		out.Close = true
	}
	return out
}

// hostPort is the host part of an address' URL.
func hostPort(a address) string {
	return strings.TrimSuffix(strings.TrimPrefix(a.String(), a.scheme+"://"), a.path)
}

// failed answers a request to which there is no answer.
func (g *Gateway) failed(w http.ResponseWriter, r *http.Request, to target, body *requestBody, err error) {
	if failure := body.err.Load(); failure != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](*failure); ok {
			g.refuse(w, to, http.StatusRequestEntityTooLarge, "the body is too large", nil)
			return
		}
		panic(http.ErrAbortHandler) // the client has gone, or was cut off
	}
	if r.Context().Err() != nil {
		panic(http.ErrAbortHandler)
	}
	status := http.StatusBadGateway
	if t, ok := errors.AsType[net.Error](err); err == errStalled || ok && t.Timeout() {
		status = http.StatusGatewayTimeout
	}
	g.refuse(w, to, status, "the upstream cannot be reached", err)
}

// redirect answers what is no answer of the protocol. Of a 308 the client learns where to go through us; everything else ends here.
func (g *Gateway) redirect(w http.ResponseWriter, r *http.Request, to target, resp *http.Response) {
	if list := resp.Header.Values("Location"); resp.StatusCode == http.StatusPermanentRedirect && len(list) == 1 {
		part, ok := g.part(to.from, list[0])
		if at := location(r, part); ok && at != "" {
			w.Header().Set("Location", at)
			w.WriteHeader(http.StatusPermanentRedirect)
			return
		}
	}
	what := "status " + strconv.Itoa(resp.StatusCode)
	if u, err := resp.Location(); err == nil {
		what += " to " + u.Scheme + "://" + u.Host // who wants that configures it; the rest may have a secret
	}
	g.refuse(w, to, http.StatusBadGateway, "the upstream redirects to where it may not, or in a way that clients do not follow", errors.New(what))
}

// passed are the headers of answers that clients get to see.
var passed = []string{"Anki-Original-Size", "Content-Length", "Content-Encoding", "Retry-After"}

// answer sends an answer on. When it breaks off or is too long, so does ours: the client must not take a part for the whole.
func (g *Gateway) answer(w http.ResponseWriter, r *http.Request, to target, resp *http.Response, watch *watch) {
	for _, name := range passed {
		if v := resp.Header.Values(name); len(v) == 1 && len(v[0]) <= 100 {
			w.Header().Set(name, v[0])
		}
	}
	w.WriteHeader(resp.StatusCode)
	control := http.NewResponseController(w)
	buf := make([]byte, 64<<10)
	for left := g.options.Answer; ; {
		n, err := resp.Body.Read(buf)
		if left -= int64(n); left < 0 {
			g.log(to, "the answer is too large", nil)
			panic(http.ErrAbortHandler)
		}
		watch.moved()
		if n > 0 {
			if _, err := w.Write(buf[:n]); err != nil {
				panic(http.ErrAbortHandler)
			}
		}
		if err == io.EOF {
			return
		}
		if err != nil {
			if r.Context().Err() == nil { // the real client hangs up once it has a collection, before it sees the answer's end
				g.log(to, "the answer breaks off", err)
			}
			panic(http.ErrAbortHandler)
		}
		_ = control.Flush() // nothing waits here for what comes next
	}
}

// refuse answers with an error of our own, whose body is the status in digits (collection-sync.md §3.3). Of what clients do wrong there is
// a line in the log of requests already.
func (g *Gateway) refuse(w http.ResponseWriter, to target, status int, why string, err error) {
	if status >= 500 {
		g.log(to, why, err)
	}
	text := strconv.Itoa(status)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}

// log tells what went wrong. Errors of the network name addresses and hosts, never what was sent.
func (g *Gateway) log(to target, what string, err error) {
	attrs := []any{"upstream", to.name, "what", what}
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err
		}
		attrs = append(attrs, slog.String("error", err.Error()))
	}
	g.options.Log.Warn("gateway", attrs...)
}

// requestBody is the body of a client's request on its way to the upstream.
type requestBody struct {
	r     io.Reader
	watch *watch
	err   atomic.Pointer[error] // what ended it before its end
	left  atomic.Int64          // bytes to come; below 0: not known

	mu    sync.Mutex // held by a Read
	ended atomic.Bool
}

// Read reads.
func (b *requestBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended.Load() {
		return 0, http.ErrBodyReadAfterClose
	}
	b.watch.moved()
	n, err := b.r.Read(p)
	b.left.Add(-int64(n))
	b.watch.moved()
	if err != nil && err != io.EOF {
		b.err.Store(&err)
	}
	return n, err
}

// Close ends the reading; the server closes the client's body.
func (b *requestBody) Close() error {
	b.ended.Store(true)
	return nil
}

// end makes sure that nobody reads any more: an upstream that answers early leaves the transport with a body that it still sends. One that has
// all of it may answer before the transport has looked for the end, which does not wait for the client, whose connection has to stay usable.
func (b *requestBody) end(control *http.ResponseController) {
	b.ended.Store(true)
	if !b.mu.TryLock() {
		body, ok := b.r.(interface{ Interrupt() })
		switch {
		case b.left.Load() == 0:
		case ok:
			body.Interrupt()
		default:
			_ = control.SetReadDeadline(time.Unix(1, 0))
		}
		b.mu.Lock()
	}
	b.mu.Unlock()
}

// WriteTo sends the body in large pieces: each becomes a chunk, and the cost of the reference server grows with their number (design.md §3).
func (b *requestBody) WriteTo(w io.Writer) (sent int64, err error) {
	const piece = 1 << 20
	buf := make([]byte, 32<<10)
	for {
		n, rerr := io.ReadFull(readerOnly{b}, buf)
		if n > 0 {
			n, err = w.Write(buf[:n])
			sent += int64(n)
		}
		switch {
		case err != nil:
			return sent, err
		case rerr == io.EOF || rerr == io.ErrUnexpectedEOF && b.err.Load() == nil:
			return sent, nil
		case rerr != nil:
			return sent, rerr
		}
		if len(buf) < piece {
			buf = make([]byte, min(piece, 4*len(buf)))
		}
	}
}

// readerOnly hides WriteTo.
type readerOnly struct{ io.Reader }
