package hostrunner

import (
	"bytes"
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

// largeBody is from where the sending of a body is reported.
const largeBody = 1 << 20

// network has the requests of a guest, and turns their answers into events.
type network struct {
	http  host.HTTP
	calls map[int32]*lentCall
	mail  *mailbox
	// deliver hands an event to a task, in the loop's goroutine; promised says that it was counted in task.pending.
	deliver func(t *task, e event, promised bool) error
	spare   []byte // see buffer
}

type lentCall struct {
	id      int32
	task    *task
	call    host.Call // nil if it could not be started
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

// promise counts an event of a task that keep will bring.
func (n *network) promise(t *task) { t.pending++ }

// keep brings a promised event from any goroutine.
func (n *network) keep(t *task, e event) {
	n.mail.post(func() error { return n.deliver(t, e, true) })
}

func (l *lender) HTTPStart(id int32, block []byte) {
	n := &l.net
	c := &lentCall{id: id, task: l.task}
	req, err := decodeRequest(block)
	switch {
	case n.calls[id] != nil:
		err = fault.New(fault.Internal, "there is a request %d already", id)
	case err == nil:
		c.large = req.BodyFile != "" || sizeOf(req) > largeBody
		c.call = n.http.Start(l.ctx(), req)
		n.calls[id] = c
		return
	default:
		c.told = true
		n.calls[id] = c
	}
	n.fail(l.task, id, fault.Wrap(fault.Internal, err, "start a request"))
}

// fail tells a task what is wrong with its request: later, as it is running now.
func (n *network) fail(t *task, id int32, err error) {
	n.promise(t)
	n.keep(t, failed(id, err))
}

// sizeOf is the length of a body in memory or of parts.
func sizeOf(req *host.Request) int64 {
	size := int64(len(req.Body))
	for _, p := range req.Parts {
		size += int64(len(p.Bytes)) + p.Len
	}
	return size
}

func decodeRequest(block []byte) (*host.Request, error) {
	row, rest, err := rows.Decode(block, nil)
	if err != nil {
		return nil, err
	}
	if len(row) < 8 || len(row) > 9 || len(rest) != 0 {
		return nil, fault.New(fault.Internal, "%d values, %d bytes after them", len(row), len(rest))
	}
	flags := row[5].Int()
	req := &host.Request{
		Method: row[0].String(), URL: row[1].String(), Header: map[string]string{}, Body: row[3].Clone(), BodyFile: row[4].String(),
		Stream: flags&abi.FlagStream != 0, Unzstd: flags&abi.FlagUnzstd != 0, Zstd: flags&abi.FlagZstd != 0,
		Limit: row[6].Int(), Stall: time.Duration(row[7].Int()) * time.Millisecond,
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
	if c == nil || c.call == nil || c.reading || limit <= 0 {
		n.fail(l.task, id, fault.New(fault.Internal, "read: request %d cannot be read", id))
		return
	}
	c.reading = true
	n.promise(c.task)
	ctx, read, p := c.task.ctx, c.call.Read, n.buffer(int(limit))
	go func() {
		k, err := read(ctx, p)
		var e event
		switch {
		case k > 0: // an error comes again with the next Read
			e = event{id, abi.EventData, p[:k]}
		case err == io.EOF:
			e = event{id, abi.EventEnd, nil}
		default:
			e = failed(id, err)
		}
		n.mail.post(func() error {
			c.reading = false
			err := n.deliver(c.task, e, true)
			n.spare = p // the guest has a copy
			return err
		})
	}()
}

// buffer returns memory to read into, that of the read before if it has ended: a new one is cleared each time.
func (n *network) buffer(size int) (p []byte) {
	if p, n.spare = n.spare, nil; cap(p) < size {
		p = make([]byte, size)
	}
	return p[:size]
}

func (l *lender) HTTPClose(id int32) { l.net.close(id) }

func (n *network) close(id int32) {
	if c := n.calls[id]; c != nil {
		delete(n.calls, id)
		if c.call != nil {
			c.call.Close()
		}
	}
}

// closeAll closes what is left of a task's requests.
func (n *network) closeAll(t *task) {
	for _, id := range slices.Sorted(maps.Keys(n.calls)) {
		if n.calls[id].task == t {
			n.close(id)
		}
	}
}

func failed(id int32, err error) event {
	return event{id, abi.EventFailed, rows.Pack(nil, int(fault.KindOf(err)), abi.ErrorText(err))}
}

// waiting returns the calls that have no answer yet, sorted: a host that answers in order makes the same run again.
func (n *network) waiting() (calls []host.Call, of []*lentCall) {
	for _, id := range slices.Sorted(maps.Keys(n.calls)) {
		if c := n.calls[id]; !c.told {
			calls, of = append(calls, c.call), append(of, c)
		}
	}
	return calls, of
}

// awaited reports whether a call of the task has no answer yet.
func (n *network) awaited(t *task) bool {
	for _, c := range n.calls {
		if c.task == t && !c.told {
			return true
		}
	}
	return false
}

// progress returns the event that tells how much has been sent, if it is of interest and has grown.
func (c *lentCall) progress() (event, bool) {
	sent := c.call.Sent()
	if !c.large || sent == c.sent {
		return event{}, false
	}
	c.sent = sent
	return event{c.id, abi.EventSent, rows.Pack(nil, sent)}, true
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
