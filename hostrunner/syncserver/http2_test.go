package syncserver_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/wire"
	"github.com/cardferry/cardferry/hostrunner/syncserver"
	"github.com/cardferry/cardferry/hostrunner/syncserver/memstore"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// TestEventsLast: nothing need happen for as long as a listener may take over a message.
func TestEventsLast(t *testing.T) {
	t.Parallel()
	s := &syncserver.Server{Limits: syncserver.Limits{Heartbeat: time.Hour}}
	c := newClient(t, s, serveHTTP2(t, s), "ada")
	l := c.listen()
	select {
	case line, ok := <-l.lines:
		t.Fatalf("%q %v", line, ok)
	case <-time.After(syncserver.SlowListener + 500*time.Millisecond):
	}
	if s.Listeners() != 1 {
		t.Error("nobody listens any more")
	}
}

// TestPause: the time that the server itself takes between two reads or writes is not the client's.
func TestPause(t *testing.T) {
	t.Parallel()
	const stall = 300 * time.Millisecond
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		part := make([]byte, 1<<10)
		for _, step := range []func() error{
			func() error { _, err := io.ReadFull(r.Body, part); return err },
			func() error { _, err := io.Copy(io.Discard, r.Body); return err },
			func() error { _, err := w.Write(part); return err },
			http.NewResponseController(w).Flush,
			func() error { _, err := w.Write(part); return err },
		} {
			if err := step(); err != nil {
				t.Error(err)
				panic(http.ErrAbortHandler)
			}
			<-time.After(3 * stall)
		}
	})
	s := &syncserver.Server{Limits: syncserver.Limits{Stall: stall}}
	s.Rest = func(*http.Request) (string, http.Handler) { return "pause", h }
	if resp := do(t, "POST", serveHTTP2(t, s)+"pause", randomBytes(16<<20), nil); resp.StatusCode != 200 || len(resp.body) != 2<<10 {
		t.Errorf("%d, %d bytes", resp.StatusCode, len(resp.body))
	}
}

// TestSlowAnswers: a client that takes an answer slowly gets all of it, however much is written at once: a large file of the app takes minutes over a
// slow line, and no part of it comes late.
func TestSlowAnswers(t *testing.T) {
	t.Parallel()
	const size, part, small = 1 << 20, 64 << 10, 16 << 10
	for name, test := range map[string]func(*httptest.Server){
		"HTTP/1.1": func(h *httptest.Server) {
			h.Config.ConnState = func(conn net.Conn, state http.ConnState) {
				if state == http.StateNew {
					_ = conn.(*net.TCPConn).SetWriteBuffer(small) // else the system takes it all at once
				}
			}
			h.Start()
		},
		"HTTP/2": func(h *httptest.Server) {
			h.EnableHTTP2 = true
			h.StartTLS()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &syncserver.Server{Limits: syncserver.Limits{Stall: 2 * time.Second}}
			s.Rest = func(*http.Request) (string, http.Handler) {
				return "large", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, size)) })
			}
			transport := noRedirects.Transport.(*http.Transport).Clone()
			transport.HTTP2 = &http.HTTP2Config{MaxReceiveBufferPerStream: part}
			transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := new(net.Dialer).DialContext(ctx, network, address)
				if err == nil {
					err = conn.(*net.TCPConn).SetReadBuffer(small)
				}
				return conn, err
			}
			defer transport.CloseIdleConnections()
			resp, err := (&http.Client{Transport: transport}).Get(begin(t, s, test) + "large")
			coretest.Must(t, err)
			defer resp.Body.Close()
			for left := size; left > 0; left -= part {
				time.Sleep(250 * time.Millisecond)
				if _, err := io.ReadFull(resp.Body, make([]byte, part)); err != nil {
					t.Fatalf("%d bytes before the end: %v", left, err)
				}
			}
		})
	}
}

// TestStalledStreams: a client that sends or takes nothing on some streams of a connection is cut off there, and nowhere else.
func TestStalledStreams(t *testing.T) {
	t.Parallel()
	s := &syncserver.Server{Limits: syncserver.Limits{Stall: time.Second}}
	wrote := make(chan error, 1)
	s.Rest = func(*http.Request) (string, http.Handler) {
		return "long", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, err := w.Write(make([]byte, 64<<20))
			wrote <- err
		})
	}
	c := newClient(t, s, serveHTTP2(t, s), "ada")
	c.listen()
	const n = 20
	statuses := make(chan int, n)
	for range n {
		from, to := io.Pipe()
		go func() { statuses <- c.post("sync/meta", from) }()
		_, err := to.Write([]byte("x"))
		coretest.Must(t, err)
	}
	resp, err := c.send("long", nil)
	coretest.Must(t, err)
	defer resp.Body.Close()
	c.must("sync/meta", []byte(metaRequest)) // beside them
	for range n {
		if status := <-statuses; status != 0 {
			t.Errorf("half a request was answered: %d", status)
		}
	}
	if err := <-wrote; err == nil || !strings.Contains(err.Error(), "nothing for too long") {
		t.Errorf("what the client did not take: %v", err)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err == nil {
		t.Error("it looks whole to the client")
	}
	c.must("sync/meta", []byte(metaRequest))
	if s.Listeners() != 1 {
		t.Error("the listener was cut off with the others")
	}
}

// staging tells of every file that an upload begins, or a new collection.
type staging struct {
	*memstore.Collections
	begun chan struct{}
}

func (d *staging) Stage(ctx context.Context, id store.AccountID) (store.Staged, error) {
	d.begun <- struct{}{}
	return d.Collections.Stage(ctx, id)
}

// TestEarlyAnswers: what is refused while it is being sent is told why, and the connection stays for the other streams.
func TestEarlyAnswers(t *testing.T) {
	t.Parallel()
	disk := &staging{memstore.NewCollections(), make(chan struct{}, 100)}
	s := &syncserver.Server{Limits: syncserver.Limits{Payload: 4 << 20}, Collections: disk}
	c := newClient(t, s, serveHTTP2(t, s), "ada")
	c.listen()
	unknown := *c
	unknown.key = "0123456789abcdef"
	long := wire.NewCodec().Compress(nil, randomBytes(8<<20))
	for _, test := range []struct {
		c      *client
		method string
		status int
	}{{c, "sync/upload", 413}, {c, "sync/meta", 413}, {&unknown, "sync/upload", 403}, {c, "sync/unknown", 400}} {
		for name, body := range map[string]io.Reader{"told": bytes.NewReader(long), "hidden": onlyReader{bytes.NewReader(long)}} {
			if status := test.c.post(test.method, body); status != test.status {
				t.Errorf("%s, %s: %d", test.method, name, status)
			}
		}
	}

	for len(disk.begun) > 0 {
		<-disk.begun
	}
	from, to := io.Pipe()
	before := make(chan int, 1)
	go func() { before <- c.post("sync/upload", from) }()
	_, err := to.Write([]byte("x"))
	coretest.Must(t, err)
	<-disk.begun // or the other one may come first
	c.must("sync/upload", fixture(t, "stock.anki2"))
	if status := <-before; status != 503 {
		t.Errorf("an upload that another one has ended: %d", status)
	}
	if s.Listeners() != 1 {
		t.Error("the connection was not kept")
	}
}

// TestTooLate: what cuts a client off may come when the request has just ended.
func TestTooLate(t *testing.T) {
	t.Parallel()
	var cuts []func()
	s := &syncserver.Server{}
	s.Rest = func(*http.Request) (string, http.Handler) {
		return "short", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			cuts = append(cuts, r.Body.(interface{ Interrupt() }).Interrupt, func() { syncserver.Cut(w) })
		})
	}
	url := serveHTTP2(t, s)
	do(t, "POST", url+"short", nil, nil)
	for range 50 { // the handler's own end is not to be seen from here
		for _, cut := range cuts {
			cut()
		}
		<-time.After(time.Millisecond)
	}
	if resp := do(t, "POST", url+"short", nil, nil); resp.StatusCode != 200 {
		t.Errorf("the next request: %d", resp.StatusCode)
	}
}
