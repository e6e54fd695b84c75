package abi

import (
	"context"
	"io"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/jsontext"
	"github.com/cardferry/cardferry/core/order"
	"github.com/cardferry/cardferry/core/rows"
)

var (
	_ host.HTTP = httpPort{}
	_ host.Call = (*call)(nil)
)

// readSize is how much of a streamed body the guest asks for at once.
const readSize = 256 << 10

type httpPort struct{ g *Guest }

// call is one request in flight, and what the host has told about it that its task has not looked at yet.
type call struct {
	g       *Guest
	task    *task
	ctx     context.Context // of Start
	id      int32
	answer  *host.Response
	err     error // why the call failed; what was received before stays readable
	sent    int64
	news    bool   // sent has grown since the last Wait
	data    []byte // of a streamed body, not read yet
	buf     []byte // memory of data, used again
	reading bool   // an HTTPRead is not answered yet
	ended   bool
	closed  bool
}

func (p httpPort) Start(ctx context.Context, req *host.Request) host.Call {
	g := p.g
	c := &call{g: g, task: g.current(), ctx: ctx}
	if err := ctx.Err(); err != nil {
		c.err, c.closed = err, true
		return c
	}
	g.last++
	c.id = g.last
	g.calls[c.id] = c
	g.imports.HTTPStart(c.id, encodeRequest(req))
	return c
}

// encodeRequest packs a request block: method, url, headers, body, body_file, flags, limit, stall, parts.
func encodeRequest(req *host.Request) []byte {
	h := []byte("{")
	for _, name := range order.Keys(req.Header) {
		h = jsontext.PutText(h, name, req.Header[name])
	}
	h = append(h, '}')
	b := make([]byte, 0, len(req.URL)+len(h)+len(req.Body)+128)
	b = rows.Begin(b, 9)
	b = rows.Text(b, req.Method)
	b = rows.Text(b, req.URL)
	b = rows.Text(b, h)
	b = rows.Blob(b, req.Body)
	if req.BodyFile == "" {
		b = rows.Null(b)
	} else {
		b = rows.Text(b, req.BodyFile)
	}
	flags := int64(0)
	for flag, set := range map[int64]bool{FlagStream: req.Stream, FlagUnzstd: req.Unzstd, FlagZstd: req.Zstd} {
		if set {
			flags |= flag
		}
	}
	b = rows.Int(b, flags)
	b = rows.Int(b, req.Limit)
	b = rows.Int(b, req.Stall.Milliseconds())
	if len(req.Parts) == 0 {
		return rows.Null(b)
	}
	return rows.Blob(b, encodeParts(req.Parts))
}

// encodeParts packs each part of a body: its bytes, or name, size, modified, offset and length.
func encodeParts(parts []host.BodyPart) (b []byte) {
	for _, p := range parts {
		if p.Media == "" {
			b = rows.Blob(rows.Begin(b, 1), p.Bytes)
		} else {
			b = rows.Pack(b, p.Media, p.Seen.Size, p.Seen.Modified, p.Offset, p.Len)
		}
	}
	return b
}

func (p httpPort) Wait(ctx context.Context, calls []host.Call) (int, error) {
	for {
		if err := ctx.Err(); err != nil {
			return -1, err
		}
		news := false
		for i, hc := range calls {
			c := hc.(*call)
			c.expire()
			if c.answer != nil || c.err != nil {
				return i, nil
			}
			news = news || c.news
			c.news = false
		}
		if news {
			return -1, nil
		}
		p.g.suspend(forNetwork)
	}
}

func (c *call) Response() (*host.Response, error) {
	switch {
	case c.answer != nil:
		return c.answer, nil
	case c.err != nil:
		return nil, c.err
	case c.closed:
		return nil, fault.New(fault.Cancelled, "the request was given up")
	}
	return nil, fault.New(fault.Internal, "the request has no answer yet")
}

func (c *call) Sent() int64 { return c.sent }

func (c *call) Read(ctx context.Context, p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		c.expire()
		switch {
		case len(c.data) > 0:
			n := copy(p, c.data)
			c.data = c.data[n:]
			return n, nil
		case c.err != nil:
			return 0, c.err
		case c.ended:
			return 0, io.EOF
		case c.closed:
			return 0, fault.New(fault.Cancelled, "the request was given up")
		}
		if !c.reading {
			c.reading = true
			c.g.imports.HTTPRead(c.id, readSize)
		}
		c.g.suspend(forNetwork)
	}
}

// expire ends the call if the context that it was started with has ended.
func (c *call) expire() {
	if err := c.ctx.Err(); err != nil && c.err == nil && !c.closed {
		c.Close()
		c.answer, c.err = nil, err
	}
}

func (c *call) Close() {
	if c.closed {
		return
	}
	c.closed = true
	if cap(c.buf) > 0 && cap(c.buf) <= 2*readSize {
		c.g.spare = c.buf
	}
	c.data, c.buf = nil, nil
	delete(c.g.calls, c.id)
	c.g.imports.HTTPClose(c.id)
}

// closeCallsOf ends what a finished task has left open.
func (g *Guest) closeCallsOf(t *task) {
	var ids []int
	for id, c := range g.calls {
		if c.task == t {
			ids = append(ids, int(id))
		}
	}
	order.Ints(ids) // the same order in every run
	for _, id := range ids {
		g.calls[int32(id)].Close()
	}
}

// Event delivers what the host tells about a call and runs its task if that waits for the network. An unknown call was
// closed meanwhile and is ignored. The buffer is looked at during Event only, unless it is a large body.
func (g *Guest) Event(id int32, kind EventKind, b []byte) {
	c := g.calls[id]
	if c == nil {
		return
	}
	c.receive(kind, b)
	if c.task.waiting == forNetwork {
		g.resume(c.task)
	}
}

func (c *call) receive(kind EventKind, b []byte) {
	switch kind {
	case EventAnswer:
		c.answer, c.err = decodeResponse(b)
	case EventData:
		c.reading = false
		if c.buf == nil {
			c.buf, c.g.spare = c.g.spare, nil
		}
		if len(c.data) == 0 {
			c.data = c.buf[:0]
		}
		c.data = append(c.data, b...)
		c.buf = c.data
	case EventEnd:
		c.ended = true
	case EventFailed:
		c.err = decodeFailed(b)
	case EventSent:
		row, _, err := rows.Decode(b, nil)
		if err == nil && len(row) == 1 {
			c.sent, c.news = row[0].Int(), true
		}
	default:
		c.err = fault.New(fault.Internal, "an event of the unknown kind %d", kind)
	}
}

func decodeResponse(b []byte) (*host.Response, error) {
	row, rest, err := rows.Decode(b, nil)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "decode an answer of the host")
	}
	if len(row) < 3 || len(row) > 4 || len(rest) != 0 {
		return nil, fault.New(fault.Internal, "decode an answer of the host: %d values, %d bytes after them", len(row), len(rest))
	}
	r := &host.Response{Status: int(row[0].Int()), Header: map[string]string{}}
	headers, err := jsontext.ParseObject(row[1].Bytes)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "decode the headers of an answer")
	}
	for _, h := range headers {
		r.Header[h.Key], _ = jsontext.String(h.Raw)
	}
	r.Body = row[2].Bytes
	if len(b) <= keepBuffer { // see Take
		r.Body = row[2].Clone()
	}
	r.Decoded = len(row) == 4 && row[3].Int() != 0
	return r, nil
}

func decodeFailed(b []byte) error {
	row, rest, err := rows.Decode(b, nil)
	if err != nil || len(row) != 2 || len(rest) != 0 {
		return fault.New(fault.Internal, "decode a failure of the host")
	}
	return told(row[0].Int(), row[1].String())
}
