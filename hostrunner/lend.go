package hostrunner

import (
	"context"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/wasm/abi"
)

var _ abi.Imports = (*lender)(nil)

// lender answers the imports of one guest from ports. It knows nothing of Wasm: memory is lent as slices, which it
// does not keep.
type lender struct {
	ports *ports
	err   string // of the last import that failed
	dbs   handles[host.DB]
	stmts handles[*lentStmt]
	files handles[host.File]
	// drafts are media files that are being written.
	drafts handles[host.MediaDraft]
	net    network
	mail   *mailbox
	task   *task            // the one that runs, nil if none does
	ticks  []int32          // tasks that want to go on
	done   map[int32][]byte // answers of tasks
}

func newLender(p *ports) *lender {
	mail := &mailbox{}
	return &lender{
		ports: p, done: map[int32][]byte{}, mail: mail,
		net: network{http: p.host.HTTP, calls: map[int32]*lentCall{}, mail: mail},
	}
}

// ctx is that of the running task.
func (l *lender) ctx() context.Context {
	if l.task == nil {
		return context.Background()
	}
	return l.task.ctx
}

// close releases what a guest has left open; databases are closed with their ports.
func (l *lender) close() {
	for _, f := range l.files.m {
		_ = f.Close() // nobody waits for what was written
	}
	for _, st := range l.stmts.m {
		if st.db == 0 {
			_ = st.Close()
		}
	}
	for _, d := range l.drafts.m {
		d.Discard()
	}
}

// handles numbers what the guest has open.
type handles[T any] struct {
	m    map[int32]T
	last int32
}

func (h *handles[T]) add(v T) int32 {
	if h.m == nil {
		h.m = map[int32]T{}
	}
	h.last++
	h.m[h.last] = v
	return h.last
}

// take returns and forgets what a handle stands for.
func (h *handles[T]) take(n int32) (T, bool) {
	v, ok := h.m[n]
	delete(h.m, n)
	return v, ok
}

// fail notes err and returns its code.
func (l *lender) fail(err error) int32 {
	l.err = abi.ErrorText(err)
	return -int32(fault.KindOf(err))
}

// code is fail for imports that return nothing else.
func (l *lender) code(err error) int32 {
	if err != nil {
		return l.fail(err)
	}
	return 0
}

func (l *lender) unknown(what string, n int32) int32 {
	return l.fail(fault.New(fault.Internal, "there is no %s %d", what, n))
}

func (l *lender) LastError() string { return l.err }
func (l *lender) TaskDone(task int32, envelope []byte) {
	l.done[task] = append([]byte(nil), envelope...)
	if l.task != nil {
		l.task.lane.end() // in the guest's turn, so that a panic in the report is a crash like that in any other
	}
}
func (l *lender) Tick(task int32) { l.ticks = append(l.ticks, task) }
func (l *lender) Log(line string) { l.ports.log(line) }
func (l *lender) Now() int64      { return l.ports.host.Clock.Now().UnixMilli() }
func (l *lender) Random(p []byte) { l.ports.host.Random.Random(p) }

func (l *lender) Normalize(form int32, text string, buf []byte) int32 {
	s := text
	switch form {
	case abi.FormNFC:
		s = l.ports.host.Text.NFC(text)
	case abi.FormNFKD:
		s = l.ports.host.Text.NFKD(text)
	default:
		return l.unknown("normalization form", form)
	}
	if len(s) <= len(buf) {
		copy(buf, s)
	}
	return int32(len(s))
}

func (l *lender) Progress(_ int32, stage string, done, total int64) {
	l.ports.host.Events.Progress(host.Progress{Stage: host.Stage(stage), Done: done, Total: total})
}

func (l *lender) MinutesWest(ms int64) int32 {
	return int32(l.ports.host.Clock.MinutesWest(unixMilli(ms)))
}

// lentStmt is a statement with the rows that were read from it and did not fit into the guest's buffer.
type lentStmt struct {
	host.Stmt
	db   int32 // 0: a listing of media files, which belongs to none
	rest []byte
	row  rows.Row // of rest
	done bool
}

func (s *lentStmt) restart() { s.rest, s.done = nil, false }

// next writes whole rows into p. The statement appends to p itself, so that usually nothing is copied.
func (s *lentStmt) next(p []byte) (int64, error) {
	written := 0
	if len(s.rest) == 0 && !s.done {
		out, done, err := s.Next(p[:0:len(p)])
		if err != nil {
			return 0, err
		}
		s.done = done
		if len(out) <= len(p) {
			written = len(out) // out is p
		} else {
			s.rest = out
		}
	}
	for len(s.rest) > 0 {
		size, err := s.rowSize()
		if err != nil {
			return 0, err
		}
		if size > len(p)-written {
			if written == 0 {
				return int64(size) | abi.NextTooBig, nil
			}
			return int64(written), nil
		}
		copy(p[written:], s.rest[:size])
		written, s.rest = written+size, s.rest[size:]
	}
	if s.done {
		return int64(written) | abi.NextDone, nil
	}
	return int64(written), nil
}

// rowSize returns the size of the first row of rest.
func (s *lentStmt) rowSize() (int, error) {
	row, rest, err := rows.Decode(s.rest, s.row)
	s.row = row
	return len(s.rest) - len(rest), fault.Wrap(fault.Internal, err, "read rows")
}
