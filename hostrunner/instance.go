package hostrunner

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/wasm/abi"
)

// instance is the engine Wazero: one instance of the guest with the memory and the open databases of one profile. Once it
// is made, only its loop calls exports.
type instance struct {
	ports  *ports
	lender *lender
	ctx    context.Context // of all calls of exports; it has the lender and never ends
	module api.Module
	stderr firstLines
	loop   *loop
	// release ends the use of the guest, once.
	release func() error

	alloc, start, event, tick, cancel api.Function
}

// newInstance instantiates the guest.
func newInstance(ctx context.Context, g *guest, p *ports) (*instance, error) {
	e := &instance{ports: p, lender: newLender(p)}
	e.ctx = lenderContext{context.WithoutCancel(ctx), e.lender}
	config := wazero.NewModuleConfig().WithName(""). // several instances at once
								WithStartFunctions(abi.ExportInitialize).
								WithStdout(&e.stderr).WithStderr(&e.stderr).
								WithRandSource(rand.Reader).WithSysWalltime().WithSysNanotime()
	m, err := g.instantiate(e.ctx, config)
	if err != nil {
		return nil, crash(e.crashText(err))
	}
	e.module = m
	for name, f := range map[string]*api.Function{
		abi.ExportAlloc: &e.alloc, abi.ExportCall: &e.start, abi.ExportEvent: &e.event,
		abi.ExportTick: &e.tick, abi.ExportCancel: &e.cancel,
	} {
		if *f = m.ExportedFunction(name); *f == nil {
			return nil, e.refuse("it does not export " + name)
		}
	}
	version := m.ExportedFunction(abi.ExportABI)
	if version == nil {
		return nil, e.refuse("it does not export " + abi.ExportABI)
	}
	if r, err := version.Call(e.ctx); err != nil || i32(r[0]) != abi.Version {
		return nil, e.refuse(fmt.Sprintf("its boundary has version %v, not %d (%v)", r, abi.Version, err))
	}
	g.use()
	e.release = sync.OnceValue(func() error { return g.release(e.ctx) })
	e.loop = startLoop(e, e.lender)
	return e, nil
}

func (e *instance) refuse(why string) error {
	_ = e.module.Close(e.ctx)
	return fault.New(fault.Internal, "the guest file does not fit this program: %s", why)
}

// call runs a method, as a task of the guest.
func (e *instance) call(ctx context.Context, method string, params []byte) ([]byte, error) {
	request, err := abi.EncodeRequest(method, params)
	if err != nil {
		return nil, err
	}
	answer, err := e.loop.call(ctx, request)
	if err != nil {
		return nil, err
	}
	return abi.DecodeAnswer(answer)
}

func (e *instance) startTask(task int32, request []byte) error {
	return e.invoke(e.start, request, uint64(task))
}

func (e *instance) deliver(ev event) error {
	return e.invoke(e.event, ev.data, uint64(ev.call), uint64(ev.kind))
}

func (e *instance) tickTask(task int32) error   { return e.invoke(e.tick, nil, uint64(task)) }
func (e *instance) cancelTask(task int32) error { return e.invoke(e.cancel, nil, uint64(task)) }

// invoke calls an export with args. If the export takes a buffer, it is passed after them; a nil buffer is passed by
// cf_event only, as length 0.
func (e *instance) invoke(f api.Function, buffer []byte, args ...uint64) error {
	if takesBuffer := len(f.Definition().ParamTypes()) > len(args); takesBuffer {
		ptr, err := e.place(buffer)
		if err != nil {
			return err
		}
		args = append(args, ptr, uint64(len(buffer)))
	}
	if _, err := f.Call(e.ctx, args...); err != nil {
		return crash(e.crashText(err))
	}
	return nil
}

// place copies b into a buffer of the guest.
func (e *instance) place(b []byte) (uint64, error) {
	if len(b) == 0 {
		return 0, nil
	}
	r, err := e.alloc.Call(e.ctx, uint64(len(b)))
	if err != nil {
		return 0, crash(e.crashText(err))
	}
	if !e.module.Memory().Write(uint32(r[0]), b) {
		return 0, crash("a buffer is outside of the guest's memory")
	}
	return r[0], nil
}

func (e *instance) crashed() bool { return e.loop.crashed() }

func (e *instance) close() error {
	e.loop.close()
	e.lender.close()
	return errors.Join(e.ports.close(), e.module.Close(e.ctx), e.release())
}

// crashText says why an export has failed: the first line that the Go runtime in the guest wrote about it, or what
// wazero says.
func (e *instance) crashText(err error) string {
	for line := range strings.Lines(e.stderr.String()) {
		if strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ") {
			return strings.TrimSpace(line)
		}
	}
	text, _, _ := strings.Cut(err.Error(), "\n")
	return text
}

// firstLines keeps what is written first, up to 8 KiB: the reason of a crash comes before its stack.
type firstLines struct{ bytes.Buffer }

func (t *firstLines) Write(p []byte) (int, error) {
	if room := 8<<10 - t.Len(); room > 0 {
		t.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}
