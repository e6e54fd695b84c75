package hostrunner

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/service"
	"github.com/cardferry/cardferry/wasm/abi"
)

// nativeEngine runs the core as it is compiled into this program.
type nativeEngine struct {
	ports   *ports
	service *service.Service
	broken  bool
}

func newNative(p *ports) *nativeEngine {
	return &nativeEngine{ports: p, service: service.New(p.host)}
}

// call sends the answer through the envelope, so that results and errors are those of the guest to the letter.
func (e *nativeEngine) call(ctx context.Context, method string, params []byte) ([]byte, error) {
	defer e.ports.begin(ctx)()
	result, err := e.run(ctx, method, params)
	return abi.DecodeAnswer(abi.EncodeAnswer(result, err))
}

// run makes a panic of the core an error, as a crash of the guest is one.
func (e *nativeEngine) run(ctx context.Context, method string, params []byte) (_ []byte, err error) {
	defer func() {
		if v := recover(); v != nil {
			e.broken = true
			e.ports.log(fmt.Sprintf("panic: %v\n%s", v, debug.Stack()))
			err = crash(fmt.Sprintf("panic: %v", v))
		}
	}()
	return e.service.Call(ctx, method, params)
}

func (e *nativeEngine) crashed() bool { return e.broken }

func (e *nativeEngine) close() error { return e.ports.close() }

// crash is the error of a call in which the core has crashed; text says how.
func crash(text string) error {
	return &fault.Error{
		Kind: fault.Internal, Message: "the core has crashed: " + text,
		Hint: "This is a defect of Cardferry. The collection is intact; try again.",
	}
}
