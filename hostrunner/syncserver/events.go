package syncserver

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// hub tells devices that listen (GET /api/events) that another device of their account has changed something. Most of them are
// idle most of the time, and there may be very many, so none has a goroutine or a buffer.
type hub struct {
	server *Server

	mu        sync.Mutex
	audiences map[store.AccountID]*audience
	count     int
	beating   bool // heartbeats are scheduled
	closed    bool
	// writers bounds how many heartbeats are written at once.
	writers chan struct{}
}

// audience are the listeners of an account.
type audience struct {
	listeners []*listener // in the order in which they came
	// news is what is to be told soon; nil: nothing.
	news *news
}

// news is what has changed since devices were last told.
type news struct {
	by            store.DeviceID // "" if it was several devices
	usn, mediaUSN int64          // as far as the changes say
	synced, full  bool           // there were collection syncs; one of them had something for us
	replaced      bool           // by an upload
}

// listener is a connection over which a device listens.
type listener struct {
	account store.AccountID
	device  store.DeviceID
	key     store.KeyHash
	to      sink

	// Guarded by hub.mu.
	next    time.Time // of its next heartbeat
	writing bool
	then    []byte // what is to be written after that
	gone    bool
}

// sink is where a listener's messages go.
type sink interface {
	// write sends a message, or fails soon.
	write(message []byte) error
	close()
}

const (
	// gather is how long changes are waited for that belong together, as the uploads of one media sync do.
	gather = 250 * time.Millisecond
	// askNumbers is how long may be waited for what to tell. Without an answer, less is told.
	askNumbers = 700 * time.Millisecond
	// slowListener cuts a listener off that does not take its messages, which are a few bytes each.
	slowListener = 5 * time.Second
	// heartbeatWriters is how many heartbeats are written at once.
	heartbeatWriters = 16
)

var heartbeat = []byte(":\n\n")

func (h *hub) init(s *Server) {
	h.server = s
	h.audiences = map[store.AccountID]*audience{}
	h.writers = make(chan struct{}, heartbeatWriters)
}

// add begins to tell a listener, once its caller has called send with what comes first. If the account has too many, the one
// that came first is ended, of the same device if there is one.
func (h *hub) add(l *listener) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return unavailable("the server is being stopped")
	}
	a := h.audiences[l.account]
	if a == nil {
		a = &audience{}
		h.audiences[l.account] = a
	}
	if len(a.listeners) >= h.server.Limits.Listeners {
		i := max(0, slices.IndexFunc(a.listeners, func(o *listener) bool { return o.device == l.device }))
		h.drop(a.listeners[i])
		h.audiences[l.account] = a
	}
	l.writing = true
	a.listeners = append(a.listeners, l)
	h.count++
	// Those that come at once, after a restart, need not have their heartbeats at once.
	l.next = time.Now().Add(h.server.Limits.Heartbeat/2 + rand.N(h.server.Limits.Heartbeat/2))
	h.schedule()
	return nil
}

// drop ends a listener; h.mu is held.
func (h *hub) drop(l *listener) {
	if l.gone {
		return
	}
	l.gone = true
	h.count--
	a := h.audiences[l.account]
	a.listeners = slices.DeleteFunc(a.listeners, func(o *listener) bool { return o == l })
	if len(a.listeners) == 0 {
		delete(h.audiences, l.account)
	}
	go l.to.close() // may wait for what is being written
}

// remove ends a listener.
func (h *hub) remove(l *listener) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.drop(l)
}

// close ends all listeners, and lets no more come.
func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for _, a := range h.audiences {
		for _, l := range slices.Clone(a.listeners) {
			h.drop(l)
		}
	}
}

// changed notes a change. Those who listen are told of it a moment later.
func (h *hub) changed(c Change) {
	h.mu.Lock()
	defer h.mu.Unlock()
	a := h.audiences[c.Account]
	if a == nil || !slices.ContainsFunc(a.listeners, func(l *listener) bool { return l.concerns(c.Device) }) {
		return
	}
	if a.news == nil {
		a.news = &news{by: c.Device, usn: -1, mediaUSN: -1}
		time.AfterFunc(gather, func() { h.tell(c.Account, a) })
	}
	n := a.news
	if n.by != c.Device {
		n.by = ""
	}
	if c.Replaced {
		n.replaced, n.usn = true, -1 // what it was before is the number of another collection
	}
	n.usn, n.mediaUSN = max(n.usn, c.USN), max(n.mediaUSN, c.MediaUSN)
	n.synced, n.full = n.synced || c.USN >= 0, n.full || c.USN >= 0 && !c.Empty
}

// concerns reports whether the listener is to be told of a change by a device. The fixed key of an account (SYNC_USER…) stands for many
// devices.
func (l *listener) concerns(by store.DeviceID) bool {
	return l.device != by || strings.HasPrefix(string(by), fixedDevice)
}

// tell tells an account's devices what has changed.
func (h *hub) tell(id store.AccountID, a *audience) {
	h.mu.Lock()
	n := *a.news
	a.news = nil
	h.mu.Unlock()
	n.complete(h.server, id)
	message := n.message()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, l := range slices.Clone(a.listeners) {
		switch {
		case !l.concerns(n.by):
		case h.begin(l):
			go h.send(l, message)
		default:
			l.then = slices.Concat(l.then, message) // few, as slow listeners are cut off
		}
	}
}

// message returns the event. A sync that only fetched something changes the collection's number as well: without "empty" two
// devices that listen would tell each other of nothing else, for ever.
func (n *news) message() []byte {
	b := fmt.Appendf(nil, "event: changed\ndata: {\"usn\":%s,\"media_usn\":%s", numberOrNull(n.usn), numberOrNull(n.mediaUSN))
	switch {
	case n.replaced:
		b = append(b, `,"replaced":true`...)
	case n.synced && !n.full:
		b = append(b, `,"empty":true`...)
	}
	return append(b, "}\n\n"...)
}

func numberOrNull(n int64) string {
	if n < 0 {
		return "null"
	}
	return strconv.FormatInt(n, 10)
}

// complete looks up the numbers that are as they were: a device that hears of one change wants to know whether it has missed others.
func (n *news) complete(s *Server, id store.AccountID) {
	ctx, cancel := context.WithTimeout(context.Background(), askNumbers)
	defer cancel()
	t, err := s.tenants.enter(ctx, id)
	if err != nil {
		return
	}
	defer s.tenants.leave(t)
	if n.mediaUSN < 0 {
		if last, err := t.media.number(ctx, false); err == nil {
			n.mediaUSN = int64(last)
		}
	}
	if n.usn < 0 {
		_ = t.with(ctx, func() error {
			usn, err := t.usn(ctx)
			if err == nil {
				n.usn = usn
			}
			return err
		})
	}
}

// begin takes the right to write to a listener; false if somebody has it. h.mu is held.
func (h *hub) begin(l *listener) bool {
	if l.gone || l.writing {
		return false
	}
	l.writing = true
	l.next = time.Now().Add(h.server.Limits.Heartbeat)
	return true
}

// send writes a message, and what has come meanwhile, to a listener that begin was called for. One whose device was revoked or
// whose account was removed is ended instead, as is one that does not take its message. A nil message only looks for that.
func (h *hub) send(l *listener, message []byte) {
	for more := true; more; {
		err := h.check(l)
		if err == nil && message != nil {
			err = l.to.write(message)
		}
		h.mu.Lock()
		if err != nil {
			h.drop(l)
		}
		message, l.then = l.then, nil
		more = message != nil && err == nil
		l.writing = more
		h.mu.Unlock()
	}
}

// check fails if the listener's key does not count any more. Other processes may have changed that.
func (h *hub) check(l *listener) error {
	ctx, cancel := context.WithTimeout(context.Background(), slowListener)
	defer cancel()
	a, d, err := h.server.Accounts.ByKey(ctx, l.key)
	switch {
	case fault.KindOf(err) == fault.NotFound:
		return err
	case err == nil && (a.Disabled || d.ID != l.device):
		return fault.New(fault.Auth, "the key does not count any more")
	}
	return nil // that we cannot look is not the listener's fault
}

// recheck ends those listeners of an account whose keys do not count any more.
func (h *hub) recheck(id store.AccountID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if a := h.audiences[id]; a != nil {
		for _, l := range a.listeners {
			if h.begin(l) {
				go h.send(l, nil)
			} else if l.then == nil {
				l.then = heartbeat // it may have been looked at just before
			}
		}
	}
}

// schedule plans the next round of heartbeats, as long as there is somebody; h.mu is held.
func (h *hub) schedule() {
	if !h.beating && h.count > 0 && !h.closed {
		h.beating = true
		time.AfterFunc(max(h.server.Limits.Heartbeat/20, time.Millisecond), h.beat)
	}
}

// beat writes heartbeats to those whose time has come. They keep proxies from closing connections, and let us notice who has
// gone.
func (h *hub) beat() {
	now := time.Now()
	var due []*listener
	h.mu.Lock()
	for _, a := range h.audiences {
		for _, l := range a.listeners {
			if now.After(l.next) {
				due = append(due, l)
			}
		}
	}
	h.mu.Unlock()
	for _, l := range due {
		h.writers <- struct{}{}
		h.mu.Lock()
		ok := h.begin(l)
		h.mu.Unlock()
		if !ok {
			<-h.writers
			continue
		}
		go func() {
			h.send(l, heartbeat)
			<-h.writers
		}()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.beating = false
	h.schedule()
}

// Listeners returns how many connections listen for events.
func (s *Server) Listeners() int {
	s.start()
	s.events.mu.Lock()
	defer s.events.mu.Unlock()
	return s.events.count
}
