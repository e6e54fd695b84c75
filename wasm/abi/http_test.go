package abi_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/wasm/abi"
)

func answer(status int, headers, body string) []byte {
	return rows.Pack(nil, status, headers, []byte(body))
}

// run starts a task that does do and returns the host and the guest, and the error that do ended with.
func run(do func(ctx context.Context, h host.Host) error) (*imports, *abi.Guest, *error) {
	err := errors.New("still running")
	f, g := newGuest(func(ctx context.Context, h host.Host, _ string, _ []byte) ([]byte, error) {
		err = do(ctx, h)
		return nil, err
	})
	call(g, 1, "x")
	return f, g, &err
}

func TestRequestBlock(t *testing.T) {
	t.Parallel()
	f, _, _ := run(func(ctx context.Context, h host.Host) error {
		h.HTTP.Start(ctx, &host.Request{
			Method: "POST", URL: "http://h/x", Header: map[string]string{"b": "2", "a": "1"}, Body: []byte("hi"),
			Limit: 7, Stall: 1500 * time.Millisecond,
		})
		h.HTTP.Start(ctx, &host.Request{Method: "GET", URL: "u", BodyFile: "f", Stream: true})
		h.HTTP.Start(ctx, &host.Request{Parts: []host.BodyPart{
			{Bytes: []byte("head")}, {Media: "ä.png", Seen: host.MediaFile{Size: 9, Modified: 1 << 60}, Offset: 2, Len: 3}, {},
		}})
		return nil
	})
	if want := rows.Pack(nil, "POST", "http://h/x", `{"a":"1","b":"2"}`, []byte("hi"), nil, 0, 7, 1500, nil); !slices.Equal(f.calls[1], want) {
		t.Errorf("got  %x\nwant %x", f.calls[1], want)
	}
	if want := rows.Pack(nil, "GET", "u", `{}`, []byte{}, "f", 1, 0, 0, nil); !slices.Equal(f.calls[2], want) {
		t.Errorf("got  %x\nwant %x", f.calls[2], want)
	}
	parts := rows.Pack(rows.Pack(rows.Pack(nil, []byte("head")), "ä.png", 9, 1<<60, 2, 3), []byte{})
	if want := rows.Pack(nil, "", "", `{}`, []byte{}, nil, 0, 0, 0, parts); !slices.Equal(f.calls[3], want) {
		t.Errorf("got  %x\nwant %x", f.calls[3], want)
	}
}

func TestWaitTakesWhicheverIsReady(t *testing.T) {
	t.Parallel()
	var got []string
	_, g, err := run(func(ctx context.Context, h host.Host) error {
		var calls []host.Call
		for range 3 {
			calls = append(calls, h.HTTP.Start(ctx, &host.Request{}))
		}
		for len(calls) > 0 {
			i, err := h.HTTP.Wait(ctx, calls)
			if err != nil {
				return err
			}
			if i < 0 {
				got = append(got, fmt.Sprintf("sent %d", calls[0].Sent()))
				continue
			}
			if r, err := calls[i].Response(); err != nil {
				got = append(got, err.Error())
			} else {
				got = append(got, fmt.Sprintf("%d %s %s", r.Status, r.Header["h"], r.Body))
			}
			calls = slices.Delete(calls, i, i+1)
		}
		return nil
	})
	g.Event(9, abi.EventAnswer, nil) // unknown
	g.Event(1, abi.EventSent, send(g, rows.Pack(nil, int64(512))))
	g.Event(3, abi.EventAnswer, send(g, answer(200, `{"h":"v"}`, strings.Repeat("x", 3))))
	g.Event(1, abi.EventFailed, send(g, rows.Pack(nil, int(fault.Offline), "no route")))
	g.Event(2, abi.EventAnswer, send(g, answer(404, `{}`, "")))
	if want := []string{"sent 512", "200 v xxx", "no route", "404  "}; *err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v", got, *err)
	}
}

// TestLargeBody: a large body must survive later buffers; a small one is copied.
func TestLargeBody(t *testing.T) {
	t.Parallel()
	for _, size := range []int{10, 200 << 10, 300 << 10, 2 << 20} {
		var body []byte
		_, g, err := run(func(ctx context.Context, h host.Host) error {
			a, b := h.HTTP.Start(ctx, &host.Request{}), h.HTTP.Start(ctx, &host.Request{})
			for _, c := range []host.Call{a, b} {
				if _, err := h.HTTP.Wait(ctx, []host.Call{c}); err != nil {
					return err
				}
			}
			r, err := a.Response()
			body = r.Body
			return err
		})
		g.Event(1, abi.EventAnswer, send(g, answer(200, `{}`, strings.Repeat("a", size))))
		g.Event(2, abi.EventAnswer, send(g, answer(200, `{}`, strings.Repeat("b", size))))
		if *err != nil || string(body) != strings.Repeat("a", size) {
			t.Errorf("%d bytes: body damaged, %v", size, *err)
		}
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	var got []byte
	f, g, err := run(func(ctx context.Context, h host.Host) error {
		c := h.HTTP.Start(ctx, &host.Request{Stream: true})
		if _, err := h.HTTP.Wait(ctx, []host.Call{c}); err != nil {
			return err
		}
		for p := make([]byte, 4); ; {
			n, err := c.Read(ctx, p)
			got = append(got, p[:n]...)
			if err == io.EOF {
				_, err = c.Read(ctx, nil)
				c.Close()
				c.Close()
			}
			if err != nil || n == 0 {
				return err
			}
		}
	})
	g.Event(1, abi.EventAnswer, send(g, answer(200, `{}`, "")))
	g.Event(1, abi.EventData, send(g, []byte("hello world")))
	g.Event(1, abi.EventData, send(g, []byte("!")))
	g.Event(1, abi.EventEnd, nil)
	if *err != nil || string(got) != "hello world!" {
		t.Errorf("got %q, %v", got, *err)
	}
	if want := []string{"start 1", "read 1 262144", "read 1 262144", "read 1 262144", "close call 1"}; !slices.Equal(f.lines, want) {
		t.Errorf("got %q", f.lines)
	}
}

// TestReadFails: what arrived before the failure is read first.
func TestReadFails(t *testing.T) {
	t.Parallel()
	var n int
	_, g, err := run(func(ctx context.Context, h host.Host) error {
		c := h.HTTP.Start(ctx, &host.Request{Stream: true})
		p := make([]byte, 100)
		var err error
		if n, err = c.Read(ctx, p); err != nil {
			return err
		}
		_, err = c.Read(ctx, p)
		return err
	})
	g.Event(1, abi.EventData, send(g, []byte("part")))
	g.Event(1, abi.EventFailed, send(g, rows.Pack(nil, int(fault.Timeout), "stalled")))
	if n != 4 || fault.KindOf(*err) != fault.Timeout {
		t.Errorf("got %d, %v", n, *err)
	}
}

// TestDamagedEvents: what the host sends is checked, and ends the call instead of the instance.
func TestDamagedEvents(t *testing.T) {
	t.Parallel()
	good := answer(200, `{}`, "x")
	tests := []struct {
		name string
		kind abi.EventKind
		b    []byte
	}{
		{"truncated answer", abi.EventAnswer, good[:len(good)-1]},
		{"trailing bytes", abi.EventAnswer, append(slices.Clone(good), 0)},
		{"too few values", abi.EventAnswer, rows.Pack(nil, 200)},
		{"headers are no JSON", abi.EventAnswer, answer(200, `{`, "x")},
		{"empty answer", abi.EventAnswer, nil},
		{"truncated failure", abi.EventFailed, []byte{2}},
		{"unknown kind", 77, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, g, err := run(func(ctx context.Context, h host.Host) error {
				c := h.HTTP.Start(ctx, &host.Request{})
				if _, err := h.HTTP.Wait(ctx, []host.Call{c}); err != nil {
					return err
				}
				_, err := c.Response()
				return err
			})
			g.Event(1, tt.kind, send(g, tt.b))
			if fault.KindOf(*err) != fault.Internal {
				t.Errorf("got %v", *err)
			}
		})
	}
}

func TestStartAfterCancel(t *testing.T) {
	t.Parallel()
	f, _, err := run(func(ctx context.Context, h host.Host) error {
		gone, cancel := context.WithCancel(ctx)
		cancel()
		c := h.HTTP.Start(gone, &host.Request{})
		if i, err := h.HTTP.Wait(ctx, []host.Call{c}); i != 0 || err != nil {
			return fmt.Errorf("wait: %d, %w", i, err)
		}
		_, err := c.Response()
		c.Close()
		return err
	})
	if fault.KindOf(*err) != fault.Cancelled || len(f.lines) != 0 {
		t.Errorf("got %v, %q", *err, f.lines)
	}
}

// TestStartContextEnds: a call ends with the context that it was started with, also while others go on.
func TestStartContextEnds(t *testing.T) {
	t.Parallel()
	f, g, err := run(func(ctx context.Context, h host.Host) error {
		own, cancel := context.WithCancel(ctx)
		defer cancel()
		a, b := h.HTTP.Start(own, &host.Request{Stream: true}), h.HTTP.Start(own, &host.Request{})
		if i, err := h.HTTP.Wait(ctx, []host.Call{a, b}); i != 0 || err != nil {
			return fmt.Errorf("wait: %d, %w", i, err)
		}
		cancel()
		if i, err := h.HTTP.Wait(ctx, []host.Call{b}); i != 0 || err != nil {
			return fmt.Errorf("wait: %d, %w", i, err)
		}
		if _, err := b.Response(); fault.KindOf(err) != fault.Cancelled {
			return fmt.Errorf("response: %w", err)
		}
		_, err := a.Read(ctx, make([]byte, 1))
		return err
	})
	g.Event(1, abi.EventAnswer, send(g, answer(200, `{}`, "")))
	if fault.KindOf(*err) != fault.Cancelled || !slices.Equal(f.lines, []string{"start 1", "start 2", "close call 2", "close call 1"}) {
		t.Errorf("got %v, %q", *err, f.lines)
	}
}
