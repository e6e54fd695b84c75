package abi_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/wasm/abi"
)

// service answers calls with a function that sees the ports.
type service struct {
	h  host.Host
	do func(ctx context.Context, h host.Host, method string, params []byte) ([]byte, error)
}

func (s service) Call(ctx context.Context, method string, params []byte) ([]byte, error) {
	return s.do(ctx, s.h, method, params)
}

type doFunc = func(ctx context.Context, h host.Host, method string, params []byte) ([]byte, error)

func newGuest(do doFunc) (*imports, *abi.Guest) {
	f := newImports()
	return f, abi.New(f, func(h host.Host) abi.Service { return service{h, do} })
}

// send passes bytes as a host does: a buffer from Alloc, filled, and taken by the export.
func send(g *abi.Guest, b []byte) []byte {
	p := g.Alloc(int32(len(b)))
	copy(unsafe.Slice(p, max(len(b), 1)), b)
	return g.Take(unsafe.Pointer(p), int32(len(b)))
}

func call(g *abi.Guest, id int32, method string) {
	g.Call(id, send(g, []byte(`{"method":"`+method+`"}`)))
}

func TestCall(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, request, want string }{
		{"result", `{"method":"echo","params":{"a":1}}`, `{"result":{"a":1}}`},
		{"no params", `{"method":"echo"}`, `{"result":{}}`},
		{"typed error", `{"method":"fail"}`, `{"error":{"kind":16,"message":"too big","hint":"Shrink it.","changed":true,"details":{"limit":5}}}`},
		{"other error", `{"method":"plain"}`, `{"error":{"kind":1,"message":"plain","hint":"","changed":false}}`},
		{"not JSON", `{"method":`, `{"error":{"kind":5,"message":"decode the call: not valid JSON","hint":"","changed":false}}`},
		{"trailing bytes", `{"method":"echo"} x`, `{"error":{"kind":5,"message":"decode the call: not valid JSON","hint":"","changed":false}}`},
		{"no method", `{}`, `{"error":{"kind":5,"message":"decode the call: no method","hint":"","changed":false}}`},
		{"result is not JSON", `{"method":"broken"}`, `{"error":{"kind":28,"message":"the result is not JSON","hint":"","changed":false}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f, g := newGuest(func(_ context.Context, _ host.Host, method string, params []byte) ([]byte, error) {
				switch method {
				case "fail":
					e := fault.New(fault.TooLarge, "too big").WithHint("Shrink it.").With("limit", 5)
					e.Changed = true
					return nil, e
				case "plain":
					return nil, errors.New("plain")
				case "broken":
					return []byte("broken"), nil
				}
				return params, nil
			})
			g.Call(1, send(g, []byte(tt.request)))
			if f.done[1] != tt.want {
				t.Errorf("got  %s\nwant %s", f.done[1], tt.want)
			}
		})
	}
}

func TestAnswerRoundTrip(t *testing.T) {
	t.Parallel()
	e := fault.New(fault.Sanity, "differs").WithHint("h").With("tables", "cards")
	e.Changed = true
	_, err := abi.DecodeAnswer(abi.EncodeAnswer(nil, fmt.Errorf("sync: %w", e)))
	got, ok := errors.AsType[*fault.Error](err)
	if !ok || got.Kind != fault.Sanity || got.Message != "sync: differs" || got.Hint != "h" || !got.Changed || got.Details["tables"] != "cards" {
		t.Errorf("got %#v", err)
	}
	if b, err := abi.DecodeAnswer(abi.EncodeAnswer(nil, nil)); err != nil || string(b) != "{}" {
		t.Errorf("got %s, %v", b, err)
	}
	for _, bad := range []string{"", "{}", `{"result":{},"error":{"kind":1}}`, `{"result":{}}x`} {
		if _, err := abi.DecodeAnswer([]byte(bad)); fault.KindOf(err) != fault.Internal {
			t.Errorf("%q: got %v", bad, err)
		}
	}
	if _, err := abi.DecodeAnswer([]byte(`{"error":{"kind":200,"message":"of a newer guest"}}`)); fault.KindOf(err) != fault.Other {
		t.Errorf("unknown kind: got %v", err)
	}
}

// TestTick has one task that ticks; it suspends only when its turn is over.
func TestTick(t *testing.T) {
	t.Parallel()
	var f *imports
	steps := 0
	f, g := newGuest(func(ctx context.Context, h host.Host, _ string, _ []byte) ([]byte, error) {
		for range 10 {
			if err := h.Yield.Tick(ctx); err != nil {
				return nil, err
			}
			steps++
			f.now += 40
		}
		return nil, nil
	})
	call(g, 3, "run")
	if steps != 3 || !slices.Equal(f.lines, []string{"tick 3"}) {
		t.Fatalf("%d steps, %q", steps, f.lines)
	}
	g.Tick(4)     // unknown: ignored
	f.now -= 5000 // the clock is set back while the task waits
	for len(f.done) == 0 {
		g.Tick(3)
	}
	if steps != 10 || f.done[3] != `{"result":{}}` || len(f.lines) != 3 {
		t.Errorf("%d steps, %q, %q", steps, f.done[3], f.lines)
	}
	g.Tick(3)
	g.Cancel(3)
}

// TestCompress: a file is compressed in several turns if the host says so, and not any more once that was cancelled.
func TestCompress(t *testing.T) {
	t.Parallel()
	f, g := newGuest(func(ctx context.Context, h host.Host, _ string, _ []byte) ([]byte, error) {
		ok, err := h.Files.(host.Compressor).Compress(ctx, "a", "b")
		return fmt.Appendf(nil, `{"ok":%v}`, ok), err
	})
	f.code = abi.Unfinished
	call(g, 1, "run")
	g.Tick(1)
	f.code = 0
	g.Tick(1)
	f.code = abi.NotOffered
	call(g, 2, "run")
	f.code = abi.Unfinished
	call(g, 3, "run")
	g.Cancel(3)
	f.code = -int64(fault.StorageFull)
	call(g, 4, "run")
	const compress = "compress a b"
	want := []string{compress, "tick 1", compress, "tick 1", compress, compress, compress, "tick 3", compress}
	if !slices.Equal(f.lines, want) {
		t.Errorf("%q", f.lines)
	}
	for task, answer := range map[int32]string{1: `{"result":{"ok":true}}`, 2: `{"result":{"ok":false}}`, 3: `{"error":{"kind":25,`, 4: `{"error":{"kind":`} {
		if !strings.HasPrefix(f.done[task], answer) {
			t.Errorf("task %d: %s", task, f.done[task])
		}
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	const cancelled = `{"error":{"kind":25,"message":"context canceled","hint":"","changed":false}}`
	waits := map[string]doFunc{
		"tick": func(ctx context.Context, h host.Host, _ string, _ []byte) ([]byte, error) {
			for {
				if err := h.Yield.Tick(ctx); err != nil {
					return nil, err
				}
			}
		},
		"wait": func(ctx context.Context, h host.Host, _ string, _ []byte) ([]byte, error) {
			c := h.HTTP.Start(ctx, &host.Request{})
			_, err := h.HTTP.Wait(ctx, []host.Call{c})
			return nil, err
		},
		"read": func(ctx context.Context, h host.Host, _ string, _ []byte) ([]byte, error) {
			_, err := h.HTTP.Start(ctx, &host.Request{}).Read(ctx, make([]byte, 10))
			return nil, err
		},
	}
	for name, do := range waits {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var f *imports
			f, g := newGuest(func(ctx context.Context, h host.Host, m string, p []byte) ([]byte, error) {
				f.now += 1000
				return do(ctx, h, m, p)
			})
			call(g, 1, "x")
			if len(f.done) != 0 {
				t.Fatal("did not wait")
			}
			g.Cancel(2)
			g.Cancel(1)
			if f.done[1] != cancelled {
				t.Errorf("got %s", f.done[1])
			}
			if name != "tick" && f.lines[len(f.lines)-1] != "close call 1" {
				t.Errorf("the call was left open: %q", f.lines)
			}
			g.Event(1, abi.EventEnd, nil) // late: ignored
			g.Cancel(1)
			g.Tick(1)
		})
	}
}

// TestPanic: the stack reaches the log, the panic the export.
func TestPanic(t *testing.T) {
	t.Parallel()
	f, g := newGuest(func(context.Context, host.Host, string, []byte) ([]byte, error) { panic("ouch") })
	func() {
		defer func() {
			if v := recover(); v != "ouch" {
				t.Errorf("recovered %v", v)
			}
		}()
		call(g, 1, "x")
	}()
	if len(f.lines) != 1 || !strings.HasPrefix(f.lines[0], "log panic: ouch\n") || !strings.Contains(f.lines[0], "TestPanic") {
		t.Errorf("logged %q", f.lines)
	}
}

// TestDefectsOfTheHost: what a correct host never does ends the instance.
func TestDefectsOfTheHost(t *testing.T) {
	t.Parallel()
	wait := func(ctx context.Context, h host.Host, _ string, _ []byte) ([]byte, error) {
		c := h.HTTP.Start(ctx, &host.Request{})
		_, err := h.HTTP.Wait(ctx, []host.Call{c})
		return nil, err
	}
	var other byte
	defects := map[string]func(g *abi.Guest){
		"task 0":              func(g *abi.Guest) { call(g, 0, "x") },
		"task in use":         func(g *abi.Guest) { call(g, 1, "x"); call(g, 1, "x") },
		"negative size":       func(g *abi.Guest) { g.Alloc(-1) },
		"foreign buffer":      func(g *abi.Guest) { g.Alloc(1); g.Take(unsafe.Pointer(&other), 1) },
		"buffer too long":     func(g *abi.Guest) { g.Take(unsafe.Pointer(g.Alloc(8)), 9) },
		"negative length":     func(g *abi.Guest) { g.Take(unsafe.Pointer(g.Alloc(8)), -1) },
		"buffer never given":  func(g *abi.Guest) { g.Take(nil, 1) },
		"buffer used already": func(g *abi.Guest) { p := unsafe.Pointer(g.Alloc(8)); g.Take(p, 8); g.Take(p, 8) },
	}
	for name, do := range defects {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, g := newGuest(wait)
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			do(g)
		})
	}
}

// TestSeveralTasks interleaves two tasks that wait for different calls.
func TestSeveralTasks(t *testing.T) {
	t.Parallel()
	f, g := newGuest(func(ctx context.Context, h host.Host, method string, _ []byte) ([]byte, error) {
		c := h.HTTP.Start(ctx, &host.Request{URL: method})
		if _, err := h.HTTP.Wait(ctx, []host.Call{c}); err != nil {
			return nil, err
		}
		r, err := c.Response()
		if err != nil {
			return nil, err
		}
		h.Events.Progress(host.Progress{Stage: host.StageChunks, Done: int64(r.Status), Total: 9})
		return fmt.Appendf(nil, `"%s %s"`, method, r.Body), nil
	})
	call(g, 1, "one")
	call(g, 2, "two")
	g.Event(2, abi.EventAnswer, send(g, answer(201, `{}`, "B")))
	g.Event(1, abi.EventAnswer, send(g, answer(202, `{}`, "A")))
	if f.done[1] != `{"result":"one A"}` || f.done[2] != `{"result":"two B"}` {
		t.Errorf("got %q", f.done)
	}
	want := []string{"start 1", "start 2", "progress 2 chunks 201/9", "close call 2", "progress 1 chunks 202/9", "close call 1"}
	if !slices.Equal(f.lines, want) {
		t.Errorf("got %q", f.lines)
	}
}
