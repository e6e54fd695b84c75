package coretest

import (
	"bytes"
	"context"
	"io"
	"slices"
	"sync"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
)

var (
	_ host.HTTP = (*HTTP)(nil)
	_ host.Call = (*scriptedCall)(nil)
)

// HTTP answers requests with a function instead of a network. Calls are answered one at a time, in the order in which Wait
// is asked for them, so that a run depends on nothing but the answers.
type HTTP struct {
	// Answer answers a request; its body is in Request.Body, also one from a file or of parts. A fault.Error is reported by
	// Call.Response.
	Answer func(ctx context.Context, req *host.Request) (*host.Response, error)
	// Files has the files of Request.BodyFile; it may be nil if there are none.
	Files host.Files
	// Media has the media files of Request.Parts; it may be nil if there are none.
	Media host.Media
	// Pick, if set, chooses which of n unanswered calls is answered next; the first without it.
	Pick func(n int) int

	mu       sync.Mutex
	requests []*host.Request
}

// Requests returns the requests answered so far.
func (h *HTTP) Requests() []*host.Request {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.requests)
}

// Start remembers the request; it is answered in Wait.
func (h *HTTP) Start(ctx context.Context, req *host.Request) host.Call {
	r := *req
	r.Body = slices.Clone(req.Body)
	return &scriptedCall{http: h, ctx: ctx, req: &r}
}

// Wait answers one of the calls and returns its index.
func (h *HTTP) Wait(ctx context.Context, calls []host.Call) (int, error) {
	if err := ctx.Err(); err != nil {
		return -1, fault.Wrap(fault.Cancelled, err, "cancelled")
	}
	var open []int
	for i, c := range calls {
		if c.(*scriptedCall).isDone() {
			return i, nil
		}
		open = append(open, i)
	}
	if len(open) == 0 {
		return -1, fault.New(fault.Internal, "wait: no calls")
	}
	n := 0
	if h.Pick != nil {
		n = h.Pick(len(open))
	}
	calls[open[n]].(*scriptedCall).answer()
	if err := ctx.Err(); err != nil { // the answer may have cancelled the task
		return -1, fault.Wrap(fault.Cancelled, err, "cancelled")
	}
	return open[n], nil
}

// scriptedCall is a call of HTTP.
type scriptedCall struct {
	http *HTTP
	ctx  context.Context
	req  *host.Request

	mu     sync.Mutex
	done   bool
	sent   int64
	resp   *host.Response
	stream *bytes.Reader
	err    error
}

func (c *scriptedCall) isDone() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.done
}

func (c *scriptedCall) answer() {
	resp, err := c.exchange()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done {
		return // closed meanwhile
	}
	c.done, c.resp, c.err = true, resp, err
	if err != nil || resp == nil {
		return
	}
	ok := resp.Status/100 == 2
	switch {
	case c.req.Stream && ok:
		c.stream = bytes.NewReader(resp.Body)
		c.resp = &host.Response{Status: resp.Status, Header: resp.Header}
	case c.req.Limit > 0 && int64(len(resp.Body)) > c.req.Limit:
		c.resp, c.err = nil, fault.New(fault.DamagedDownload, "the answer is longer than %d bytes", c.req.Limit)
	}
}

func (c *scriptedCall) exchange() (*host.Response, error) {
	if err := c.ctx.Err(); err != nil {
		return nil, fault.Wrap(fault.Cancelled, err, "cancelled")
	}
	if c.req.BodyFile != "" {
		body, err := ReadFile(c.http.Files, c.req.BodyFile)
		if err != nil {
			return nil, err
		}
		c.req.Body = body
	}
	if len(c.req.Parts) > 0 {
		body, err := JoinParts(c.http.Media, c.req.Parts)
		if err != nil {
			return nil, err
		}
		c.req.Body = body
	}
	c.mu.Lock()
	c.sent = int64(len(c.req.Body))
	c.mu.Unlock()
	c.http.mu.Lock()
	c.http.requests = append(c.http.requests, c.req)
	c.http.mu.Unlock()
	return c.http.Answer(c.ctx, c.req)
}

// Response returns the answer.
func (c *scriptedCall) Response() (*host.Response, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.done {
		return nil, fault.New(fault.Internal, "response: the call is not done")
	}
	return c.resp, c.err
}

// Sent returns the length of the body once the call is answered.
func (c *scriptedCall) Sent() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sent
}

// Read reads a streamed answer.
func (c *scriptedCall) Read(ctx context.Context, p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case ctx.Err() != nil:
		return 0, fault.Wrap(fault.Cancelled, ctx.Err(), "cancelled")
	case c.err != nil:
		return 0, c.err
	case c.stream == nil:
		return 0, fault.New(fault.Internal, "read: no streamed answer")
	}
	return c.stream.Read(p)
}

// Close ends the call.
func (c *scriptedCall) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.done {
		c.done, c.err = true, fault.New(fault.Cancelled, "the call is closed")
	}
	c.stream = nil
}

// JoinParts returns the body that consists of the parts.
func JoinParts(media host.Media, parts []host.BodyPart) (body []byte, err error) {
	for _, p := range parts {
		if p.Media == "" {
			body = append(body, p.Bytes...)
			continue
		}
		now, err := media.Stat(p.Media)
		if err != nil {
			return nil, err
		}
		if now != p.Seen {
			return nil, fault.New(fault.NotFound, "the media file %q has changed", p.Media)
		}
		f, err := media.Open(p.Media)
		if err != nil {
			return nil, err
		}
		piece := make([]byte, p.Len)
		_, err = f.ReadAt(piece, p.Offset)
		f.Close()
		if err != nil && err != io.EOF {
			return nil, err
		}
		body = append(body, piece...)
	}
	return body, nil
}

// ReadFile returns the whole content of a file.
func ReadFile(files host.Files, name string) ([]byte, error) {
	f, err := files.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.NewSectionReader(f, 0, size))
}

// WriteFile creates a file with the given content.
func WriteFile(files host.Files, name string, data []byte) error {
	f, err := files.Create(name)
	if err != nil {
		return err
	}
	if _, err := f.Write(data); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
