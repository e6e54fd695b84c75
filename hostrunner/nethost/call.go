package nethost

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/wire"
)

// call is a request in flight. run, in a goroutine of its own, sets resp, body and err, and then closes done.
type call struct {
	http   *HTTP
	ctx    context.Context
	cancel context.CancelCauseFunc
	stall  *stall
	done   chan struct{}

	resp *host.Response
	body io.ReadCloser // of a streamed answer
	err  error

	size     atomic.Int64 // of the request's body
	taken    atomic.Int64 // of it, by the network
	reported atomic.Int64 // by Sent
	conn     atomic.Pointer[net.Conn]
	bodyErr  atomic.Pointer[error] // why the request's body could not be read
	closing  sync.Once
	finished error // of a stream that has ended: io.EOF or its error
}

func (c *call) run(req host.Request) {
	c.resp, c.err = c.exchange(&req)
	if c.body == nil {
		c.stall.stop()
		c.cancel(nil) // nothing is left to be cancelled
	} else {
		c.stall.pause()
	}
	close(c.done)
	c.http.notify()
}

// exchange sends the request and receives the answer up to the end or, if streamed, the head.
func (c *call) exchange(req *host.Request) (*host.Response, error) {
	if req.Zstd {
		req.Body = c.http.codecs.compress(req.Body)
	}
	hreq, closeBody, err := c.newRequest(req)
	if err != nil {
		return nil, err
	}
	defer closeBody()
	resp, err := c.http.transport.RoundTrip(hreq)
	if err != nil {
		return nil, c.convert(err)
	}
	head := &host.Response{Status: resp.StatusCode, Header: headerOf(resp)}
	if req.Stream && resp.StatusCode/100 == 2 {
		c.body = resp.Body
		if req.Unzstd {
			head.Decoded = true
			c.body = &decoded{raw: &received{r: resp.Body, stall: c.stall}, body: resp.Body}
		}
		return head, nil
	}
	defer resp.Body.Close()
	if head.Body, err = c.collect(resp, req.Limit); err != nil {
		return nil, err
	}
	if req.Unzstd && resp.StatusCode/100 == 2 {
		head.Body, head.Decoded = c.http.codecs.decompress(head.Body, req.Limit)
	}
	return head, nil
}

func headerOf(resp *http.Response) map[string]string {
	header := make(map[string]string, len(resp.Header)+1)
	for name, values := range resp.Header {
		header[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	if resp.ContentLength >= 0 {
		header["content-length"] = strconv.FormatInt(resp.ContentLength, 10)
	}
	return header
}

// collect reads the whole body of an answer.
func (c *call) collect(resp *http.Response, limit int64) ([]byte, error) {
	if limit <= 0 {
		limit = defaultLimit
	}
	if resp.ContentLength > limit {
		return nil, tooLong(limit)
	}
	var buf bytes.Buffer
	// An announced length is believed up to 1 MiB; it costs the other side nothing to announce more.
	buf.Grow(int(min(max(resp.ContentLength, 0), 1<<20)) + bytes.MinRead)
	_, err := buf.ReadFrom(&received{r: io.LimitReader(resp.Body, limit+1), stall: c.stall})
	switch {
	case err != nil:
		return nil, c.convert(err)
	case int64(buf.Len()) > limit:
		return nil, tooLong(limit)
	}
	return buf.Bytes(), nil
}

func tooLong(limit int64) error {
	return fault.New(fault.DamagedDownload, "the answer is longer than %d bytes", limit)
}

// received tells the stall timer of every byte that arrives.
type received struct {
	r     io.Reader
	stall *stall
}

func (r *received) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if n > 0 {
		r.stall.touch()
	}
	return n, err
}

// decoded is the payload of a body that is one zstd frame.
type decoded struct {
	raw   io.Reader
	body  io.Closer
	plain io.ReadCloser // nil until the first Read: a decoder reads at once
	end   error         // of plain, which is closed then
}

// Read decodes. What is no frame is fault.DamagedDownload; errors of the body come as they are.
func (d *decoded) Read(p []byte) (n int, err error) {
	if d.end != nil {
		return 0, d.end
	}
	if d.plain == nil {
		if d.plain, err = wire.NewReader(d.raw); err != nil {
			d.end = err
			return 0, err
		}
	}
	if n, err = d.plain.Read(p); err != nil {
		d.end = err
		_ = d.plain.Close()
	}
	return n, err
}

// Close ends the body. The decoder has no goroutine to stop; a Read may still be in it.
func (d *decoded) Close() error { return d.body.Close() }

func (c *call) isDone() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

func (c *call) sendingLarge() bool {
	size := c.size.Load()
	return size > largeBody && c.Sent() < size
}

// onWay returns how many bytes are in the connection's send queue. Once the call is done the connection may
// belong to another one.
func (c *call) onWay() int64 {
	conn := c.conn.Load()
	if conn == nil || c.isDone() {
		return 0
	}
	return queued(*conn)
}

// Response returns the answer (see host.Call).
func (c *call) Response() (*host.Response, error) {
	if !c.isDone() {
		return nil, fault.New(fault.Internal, "response: the call is not done")
	}
	return c.resp, c.err
}

// Sent returns how many bytes of the body have been sent; it never goes down.
func (c *call) Sent() int64 {
	onWay := c.onWay() // asked first: what is taken meanwhile may be in the queue
	sent := c.taken.Load() - onWay
	for {
		before := c.reported.Load()
		if sent <= before || c.reported.CompareAndSwap(before, sent) {
			return max(sent, before)
		}
	}
}

// Read reads the streamed body of a 2xx answer (see host.Call).
func (c *call) Read(ctx context.Context, p []byte) (int, error) {
	switch {
	case !c.isDone() || c.err == nil && c.body == nil:
		return 0, fault.New(fault.Internal, "read: no streamed answer")
	case c.err != nil:
		return 0, c.err
	case c.finished != nil:
		return 0, c.finished
	case len(p) == 0:
		return 0, nil
	}
	defer context.AfterFunc(ctx, func() { c.cancel(ctx.Err()) })()
	c.stall.resume()
	defer c.stall.pause()
	n, err := (&received{r: c.body, stall: c.stall}).Read(p)
	if err != nil {
		if err != io.EOF {
			err = c.convert(err)
		}
		c.finished = err
		if n > 0 {
			err = nil
		}
	}
	return n, err
}

// Close ends the call (see host.Call).
func (c *call) Close() {
	c.closing.Do(func() {
		c.cancel(errClosed)
		c.stall.stop()
		if c.isDone() && c.body != nil {
			c.body.Close()
			return
		}
		go func() { // run ends soon, its request being cancelled, and may have got a body meanwhile
			<-c.done
			if c.body != nil {
				c.body.Close()
			}
		}()
	})
}
