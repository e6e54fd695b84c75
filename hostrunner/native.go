package hostrunner

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/wasm/abi"
)

// nativeEngine runs the core as it is compiled into this program.
type nativeEngine struct {
	ports   *ports
	turns   *turns
	service abi.Service

	mu      sync.Mutex
	broken  error // how the core has crashed
	running map[*lane]context.CancelFunc
}

// newNative returns an engine on p. newService gets the ports and returns what answers the calls.
func newNative(p *ports, newService func(host.Host) abi.Service) *nativeEngine {
	t := &turns{ports: p}
	return &nativeEngine{ports: p, turns: t, service: newService(t.share(p.host)), running: map[*lane]context.CancelFunc{}}
}

// call runs a method. It sends the answer through the envelope, so that results and errors are those of
// the guest to the letter.
func (e *nativeEngine) call(ctx context.Context, method string, params []byte) ([]byte, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	l := e.ports.newLane(ctx)
	return abi.DecodeAnswer(abi.EncodeAnswer(e.run(ctx, cancel, l, method, params)))
}

// run runs a method in its turns. It makes a panic of the core an error, as a crash of the guest is one. All other calls end with it.
func (e *nativeEngine) run(ctx context.Context, cancel context.CancelFunc, l *lane, method string, params []byte) (result []byte, err error) {
	e.turns.take(l)
	defer e.turns.give()
	if err := e.begin(l, cancel); err != nil {
		return nil, err
	}
	defer func() {
		if v := recover(); v != nil {
			e.ports.log(fmt.Sprintf("panic: %v\n%s", v, debug.Stack()))
			e.crash(crash(fmt.Sprintf("panic: %v", v)))
		}
		if broken := e.end(l); broken != nil {
			result, err = nil, broken
		}
	}()
	result, err = e.service.Call(ctx, method, params)
	l.end() // in its turn: the caller gets one report at a time
	return result, err
}

func (e *nativeEngine) begin(l *lane, cancel context.CancelFunc) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.broken == nil {
		e.running[l] = cancel
	}
	return e.broken
}

// end returns how the core has crashed meanwhile, if it has.
func (e *nativeEngine) end(l *lane) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.running, l)
	return e.broken
}

func (e *nativeEngine) crash(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.broken == nil {
		e.broken = err
	}
	for _, cancel := range e.running {
		cancel()
	}
}

func (e *nativeEngine) crashed() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.broken != nil
}

func (e *nativeEngine) close() error { return e.ports.close() }

// crash is the error of a call in which the core has crashed; text says how.
func crash(text string) error {
	return &fault.Error{
		Kind: fault.Internal, Message: "the core has crashed: " + text,
		Hint: "This is a defect of Cardferry. The collection is intact; try again.",
	}
}
