package hostrunner

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/cardferry/cardferry/core/fault"
)

// exports are those exports of a guest that run its tasks. Their errors mean that the guest has crashed.
type exports interface {
	startTask(task int32, request []byte) error
	deliver(e event) error
	tickTask(task int32) error
	cancelTask(task int32) error
}

// grace is how long requests of a cancelled call may go on: time to tell the server about it.
const grace = 700 * time.Millisecond

// patience is how long answers may wait while streams bring data.
const patience = 20 * time.Millisecond

// loop runs the tasks of one guest in a goroutine of its own, the only one that calls exports: each task in turn, until it
// waits for the network or ticks.
type loop struct {
	exports exports
	lender  *lender
	mail    *mailbox
	tasks   map[int32]*task
	last    int32         // the last task number
	looked  time.Time     // when the network was last asked for answers
	stop    bool          // set by close
	ended   chan struct{} // closed when the goroutine has ended
	broken  atomic.Bool   // the guest has crashed; set before a call learns of it
	crash   error         // how it has crashed; read it after ended
}

// task is a running call.
type task struct {
	id   int32
	lane *lane
	// ctx is that of the task's requests and of imports that take one. It outlives a cancel by grace.
	ctx  context.Context
	end  func()
	done chan<- outcome
	// pending counts events that were promised to the task and not delivered yet.
	pending int
}

// outcome is how a task has ended: with an answer envelope, or by a crash of the guest.
type outcome struct {
	answer []byte
	err    error
}

func startLoop(x exports, l *lender) *loop {
	p := &loop{exports: x, lender: l, mail: l.mail, tasks: map[int32]*task{}, ended: make(chan struct{})}
	l.net.deliver = p.deliver
	go p.run()
	return p
}

// call runs a task and returns its answer envelope. The end of ctx cancels it. A task that computes, or waits for a
// statement that another one runs, notices that in its next turn.
func (p *loop) call(ctx context.Context, request []byte) ([]byte, error) {
	done := make(chan outcome, 1)
	if !p.mail.post(func() error { return p.start(ctx, request, done) }) {
		<-p.ended
		return nil, p.reason()
	}
	select {
	case o := <-done:
		return o.answer, o.err
	case <-p.ended:
	}
	select {
	case o := <-done:
		return o.answer, o.err
	default:
		return nil, p.reason() // it was not started any more
	}
}

// reason is why the loop has ended.
func (p *loop) reason() error {
	if p.crash != nil {
		return p.crash
	}
	return fault.New(fault.Closed, "the engine is closed")
}

// close ends the loop. No call may be running.
func (p *loop) close() {
	p.mail.post(func() error { p.stop = true; return nil })
	<-p.ended
}

// crashed reports whether the guest must not be used again.
func (p *loop) crashed() bool { return p.broken.Load() }

func (p *loop) run() {
	defer close(p.ended)
	defer p.mail.close()
	for !p.stop {
		if err := p.step(); err != nil {
			p.crash = err
			p.broken.Store(true)
			for _, t := range p.tasks {
				p.finish(t, outcome{err: err})
			}
			return
		}
	}
}

// step does what has come up, or waits until something does. Tasks that tick have their next turn after that.
func (p *loop) step() error {
	for _, do := range p.mail.take() {
		if err := do(); err != nil {
			return err
		}
	}
	if p.stop {
		return nil
	}
	if len(p.lender.ticks) > 0 || time.Since(p.looked) > patience {
		if err := p.glance(); err != nil {
			return err
		}
	}
	if len(p.lender.ticks) == 0 {
		_, err := p.wait(context.Background())
		return err
	}
	ticks := p.lender.ticks
	p.lender.ticks = nil
	for _, id := range ticks {
		if t := p.tasks[id]; t != nil {
			if err := p.turn(t, func() error { return p.exports.tickTask(id) }); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *loop) start(ctx context.Context, request []byte, done chan<- outcome) error {
	p.last++
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	t := &task{id: p.last, lane: p.lender.ports.newLane(ctx), ctx: base, done: done}
	stop := context.AfterFunc(ctx, func() {
		time.AfterFunc(grace, cancel)
		p.mail.post(func() error { return p.cancel(t) })
	})
	t.end = func() { stop(); cancel() }
	p.tasks[t.id] = t
	return p.turn(t, func() error { return p.exports.startTask(t.id, request) })
}

func (p *loop) cancel(t *task) error {
	if p.tasks[t.id] != t {
		return nil
	}
	return p.turn(t, func() error { return p.exports.cancelTask(t.id) })
}

// deliver hands an event to the task of its call. It counts one for one of those that were promised.
func (p *loop) deliver(t *task, e event, promised bool) error {
	if promised {
		t.pending--
	}
	switch {
	case p.tasks[t.id] != t:
		return nil
	case p.lender.net.calls[e.call] == nil: // closed meanwhile
		return p.check(t)
	}
	return p.turn(t, func() error { return p.exports.deliver(e) })
}

// turn lets a task run by an export.
func (p *loop) turn(t *task, export func() error) error {
	p.lender.task = t
	p.lender.ports.enter(t.lane)
	err := export()
	p.lender.task = nil
	p.lender.ports.enter(nil)
	if err != nil {
		return err
	}
	if answer, ok := p.lender.done[t.id]; ok {
		delete(p.lender.done, t.id)
		p.finish(t, outcome{answer: answer})
		return nil
	}
	return p.check(t)
}

// check fails if a task can never go on.
func (p *loop) check(t *task) error {
	if t.pending == 0 && !slices.Contains(p.lender.ticks, t.id) && !p.lender.net.awaited(t) {
		return crash("the guest waits for nothing")
	}
	return nil
}

func (p *loop) finish(t *task, o outcome) {
	delete(p.tasks, t.id)
	p.lender.net.closeAll(t)
	t.end()
	t.done <- o
}

// glance delivers the answers that have come while a task was computing, or while much mail came.
func (p *loop) glance() error {
	const most = 32 // then others have a turn
	for range most {
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		answered, err := p.wait(ctx)
		cancel()
		if !answered || err != nil {
			return err
		}
	}
	return nil
}

// wait waits for an answer of the network, for mail, or for the end of ctx.
func (p *loop) wait(ctx context.Context) (answered bool, err error) {
	ctx, ring := context.WithCancel(ctx)
	defer ring()
	if !p.mail.sleep(ring) {
		return false, nil
	}
	defer p.mail.wake()
	calls, of := p.lender.net.waiting()
	p.looked = time.Now()
	if len(calls) == 0 {
		<-ctx.Done()
		return false, nil
	}
	i, err := p.lender.net.http.Wait(ctx, calls)
	switch {
	case err != nil && ctx.Err() != nil:
		return false, nil
	case err != nil:
		return false, err
	case i < 0:
		return false, p.tellSent(of)
	}
	return true, p.answered(i, of)
}

// answered delivers the answer of call i.
func (p *loop) answered(i int, of []*lentCall) error {
	if of[i].large { // now all of it has been sent
		if err := p.tellSent(of[i : i+1]); err != nil {
			return err
		}
	}
	of[i].told = true
	return p.deliver(of[i].task, answerOf(of[i]), false)
}

// tellSent tells tasks how much of large bodies has been sent.
func (p *loop) tellSent(calls []*lentCall) error {
	for _, c := range calls {
		if e, ok := c.progress(); ok {
			if err := p.deliver(c.task, e, false); err != nil {
				return err
			}
		}
	}
	return nil
}
