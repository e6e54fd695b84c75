package hostrunner

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/cardferry/cardferry/core/fault"
)

// engines keeps the engine of a profile: started when a call needs one, shared by calls that run at the same time, and,
// after a crash, closed by the last of them, before another one is started.
type engines struct {
	start func(context.Context) (engine, error)

	gate    chan struct{} // holds one token; who has it may use the fields below
	current *shared       // nil if none is started
	closed  bool
	calls   sync.WaitGroup
}

// shared is an engine in use.
type shared struct {
	engine
	users  int           // calls; guarded by the gate
	gone   chan struct{} // closed when the engine is closed after a crash
	opened atomic.Bool   // the collection is open; set in the profile's turn
}

func newEngines(start func(context.Context) (engine, error)) *engines {
	e := &engines{start: start, gate: make(chan struct{}, 1)}
	e.gate <- struct{}{}
	return e
}

func (e *engines) lock()   { <-e.gate }
func (e *engines) unlock() { e.gate <- struct{}{} }

// acquire returns the engine for one call. Errors: fault.Closed, fault.Cancelled, and those of starting one.
func (e *engines) acquire(ctx context.Context) (*shared, error) {
	for {
		select {
		case <-e.gate:
		case <-ctx.Done():
			return nil, fault.Wrap(fault.Cancelled, ctx.Err(), "wait for the engine")
		}
		s, joined, err := e.join(ctx)
		e.unlock()
		if joined || err != nil {
			return s, err
		}
		select {
		case <-s.gone:
		case <-ctx.Done():
			return nil, fault.Wrap(fault.Cancelled, ctx.Err(), "wait for a crashed call")
		}
	}
}

// join counts a call in, unless the engine has crashed and is not closed yet.
func (e *engines) join(ctx context.Context) (s *shared, joined bool, err error) {
	if e.closed {
		return nil, false, errClosed()
	}
	if e.current == nil {
		started, err := e.start(ctx)
		if err != nil {
			return nil, false, err
		}
		e.current = &shared{engine: started, gone: make(chan struct{})}
	}
	if e.current.crashed() { // by a call that is not over yet
		return e.current, false, nil
	}
	e.current.users++
	e.calls.Add(1)
	return e.current, true, nil
}

// release ends a call's use of the engine.
func (e *engines) release(s *shared) {
	e.lock()
	defer e.unlock()
	defer e.calls.Done()
	if s.users--; s.users == 0 && s.crashed() {
		_ = s.close() // the crash is the error that matters
		e.current = nil
		close(s.gone)
	}
}

// close refuses further calls, waits for those that run, and returns the engine, nil if none is started; first is false if that was
// done before.
func (e *engines) close() (last *shared, first bool) {
	e.lock()
	first = !e.closed
	e.closed = true
	e.unlock()
	e.calls.Wait()
	return e.current, first
}

func (e *engines) isClosed() bool {
	e.lock()
	defer e.unlock()
	return e.closed
}
