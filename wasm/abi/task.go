package abi

import (
	"context"
	"fmt"
	"iter"
	"runtime"

	"github.com/cardferry/cardferry/core/host"
)

// Service does the work behind the calls: core/service in the shipped guest.
type Service interface {
	Call(ctx context.Context, method string, params []byte) (result []byte, err error)
}

// Guest runs the tasks of one instance. Its methods are the exports of wasm/ABI.md; like them they are called by one
// thread, never while another one runs (cf_collate is the exception, and does not touch a Guest).
//
// Each task is a coroutine. When a port has to wait, it suspends the coroutine and the export returns; a later export
// resumes it. So code behind the ports looks blocking, and no export ever blocks, which Go's runtime does not support:
// a blocked export traps under wasip1 and returns nonsense under js. For the same reason a Service must not start
// goroutines that use the ports.
type Guest struct {
	imports Imports
	service Service
	tasks   map[int32]*task
	calls   map[int32]*call
	last    int32 // the last call number given
	running *task
	buffer  []byte
	batch   []byte // see stmt.Next
	spare   []byte // for the data of the next streamed body
}

// waiting says what a suspended task waits for.
type waiting uint8

const (
	forNetwork waiting = iota + 1
	forTick
)

type task struct {
	id      int32
	ctx     context.Context
	cancel  context.CancelFunc
	next    func() (waiting, bool)
	yield   func(waiting) bool
	waiting waiting
	turn    int64  // when the task got its turn, Unix milliseconds
	answer  []byte // set when the coroutine has ended
}

// New returns a Guest on the imports. newService gets the ports and returns what answers the calls.
func New(imports Imports, newService func(host.Host) Service) *Guest {
	g := &Guest{imports: imports, tasks: map[int32]*task{}, calls: map[int32]*call{}}
	g.service = newService(host.Host{
		SQL: sqlPort{g}, HTTP: httpPort{g}, Files: filesPort{g}, Media: mediaPort{g},
		Clock: clockPort{g}, Random: randomPort{g}, Text: textPort{g}, Events: eventsPort{g}, Yield: yieldPort{g},
	})
	return g
}

// Call starts a task and runs it until it suspends or ends; request is an envelope. A task number that is not
// positive or in use is a defect of the host and panics.
func (g *Guest) Call(id int32, request []byte) {
	if id <= 0 || g.tasks[id] != nil {
		panic(fmt.Sprintf("abi: task number %d is in use or not positive", id))
	}
	t := &task{id: id}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	r, err := DecodeRequest(request)
	t.next, _ = iter.Pull(func(yield func(waiting) bool) {
		defer g.logPanic()
		growStack(new(byte))
		t.yield = yield
		var result []byte
		if err == nil {
			result, err = g.service.Call(t.ctx, r.Method, r.Params)
		}
		t.answer = EncodeAnswer(result, err)
	})
	g.tasks[id] = t
	g.resume(t)
}

// growStack gives a new stack the room that a task needs: growing it bit by bit, with ever more frames to move, was a
// tenth of the work of a sync that has nothing to do.
//
//go:noinline
func growStack(index *byte) {
	var room [16 << 10]byte
	*index = room[*index]
}

// logPanic hands the stack of a panicking task to the host and lets the panic go on: iter.Pull raises it again in the
// export, where the task's own stack is gone. The instance ends with it (wasm/ABI.md).
func (g *Guest) logPanic() {
	if v := recover(); v != nil {
		stack := make([]byte, 8<<10)
		g.imports.Log(fmt.Sprintf("panic: %v\n%s", v, stack[:runtime.Stack(stack, false)]))
		panic(v)
	}
}

// Tick continues a task that has asked for it. One that waits for something else, or is over, is left alone: it may
// have been cancelled meanwhile.
func (g *Guest) Tick(id int32) {
	if t := g.tasks[id]; t != nil && t.waiting == forTick {
		g.resume(t)
	}
}

// Cancel cancels the context of a task and lets it run. An unknown task is ignored.
func (g *Guest) Cancel(id int32) {
	if t := g.tasks[id]; t != nil {
		t.cancel()
		g.resume(t)
	}
}

func (g *Guest) resume(t *task) {
	if g.running != nil {
		panic("abi: an export was called while another one runs")
	}
	g.running, t.turn = t, g.imports.Now()
	w, suspended := t.next()
	g.running = nil
	if suspended {
		t.waiting = w
		return
	}
	t.cancel()
	delete(g.tasks, t.id)
	g.closeCallsOf(t)
	g.imports.TaskDone(t.id, t.answer)
}

// suspend ends the running export; it returns when the task is resumed.
func (g *Guest) suspend(w waiting) {
	g.current().yield(w)
}

func (g *Guest) current() *task {
	if g.running == nil {
		panic("abi: a port was used outside of a task")
	}
	return g.running
}
