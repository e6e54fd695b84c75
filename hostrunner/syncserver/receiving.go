package syncserver

import (
	"math"
	"sync"
	"time"
)

// receiveAtOnce is how many media uploads of an account are received at once: each has a decoder, which may take megabytes. Our
// own clients send no more.
const receiveAtOnce = 16

// receiving are the media uploads of an account that are being received.
type receiving struct {
	places chan struct{} // has an element for each

	mu     sync.Mutex
	bodies map[*bodyReader]bool
}

func (r *receiving) init() {
	r.places = make(chan struct{}, receiveAtOnce)
	r.bodies = map[*bodyReader]bool{}
}

// enter waits for a place. A client may have any number of requests under way (media-sync.md §9.5), and what it has given up may look
// like one whose next bytes are late: if there is no place for a while, the upload that has sent nothing for the longest makes way.
func (r *receiving) enter(c *call) error {
	patience := c.server.Limits.Stall / 30
	ticker := time.NewTicker(patience)
	defer ticker.Stop()
	for {
		select {
		case r.places <- struct{}{}:
			r.mu.Lock()
			defer r.mu.Unlock()
			r.bodies[c.body] = true
			return nil
		case now := <-ticker.C: // the place of one that made way may have been taken by another
			r.interrupt(now.Add(-patience))
		case <-c.r.Context().Done():
			return c.r.Context().Err()
		}
	}
}

// interrupt ends the upload that has waited longest for its client, since before a time, if there is one.
func (r *receiving) interrupt(before time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var longest *bodyReader
	first := int64(math.MaxInt64)
	for b := range r.bodies {
		if since := b.waiting.Load(); since > 0 && since <= before.UnixNano() && since < first {
			longest, first = b, since
		}
	}
	if longest != nil {
		delete(r.bodies, longest)
		longest.interrupt()
	}
}

// leave gives a place back.
func (r *receiving) leave(c *call) {
	r.mu.Lock()
	delete(r.bodies, c.body)
	r.mu.Unlock()
	<-r.places
}
