package hostrunner

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/hostrunner/testdata/testservice"
	"github.com/cardferry/cardferry/wasm/abi"
)

// eachTestEngine runs a test on both engines with the methods of testservice.
func eachTestEngine(t *testing.T, test func(t *testing.T, start func(OpenOptions) engine)) {
	t.Parallel()
	t.Run("wazero", func(t *testing.T) {
		t.Parallel()
		test(t, func(o OpenOptions) engine { return newTestInstance(t, o) })
	})
	t.Run("native", func(t *testing.T) {
		t.Parallel()
		test(t, func(o OpenOptions) engine {
			if o.Dir == "" {
				o.Dir = t.TempDir()
			}
			e := newNative(newPorts(o), func(h host.Host) abi.Service { return testservice.Service{Host: h} })
			t.Cleanup(func() { _ = e.close() })
			return e
		})
	})
}

// running is a call that was started.
type running struct {
	cancel context.CancelFunc
	done   chan struct{}
	answer string
	err    error
}

func begin(t *testing.T, e engine, method, params string) *running {
	ctx, cancel := context.WithCancel(t.Context())
	r := &running{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		b, err := e.call(ctx, method, []byte(params))
		r.answer, r.err = string(b), err
	}()
	return r
}

// wait waits for the end of a call and compares its error. It comes within a second, on a machine that has time: what is not told to end
// takes for ever.
func (r *running) wait(t *testing.T, want fault.Kind) {
	t.Helper()
	began := time.Now()
	<-r.done
	if d := time.Since(began); d > 10*time.Second {
		t.Errorf("the call took %v to end", d)
	}
	if fault.KindOf(r.err) != want {
		t.Errorf("got %s, %v, want %v", r.answer, r.err, want)
	}
}

func (r *running) isRunning() bool {
	select {
	case <-r.done:
		return false
	default:
		return true
	}
}

// gate is a server that answers when it is told to; a request below /stream gets a byte before.
type gate struct {
	url     string
	arrived chan string // paths
	open    func()
}

func newGate(t *testing.T) *gate {
	opened := make(chan struct{})
	g := &gate{arrived: make(chan string, 100), open: sync.OnceFunc(func() { close(opened) })}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // the server notices a closed connection only after the body
		if strings.HasPrefix(r.URL.Path, "/stream") {
			_, _ = w.Write([]byte("x"))
			w.(http.Flusher).Flush()
		}
		g.arrived <- r.URL.Path
		select {
		case <-opened:
			_, _ = w.Write([]byte("yz"))
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(srv.Close)
	t.Cleanup(g.open)
	g.url = srv.URL
	return g
}

func (g *gate) params(path string, more string) string {
	return fmt.Sprintf(`{"url":"%s%s"%s}`, g.url, path, more)
}

const endless = `{"name":"a.db","sql":"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT count(*) FROM c"}`

// TestCallsBeside: while calls wait for the network others run to their end; each gets its own answer.
func TestCallsBeside(t *testing.T) {
	eachTestEngine(t, func(t *testing.T, start func(OpenOptions) engine) {
		g := newGate(t)
		e := start(OpenOptions{})
		get := begin(t, e, "get", g.params("/get", `,"n":3`))
		stream := begin(t, e, "get", g.params("/stream", `,"stream":true`))
		for range 4 {
			<-g.arrived
		}
		for i := range 20 {
			got, err := e.call(t.Context(), "echo", fmt.Appendf(nil, `{"n":%d}`, i))
			if err != nil || !strings.Contains(string(got), fmt.Sprintf(`"n":%d,`, i)) {
				t.Errorf("echo: %s, %v", got, err)
			}
		}
		if got, err := e.call(t.Context(), "query", []byte(`{"name":"a.db","sql":"SELECT 7"}`)); err != nil || string(got) != "[7]" {
			t.Errorf("query: %s, %v", got, err)
		}
		if !get.isRunning() || !stream.isRunning() {
			t.Error("a call did not wait for its answers")
		}
		g.open()
		get.wait(t, 0)
		stream.wait(t, 0)
		if want := `{"got":[[200,2],[200,2],[200,2]],"wakes":0}`; get.answer != want {
			t.Errorf("got %s, want %s", get.answer, want)
		}
		if want := `{"got":[[200,3]],"wakes":0}`; stream.answer != want {
			t.Errorf("got %s, want %s", stream.answer, want)
		}
	})
}

// TestCancelOne: the end of one call's context ends that call and no other one, wherever they are.
func TestCancelOne(t *testing.T) {
	eachTestEngine(t, func(t *testing.T, start func(OpenOptions) engine) {
		g := newGate(t)
		e := start(OpenOptions{})
		kept := begin(t, e, "get", g.params("/kept", ""))
		<-g.arrived
		for name, params := range map[string]string{
			"get": g.params("/get", `,"n":5`), "read": g.params("/stream", `,"stream":true`), "query": endless, "spin": `{}`,
		} {
			c := begin(t, e, strings.Replace(name, "read", "get", 1), params)
			if name == "get" || name == "read" {
				<-g.arrived
			}
			c.cancel()
			c.wait(t, fault.Cancelled)
		}
		// A cancel does not interrupt the SQL of others.
		query := begin(t, e, "query", `{"name":"a.db","sql":"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c LIMIT 50000) SELECT count(*) FROM c"}`)
		gone := begin(t, e, "get", g.params("/gone", ""))
		gone.cancel()
		<-query.done
		gone.wait(t, fault.Cancelled)
		if query.answer != "[50000]" || !kept.isRunning() {
			t.Errorf("%s, %v", query.answer, query.err)
		}
		g.open()
		kept.wait(t, 0)
	})
}

// TestSpinningCallsTakeTurns: calls that compute let others go on when they tick.
func TestSpinningCallsTakeTurns(t *testing.T) {
	eachTestEngine(t, func(t *testing.T, start func(OpenOptions) engine) {
		g := newGate(t)
		e := start(OpenOptions{})
		a, b := begin(t, e, "spin", `{}`), begin(t, e, "spin", `{}`)
		for range 2 {
			if _, err := e.call(t.Context(), "echo", []byte(`{}`)); err != nil {
				t.Error(err)
			}
		}
		get, stream := begin(t, e, "get", g.params("/get", `,"n":5`)), begin(t, e, "get", g.params("/stream", `,"stream":true`))
		for range 6 {
			<-g.arrived
		}
		g.open()
		<-get.done
		<-stream.done
		get.wait(t, 0)
		stream.wait(t, 0)
		a.cancel()
		a.wait(t, fault.Cancelled)
		if !b.isRunning() {
			t.Error("the other call has ended")
		}
		b.cancel()
		b.wait(t, fault.Cancelled)
	})
}

// TestCrashEndsAll: all running calls end with the crash of one, and the engine says that it cannot be used again.
func TestCrashEndsAll(t *testing.T) {
	eachTestEngine(t, func(t *testing.T, start func(OpenOptions) engine) {
		g := newGate(t)
		e := start(OpenOptions{})
		calls := []*running{begin(t, e, "get", g.params("/get", "")), begin(t, e, "get", g.params("/stream", `,"stream":true`)), begin(t, e, "spin", `{}`)}
		<-g.arrived
		<-g.arrived
		if e.crashed() {
			t.Error("crashed before")
		}
		_, err := e.call(t.Context(), "panic", []byte(`{}`))
		calls = append(calls, begin(t, e, "echo", `{}`))
		for _, c := range calls {
			c.wait(t, fault.Internal)
			if c.err == nil || err == nil || c.err.Error() != err.Error() {
				t.Errorf("got %v and %v", c.err, err)
			}
		}
		if !e.crashed() {
			t.Error("not crashed")
		}
	})
}

// TestProgressPanics: a defect of the caller's, in whichever report, ends the call as one of the core does, and nothing else: neither the
// program nor what waits for its turn.
func TestProgressPanics(t *testing.T) {
	eachTestEngine(t, func(t *testing.T, start func(OpenOptions) engine) {
		for _, when := range []int64{0, 2} {
			e := start(OpenOptions{Progress: func(p host.Progress) {
				if p.Done == when {
					panic("ouch")
				}
			}})
			for range 2 {
				begin(t, e, "progress", "{}").wait(t, fault.Internal)
			}
			if !e.crashed() {
				t.Error("the engine goes on after", when)
			}
		}
	})
}

// TestProgressBeside: reports of calls that run at the same time come one at a time, and no call's last one is lost.
func TestProgressBeside(t *testing.T) {
	eachTestEngine(t, func(t *testing.T, start func(OpenOptions) engine) {
		var mu sync.Mutex
		got := map[host.Progress]int{}
		e := start(OpenOptions{Progress: func(p host.Progress) {
			if !mu.TryLock() {
				t.Error("two reports at a time")
				return
			}
			defer mu.Unlock()
			got[p]++
		}})
		const n = 8
		var calls []*running
		for range n {
			calls = append(calls, begin(t, e, "ports", `{}`))
		}
		for _, c := range calls {
			c.wait(t, 0)
		}
		// Each reports 1 of 2, at once as the first of its stage, however soon after another call.
		if got[host.Progress{Stage: host.StageChunks, Done: 1, Total: 2}] != n || len(got) != 1 {
			t.Errorf("reports %v", got)
		}
	})
}
