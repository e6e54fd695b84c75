package syncserver

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// listen serves GET /api/events (contract §5): a stream of server-sent events that goes on until one side ends it. "changed" tells that
// another device has synced: usn and media_usn are the account's numbers now, null if they are not known at once; "empty": true if
// it has only fetched something; "replaced": true if it has uploaded another collection, whose number may well be that of the one before.
// Comments in between are heartbeats. What has changed before is not told: a client syncs, or asks for meta, once it listens.
func listen(_ context.Context, c *call, _ string) error {
	h := c.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // for a proxy that would wait for more
	key, err := c.bearer()
	if err != nil {
		return err
	}
	l := &listener{account: c.account.ID, device: c.device.ID, key: store.HashKey(key)}
	conn, head, err := c.hijack()
	switch {
	case err == nil:
		l.to = conn
	case errors.Is(err, http.ErrNotSupported): // HTTP/2
		return c.listenHere(l)
	default:
		return err
	}
	if err := c.server.events.add(l); err != nil {
		conn.close()
		return nil // there is nobody to answer any more
	}
	c.server.events.send(l, head)
	return nil
}

// greeting lets the client see that it listens. It is sent once that is so: the client must not miss what changes from then on.
var greeting = []byte(": listening\n\n")

// connSink is a connection that was taken from the HTTP server, with its buffers and its goroutine: these are most of what an idle
// connection costs. The end of the connection ends the body.
type connSink struct{ net.Conn }

// hijack takes the connection, and returns the answer's head.
func (c *call) hijack() (connSink, []byte, error) {
	conn, _, err := http.NewResponseController(c.w.ResponseWriter).Hijack()
	if err != nil {
		return connSink{}, nil, err
	}
	c.w.status = http.StatusOK
	head := bytes.NewBufferString("HTTP/1.1 200 OK\r\nConnection: close\r\n")
	_ = c.w.Header().Write(head) // to memory
	head.WriteString("\r\n")
	head.Write(greeting)
	return connSink{conn}, head.Bytes(), nil
}

func (s connSink) write(message []byte) error {
	if err := s.SetWriteDeadline(time.Now().Add(slowListener)); err != nil {
		return err
	}
	_, err := s.Conn.Write(message)
	return err
}

func (s connSink) close() { s.Conn.Close() }

// streamSink is an answer that its handler waits for: where a connection is shared it cannot be taken.
type streamSink struct {
	w    *responseWriter
	done chan struct{}

	mu    sync.Mutex // held while writing
	ended bool
}

// listenHere tells a listener until one side ends it.
func (c *call) listenHere(l *listener) error {
	s := &streamSink{w: c.w, done: make(chan struct{})}
	l.to = s
	defer s.end()
	if err := c.server.events.add(l); err != nil {
		return err
	}
	defer c.server.events.remove(l)
	c.server.events.send(l, greeting)
	select {
	case <-s.done:
	case <-c.r.Context().Done():
	}
	return nil
}

func (s *streamSink) write(message []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return errHungUp
	}
	return s.w.within(slowListener, func() error {
		if _, err := s.w.ResponseWriter.Write(message); err != nil {
			return err
		}
		return s.w.control.Flush()
	})
}

// end keeps everybody from writing: the handler returns.
func (s *streamSink) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
}

func (s *streamSink) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.ended = true
		close(s.done)
	}
}
