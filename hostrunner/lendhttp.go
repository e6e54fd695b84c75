package hostrunner

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/wasm/abi"
)

// grace is how long requests of a cancelled call may go on: time to tell the server about it.
const grace = 700 * time.Millisecond

// largeBody is from where the sending of a body is reported.
const largeBody = 1 << 20

// network has the requests of a guest, and turns their answers into events.
type network struct {
	http  host.HTTP
	ctx   context.Context // of the running call and its requests; outlives a cancel by grace
	calls map[int32]*lentCall
	reads chan event // answers of Reads, which block and so run beside the loop
	fails []event    // requests that could not be started
	wake  chan func()
}

type lentCall struct {
	id      int32
	call    host.Call
	sent    int64
	large   bool // its progress is of interest
	told    bool // the answer was reported
	reading bool
}

// event is one cf_event.
type event struct {
	call int32
	kind abi.EventKind
	data []byte
}

func newNetwork(h host.HTTP) network {
	return network{http: h, ctx: context.Background(), calls: map[int32]*lentCall{}, reads: make(chan event, 64), wake: make(chan func(), 1)}
}

// begin sets the context of a call; end closes what is left of its requests.
func (n *network) begin(ctx context.Context) (end func()) {
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })
	n.ctx = base
	return func() {
		stop()
		cancel()
		for id := range n.calls {
			n.close(id)
		}
		n.ctx = context.Background()
	}
}

func (l *lender) HTTPStart(id int32, block []byte) {
	n := &l.net
	req, err := decodeRequest(block)
	if err != nil || n.calls[id] != nil {
		n.fails = append(n.fails, failed(id, fault.New(fault.Internal, "start a request: %v", err)))
		return
	}
	size := int64(len(req.Body))
	for _, p := range req.Parts {
		size += int64(len(p.Bytes)) + p.Len
	}
	large := req.BodyFile != "" || size > largeBody
	n.calls[id] = &lentCall{id: id, call: n.http.Start(n.ctx, req), large: large}
}

func decodeRequest(block []byte) (*host.Request, error) {
	row, rest, err := rows.Decode(block, nil)
	if err != nil {
		return nil, err
	}
	if len(row) < 8 || len(row) > 9 || len(rest) != 0 {
		return nil, fault.New(fault.Internal, "%d values, %d bytes after them", len(row), len(rest))
	}
	req := &host.Request{
		Method: row[0].String(), URL: row[1].String(), Header: map[string]string{}, Body: row[3].Clone(), BodyFile: row[4].String(),
		Stream: row[5].Int() != 0, Unzstd: row[5].Int() == abi.StreamUnzstd, Limit: row[6].Int(), Stall: time.Duration(row[7].Int()) * time.Millisecond,
	}
	if err := json.Unmarshal(row[2].Bytes, &req.Header); err != nil {
		return nil, err
	}
	if len(row) > 8 {
		req.Parts, err = decodeParts(row[8].Bytes)
	}
	return req, err
}

// decodeParts decodes the parts of a body: packed rows of bytes, or of name, size, modified, offset and length.
func decodeParts(b []byte) (parts []host.BodyPart, err error) {
	b = bytes.Clone(b)
	var row rows.Row
	for len(b) > 0 {
		if row, b, err = rows.Decode(b, row); err != nil {
			return nil, err
		}
		switch {
		case len(row) == 1 && row[0].Tag == rows.TagBlob:
			parts = append(parts, host.BodyPart{Bytes: row[0].Bytes})
		case len(row) == 5 && row[0].Tag == rows.TagText:
			parts = append(parts, host.BodyPart{
				Media: row[0].String(), Seen: host.MediaFile{Size: row[1].Int(), Modified: row[2].Int()},
				Offset: row[3].Int(), Len: row[4].Int(),
			})
		default:
			return nil, fault.New(fault.Internal, "a part of a body with %d values", len(row))
		}
	}
	return parts, nil
}

// HTTPRead reads in the background: host.Call.Read blocks, and answers of other requests must not wait for it.
func (l *lender) HTTPRead(id, limit int32) {
	n := &l.net
	c := n.calls[id]
	if c == nil || c.reading || limit <= 0 {
		n.fails = append(n.fails, failed(id, fault.New(fault.Internal, "read: request %d cannot be read", id)))
		return
	}
	c.reading = true
	ctx, read := n.ctx, c.call.Read
	go func() {
		p := make([]byte, limit)
		k, err := read(ctx, p)
		switch {
		case k > 0: // an error comes again with the next Read
			n.reads <- event{id, abi.EventData, p[:k]}
		case err == io.EOF:
			n.reads <- event{id, abi.EventEnd, nil}
		default:
			n.reads <- failed(id, err)
		}
		select {
		case interrupt := <-n.wake:
			interrupt()
		default:
		}
	}()
}

func (l *lender) HTTPClose(id int32) { l.net.close(id) }

func (n *network) close(id int32) {
	if c := n.calls[id]; c != nil {
		delete(n.calls, id)
		c.call.Close()
	}
}

func failed(id int32, err error) event {
	return event{id, abi.EventFailed, rows.Pack(nil, int(fault.KindOf(err)), err.Error())}
}

// next waits for something to tell the guest. It fails with ctx, and if there is nothing to wait for.
func (n *network) next(ctx context.Context) ([]event, error) {
	for {
		if len(n.fails) > 0 {
			evs := n.fails
			n.fails = nil
			return evs, nil
		}
		evs, err := n.await(ctx)
		if len(evs) > 0 || err != nil {
			return evs, err
		}
	}
}

// await waits once; it may return without an event.
func (n *network) await(ctx context.Context) ([]event, error) {
	ids := slices.Sorted(maps.Keys(n.calls)) // sorted: a host that answers in order makes the same run again
	var waiting []host.Call
	var of []*lentCall
	reading := false
	for _, id := range ids {
		c := n.calls[id]
		reading = reading || c.reading
		if !c.told {
			waiting, of = append(waiting, c.call), append(of, c)
		}
	}
	switch {
	case len(waiting) == 0 && !reading:
		return nil, fault.New(fault.Internal, "the guest waits for nothing")
	case len(waiting) == 0:
		select {
		case e := <-n.reads:
			return n.read(e), nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	wctx, stop := context.WithCancel(ctx)
	defer stop()
	n.wake <- stop // a Read that ends from now on ends the Wait
	defer n.unwake()
	select {
	case e := <-n.reads:
		return n.read(e), nil
	default:
	}
	i, err := n.http.Wait(wctx, waiting)
	switch {
	case err == nil && i < 0:
		return progressOf(of), nil
	case err == nil:
		of[i].told = true
		var evs []event
		if of[i].large { // now all of it has been sent
			evs = progressOf(of[i : i+1])
		}
		return append(evs, answerOf(of[i])), nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case wctx.Err() != nil:
		return nil, nil // a Read has ended
	}
	return nil, err
}

// unwake takes back the interrupt that was offered, if no Read has taken it.
func (n *network) unwake() {
	select {
	case <-n.wake:
	default:
	}
}

// read finishes a Read; one of a closed request is dropped.
func (n *network) read(e event) []event {
	c := n.calls[e.call]
	if c == nil {
		return nil
	}
	c.reading = false
	return []event{e}
}

func progressOf(calls []*lentCall) []event {
	var evs []event
	for _, c := range calls {
		if sent := c.call.Sent(); c.large && sent != c.sent {
			c.sent = sent
			evs = append(evs, event{c.id, abi.EventSent, rows.Pack(nil, sent)})
		}
	}
	return evs
}

func answerOf(c *lentCall) event {
	r, err := c.call.Response()
	if err != nil {
		return failed(c.id, err)
	}
	header, err := json.Marshal(r.Header)
	if err != nil {
		return failed(c.id, err)
	}
	b := make([]byte, 0, len(header)+len(r.Body)+32)
	b = rows.Int(rows.Begin(b, 4), int64(r.Status))
	b = rows.Blob(rows.Text(b, header), r.Body)
	flag := int64(0)
	if r.Decoded {
		flag = 1
	}
	return event{c.id, abi.EventAnswer, rows.Int(b, flag)}
}
