package nethost

import (
	"sync"
	"time"
)

// stall fires once when nothing was reported by touch for a time. It costs a lock per report and one timer.
type stall struct {
	mu     sync.Mutex
	limit  time.Duration
	last   time.Time
	timer  *time.Timer // nil without a limit, and after stop
	paused bool
	queue  func() int64 // bytes on their way out, which move without touch
	queued int64
	fire   func()
}

func newStall(limit time.Duration, queue func() int64, fire func()) *stall {
	s := &stall{limit: limit, last: time.Now(), queue: queue, fire: fire}
	if limit > 0 {
		s.mu.Lock() // check must not run before timer is set
		defer s.mu.Unlock()
		s.timer = time.AfterFunc(s.interval(), s.check)
	}
	return s
}

// interval is how often the queue is looked at.
func (s *stall) interval() time.Duration { return max(s.limit/8, time.Millisecond) }

// check runs a few times within the limit.
func (s *stall) check() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.timer == nil || s.paused {
		return
	}
	if n := s.queue(); n != s.queued {
		s.queued, s.last = n, time.Now()
	}
	if time.Since(s.last) < s.limit {
		s.timer.Reset(s.interval())
		return
	}
	s.timer = nil
	s.fire()
}

// touch reports that something moved.
func (s *stall) touch() {
	s.mu.Lock()
	s.last = time.Now()
	s.mu.Unlock()
}

// pause stops the clock while the caller does not read: no byte can arrive then.
func (s *stall) pause() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paused = true
	if s.timer != nil {
		s.timer.Stop()
	}
}

// resume starts the clock anew.
func (s *stall) resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paused, s.last = false, time.Now()
	if s.timer != nil {
		s.timer.Reset(s.interval())
	}
}

// stop ends it.
func (s *stall) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
}
