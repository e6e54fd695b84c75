package hostrunner

import (
	"context"
	"testing"
	"unsafe"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/hostrunner/nethost/nettest"
	"github.com/cardferry/cardferry/wasm/abi"
)

// plain is a guest without Wasm: the ports of wasm/abi on a lender, in one task that does what a test sends it. So
// the contract suites run through everything that lies between core and hosts, except the memory.
type plain struct {
	guest *abi.Guest
	loop  *loop
	ports host.Host // as the core sees them
	work  chan func()
}

func newPlain(t *testing.T) *plain {
	p := newPorts(OpenOptions{Dir: t.TempDir()})
	lent := newLender(p)
	l := &plain{work: make(chan func())}
	l.guest = abi.New(lent, func(h host.Host) abi.Service { l.ports = h; return l })
	l.loop = startLoop(l, lent)
	ended := make(chan error)
	go func() {
		_, err := l.loop.call(context.Background(), []byte(`{"method":"work"}`))
		ended <- err
	}()
	t.Cleanup(func() {
		close(l.work)
		if err := <-ended; err != nil {
			t.Error(err)
		}
		l.loop.close()
		if err := p.close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// Call is the task.
func (l *plain) Call(context.Context, string, []byte) ([]byte, error) {
	for f := range l.work {
		f()
	}
	return nil, nil
}

// do runs f in the task.
func (l *plain) do(f func()) {
	done := make(chan struct{})
	l.work <- func() { defer close(done); f() }
	<-done
}

// media returns the media port, whose imports need no running task.
func (l *plain) media() (media host.Media) {
	l.do(func() { media = l.ports.Media })
	return media
}

func (l *plain) pass(b []byte) []byte {
	p := l.guest.Alloc(int32(len(b)))
	copy(unsafe.Slice(p, max(len(b), 1)), b)
	return l.guest.Take(unsafe.Pointer(p), int32(len(b)))
}

func (l *plain) startTask(task int32, request []byte) error {
	l.guest.Call(task, l.pass(request))
	return nil
}

func (l *plain) deliver(e event) error {
	l.guest.Event(e.call, e.kind, l.pass(e.data))
	return nil
}

func (l *plain) tickTask(task int32) error   { l.guest.Tick(task); return nil }
func (l *plain) cancelTask(task int32) error { l.guest.Cancel(task); return nil }

// nudge makes the task look at its context when ctx ends, as a real host does by cf_cancel.
func (l *plain) nudge(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, func() {
		l.loop.mail.post(func() error {
			for _, c := range l.loop.lender.net.calls {
				if err := l.loop.deliver(c.task, event{c.id, abi.EventSent, rows.Pack(nil, 0)}, false); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

type (
	loopSQL struct{ l *plain }
	loopDB  struct {
		l  *plain
		db host.DB
	}
	loopStmt struct {
		l  *plain
		st host.Stmt
	}
	loopFiles struct{ l *plain }
	loopFile  struct {
		l *plain
		f host.File
	}
	loopHTTP struct{ l *plain }
	loopCall struct {
		l *plain
		c host.Call
	}
)

func (s loopSQL) Open(ctx context.Context, name string, mode host.OpenMode) (db host.DB, err error) {
	s.l.do(func() { db, err = s.l.ports.SQL.Open(ctx, name, mode) })
	if err != nil {
		return nil, err
	}
	return loopDB{s.l, db}, nil
}

func (d loopDB) Exec(sql string) (err error) { d.l.do(func() { err = d.db.Exec(sql) }); return }
func (d loopDB) CopyInto(n string, compact bool) (err error) {
	d.l.do(func() { err = d.db.CopyInto(n, compact) })
	return
}
func (d loopDB) CheckIntegrity(limit int) (lines []string, err error) {
	d.l.do(func() { lines, err = d.db.CheckIntegrity(limit) })
	return
}
func (d loopDB) Rollback() (err error) { d.l.do(func() { err = d.db.Rollback() }); return }
func (d loopDB) Close() (err error)    { d.l.do(func() { err = d.db.Close() }); return }
func (d loopDB) Prepare(sql string) (st host.Stmt, err error) {
	d.l.do(func() { st, err = d.db.Prepare(sql) })
	if err != nil {
		return nil, err
	}
	return loopStmt{d.l, st}, nil
}

func (s loopStmt) Run(p []byte) (n int64, err error) { s.l.do(func() { n, err = s.st.Run(p) }); return }
func (s loopStmt) Query(p []byte) (err error)        { s.l.do(func() { err = s.st.Query(p) }); return }
func (s loopStmt) Close() (err error)                { s.l.do(func() { err = s.st.Close() }); return }
func (s loopStmt) Next(b []byte) (r []byte, done bool, err error) {
	s.l.do(func() { r, done, err = s.st.Next(b) })
	return
}

func (s loopFiles) Create(name string) (host.File, error) { return s.file(host.Files.Create, name) }
func (s loopFiles) Open(name string) (host.File, error)   { return s.file(host.Files.Open, name) }
func (s loopFiles) file(open func(host.Files, string) (host.File, error), name string) (f host.File, err error) {
	s.l.do(func() { f, err = open(s.l.ports.Files, name) })
	if err != nil {
		return nil, err
	}
	return loopFile{s.l, f}, nil
}
func (s loopFiles) Stat(name string) (i host.FileInfo, err error) {
	s.l.do(func() { i, err = s.l.ports.Files.Stat(name) })
	return
}
func (s loopFiles) List(prefix string) (i []host.FileInfo, err error) {
	s.l.do(func() { i, err = s.l.ports.Files.List(prefix) })
	return
}
func (s loopFiles) Remove(name string) (err error) {
	s.l.do(func() { err = s.l.ports.Files.Remove(name) })
	return
}
func (s loopFiles) Replace(from, to string) (err error) {
	s.l.do(func() { err = s.l.ports.Files.Replace(from, to) })
	return
}

func (s loopFile) ReadAt(p []byte, off int64) (n int, err error) {
	s.l.do(func() { n, err = s.f.ReadAt(p, off) })
	return
}
func (s loopFile) Write(p []byte) (n int, err error) {
	s.l.do(func() { n, err = s.f.Write(p) })
	return
}
func (s loopFile) Size() (n int64, err error) { s.l.do(func() { n, err = s.f.Size() }); return }
func (s loopFile) Sync() (err error)          { s.l.do(func() { err = s.f.Sync() }); return }
func (s loopFile) Close() (err error)         { s.l.do(func() { err = s.f.Close() }); return }

func (s loopHTTP) Start(ctx context.Context, req *host.Request) (c host.Call) {
	s.l.do(func() { c = s.l.ports.HTTP.Start(ctx, req) })
	return loopCall{s.l, c}
}

func (s loopHTTP) Wait(ctx context.Context, calls []host.Call) (i int, err error) {
	inner := make([]host.Call, len(calls))
	for i, c := range calls {
		inner[i] = c.(loopCall).c
	}
	defer s.l.nudge(ctx)()
	s.l.do(func() { i, err = s.l.ports.HTTP.Wait(ctx, inner) })
	return
}

func (c loopCall) Response() (r *host.Response, err error) {
	c.l.do(func() { r, err = c.c.Response() })
	return
}
func (c loopCall) Sent() (n int64) { c.l.do(func() { n = c.c.Sent() }); return }
func (c loopCall) Close()          { c.l.do(c.c.Close) }
func (c loopCall) Read(ctx context.Context, p []byte) (n int, err error) {
	defer c.l.nudge(ctx)()
	c.l.do(func() { n, err = c.c.Read(ctx, p) })
	return
}

func TestContractSQL(t *testing.T) {
	t.Parallel()
	coretest.TestSQL(t, func(t *testing.T) host.SQL { return loopSQL{newPlain(t)} })
}

func TestContractFiles(t *testing.T) {
	t.Parallel()
	coretest.TestFiles(t, func(t *testing.T) host.Files { return loopFiles{newPlain(t)} })
}

func TestContractStorage(t *testing.T) {
	t.Parallel()
	coretest.TestStorage(t, func(t *testing.T) (host.SQL, host.Files) {
		l := newPlain(t)
		return loopSQL{l}, loopFiles{l}
	})
}

func TestContractHTTP(t *testing.T) {
	t.Parallel()
	coretest.TestHTTP(t, func(t *testing.T) *coretest.HTTPFixture {
		l := newPlain(t)
		return &coretest.HTTPFixture{HTTP: loopHTTP{l}, Files: loopFiles{l}, Media: l.media(), BaseURL: nettest.Server(t), DeadURL: nettest.DeadURL(t)}
	})
}

// TestContractText uses the port outside of the task: a text has no handle.
func TestContractText(t *testing.T) {
	t.Parallel()
	l := newPlain(t)
	var text host.Text
	l.do(func() { text = l.ports.Text })
	coretest.TestText(t, text)
}

func TestContractMedia(t *testing.T) {
	t.Parallel()
	coretest.TestMedia(t, func(t *testing.T) host.Media { return newPlain(t).media() })
}

// TestUnknownHandles: a defect of the guest, answered and survived.
func TestUnknownHandles(t *testing.T) {
	t.Parallel()
	l := newLender(newPorts(OpenOptions{Dir: t.TempDir()}))
	for name, code := range map[string]int64{
		"exec": int64(l.SQLExec(9, "")), "prepare": int64(l.SQLPrepare(9, "")), "run": l.SQLRun(9, nil), "query": int64(l.SQLQuery(9, nil)),
		"next": l.SQLNext(9, nil), "check": int64(l.SQLCheck(9, 1)), "copy": int64(l.SQLCopyInto(9, "x", 1)), "rollback": int64(l.SQLRollback(9)), "close": int64(l.SQLClose(9)),
		"read": int64(l.FileRead(9, 0, nil)), "write": int64(l.FileWrite(9, nil)), "sync": int64(l.FileSync(9)), "size": l.FileSize(9), "close file": int64(l.FileClose(9)),
		"write draft": int64(l.MediaWrite(9, nil)), "sum": int64(l.MediaSum(9, nil)), "install": int64(l.MediaInstall(9, "a", 0, 0, 0, nil)), "discard": int64(l.MediaDiscard(9)),
	} {
		if code != -28 {
			t.Errorf("%s: %d", name, code)
		}
	}
	if l.SQLFinalize(9) != 0 {
		t.Error("finalize after the close of its database is no error")
	}
}

// TestBadRequests: what is wrong with a request comes as an event.
func TestBadRequests(t *testing.T) {
	t.Parallel()
	l := newLender(newPorts(OpenOptions{Dir: t.TempDir()}))
	l.task = &task{id: 1, ctx: t.Context()}
	var got []event
	l.net.deliver = func(to *task, e event, promised bool) error {
		if to != l.task || !promised {
			t.Errorf("event for %v, promised %v", to, promised)
		}
		got = append(got, e)
		return nil
	}
	l.HTTPStart(1, []byte{1})
	l.HTTPRead(1, 1)
	l.HTTPRead(5, 1)
	l.HTTPClose(5)
	if l.task.pending != 3 {
		t.Errorf("%d events are promised", l.task.pending)
	}
	for _, do := range l.mail.take() {
		if err := do(); err != nil {
			t.Error(err)
		}
	}
	if len(got) != 3 || got[0].kind != abi.EventFailed || got[1].kind != abi.EventFailed || got[2].call != 5 {
		t.Errorf("events %v", got)
	}
}
