package coretest

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/cardferry/cardferry/core/host"
)

var (
	_ host.Clock   = (*Clock)(nil)
	_ host.Random  = (*Random)(nil)
	_ host.Events  = (*Events)(nil)
	_ host.Yielder = Yield{}
)

// Clock is a clock that stands still until it is told to move. It may be used by several goroutines.
type Clock struct {
	mu   sync.Mutex
	now  time.Time
	west int
}

// NewClock returns a clock that shows now, in a time zone west minutes west of UTC.
func NewClock(now time.Time, west int) *Clock { return &Clock{now: now, west: west} }

// Now returns the time shown.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// MinutesWest returns the time zone, which has no daylight saving.
func (c *Clock) MinutesWest(time.Time) int { return c.west }

// Advance moves the clock.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Set sets the clock.
func (c *Clock) Set(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = now
}

// Random is a source of bytes that depend on the seed only. It may be used by several goroutines.
type Random struct {
	mu  sync.Mutex
	src *rand.ChaCha8
}

// NewRandom returns a source with the given seed.
func NewRandom(seed uint64) *Random {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	return &Random{src: rand.NewChaCha8(key)}
}

// Random fills p.
func (r *Random) Random(p []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, _ = r.src.Read(p) // never fails
}

// Events records progress reports. The zero value is ready; it may be used by several goroutines.
type Events struct {
	mu   sync.Mutex
	list []host.Progress
}

// Progress records p.
func (e *Events) Progress(p host.Progress) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = append(e.list, p)
}

// List returns a copy of what was recorded.
func (e *Events) List() []host.Progress {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.list)
}

// Stages returns the stages in the order in which each was first reported.
func (e *Events) Stages() []host.Stage {
	var stages []host.Stage
	for _, p := range e.List() {
		if !slices.Contains(stages, p.Stage) {
			stages = append(stages, p.Stage)
		}
	}
	return stages
}

// Yield is a host.Yielder for hosts with threads: it only looks at the context.
type Yield struct{}

// Tick returns ctx.Err.
func (Yield) Tick(ctx context.Context) error { return ctx.Err() }

// Pause returns ctx.Err.
func (Yield) Pause(ctx context.Context) error { return ctx.Err() }
