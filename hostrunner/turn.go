package hostrunner

import (
	"context"
	"sync"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
)

// turnLength is how long a task of the native engine computes before Tick lets another one go on, as in a guest.
const turnLength = 100 * time.Millisecond

// turns makes the tasks of the native engine run one at a time, as those of a guest do: each in a goroutine of its own,
// which has its turn except while it waits for the network, or lets others go on.
type turns struct {
	ports *ports

	mu     sync.Mutex
	taken  bool
	queue  []chan struct{} // who waits, in order
	holder *lane
	since  time.Time
}

// take waits for the turn.
func (t *turns) take(l *lane) {
	t.mu.Lock()
	if t.taken {
		ready := make(chan struct{})
		t.queue = append(t.queue, ready)
		t.mu.Unlock()
		<-ready // give has left taken set
		t.mu.Lock()
	}
	defer t.mu.Unlock()
	t.taken, t.holder, t.since = true, l, time.Now()
	t.ports.enter(l)
}

// give ends the turn and returns whose it was.
func (t *turns) give() *lane {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.holder
	t.ports.enter(nil)
	t.holder = nil
	if len(t.queue) > 0 {
		close(t.queue[0])
		t.queue = t.queue[1:]
	} else {
		t.taken = false
	}
	return l
}

// without runs wait, which blocks, while others have the turn.
func (t *turns) without(wait func()) {
	l := t.give()
	defer t.take(l)
	wait()
}

// overdue reports whether another task waits and this one has had its time.
func (t *turns) overdue() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.queue) > 0 && time.Since(t.since) >= turnLength
}

// share makes the ports that block give up the turn.
func (t *turns) share(h host.Host) host.Host {
	h.HTTP, h.Yield = sharedHTTP{h.HTTP, t}, sharedYield{h.Yield, t}
	return h
}

type sharedHTTP struct {
	host.HTTP
	turns *turns
}

type sharedCall struct {
	host.Call
	turns *turns
}

func (s sharedHTTP) Start(ctx context.Context, req *host.Request) host.Call {
	return sharedCall{s.HTTP.Start(ctx, req), s.turns}
}

func (s sharedHTTP) Wait(ctx context.Context, calls []host.Call) (i int, err error) {
	inner := make([]host.Call, len(calls))
	for i, c := range calls {
		own, ok := c.(sharedCall)
		if !ok {
			return -1, fault.New(fault.Internal, "wait: not a call of this host")
		}
		inner[i] = own.Call
	}
	s.turns.without(func() { i, err = s.HTTP.Wait(ctx, inner) })
	return i, err
}

func (c sharedCall) Read(ctx context.Context, p []byte) (n int, err error) {
	c.turns.without(func() { n, err = c.Call.Read(ctx, p) })
	return n, err
}

type sharedYield struct {
	host.Yielder
	turns *turns
}

func (s sharedYield) Tick(ctx context.Context) error {
	if s.turns.overdue() {
		s.turns.without(func() {})
	}
	return s.Yielder.Tick(ctx)
}

func (s sharedYield) Pause(ctx context.Context) error {
	s.turns.without(func() {})
	return s.Yielder.Pause(ctx)
}
