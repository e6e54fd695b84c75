package syncserver

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// largePlaces bounds the memory for large messages, of all accounts: who has a place keeps it to the end of the request. While the body comes
// that is as long as the client likes, so if somebody has to wait, the one that has been slowest makes way.
type largePlaces struct {
	taken chan struct{} // one element for each place that is taken

	mu     sync.Mutex
	coming map[*call]*largeBody
}

// largeBody is the body of a large message while it comes.
type largeBody struct {
	since time.Time
	got   atomic.Int64 // bytes since then
}

func (l *largePlaces) init() {
	l.taken = make(chan struct{}, largeMessages)
	l.coming = map[*call]*largeBody{}
}

// enter waits for a place; nil: the body is there already.
func (l *largePlaces) enter(ctx context.Context, c *call, body *largeBody) error {
	stall := c.server.Limits.Stall
	patience := time.NewTicker(stall / 30)
	defer patience.Stop()
	for {
		select {
		case l.taken <- struct{}{}:
			if body != nil {
				body.since = time.Now()
				l.mu.Lock()
				l.coming[c] = body
				l.mu.Unlock()
			}
			return nil
		case <-patience.C:
			l.makeRoom(time.Now(), stall/6)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// makeRoom ends the slowest of those whose body has been coming for some time.
func (l *largePlaces) makeRoom(now time.Time, least time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var slowest *call
	var rate float64
	for c, b := range l.coming {
		held := now.Sub(b.since)
		if r := float64(b.got.Load()) / held.Seconds(); held >= least && (slowest == nil || r < rate) {
			slowest, rate = c, r
		}
	}
	if slowest != nil {
		delete(l.coming, slowest)
		slowest.body.interrupt()
	}
}

// came says that the whole body is there: what is left does not depend on the client.
func (l *largePlaces) came(c *call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.coming, c)
}

// leave gives the place back.
func (l *largePlaces) leave(c *call) {
	l.came(c)
	<-l.taken
}
