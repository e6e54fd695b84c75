package autosync_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/autosync"
	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
)

// device is a host of which everything is random: what happens, how long a sync takes and how it ends.
type device struct {
	*testing.T
	rand      *rand.Rand
	clock     *coretest.Clock
	scheduler *autosync.Scheduler
	wake      time.Time // zero: none
	// ends has when the runs end that were answered, began those that the user has started.
	ends, began map[autosync.Action]time.Time
	starts      map[autosync.Action][]time.Time // those that were answered
	unsent      bool                            // edits since the last sync that ended well has started
	sending     bool
	last        autosync.Answer
	log         []string
	longest     time.Duration // of a run
}

func (d *device) tell(e autosync.Event) {
	d.Helper()
	a, err := d.scheduler.Handle(e)
	now := d.clock.Now()
	d.log = append(d.log, now.Format("15:04:05.000 ")+string(e.Kind)+" "+string(e.What)+" → "+show(a))
	if err != nil {
		d.fail(err)
	}
	d.wake = time.Time{}
	if a.Wake < 0 {
		d.fail("a wake in the past")
	} else if a.Wake > 0 {
		d.wake = now.Add(time.Duration(a.Wake) * time.Millisecond)
	}
	d.last = a
	if a.Do == "" {
		return
	}
	if !d.ends[a.Do].IsZero() || !d.began[a.Do].IsZero() {
		d.fail("two at once")
	}
	if a.Do == autosync.Sync {
		d.sending, d.unsent = d.unsent, false
	}
	d.ends[a.Do] = now.Add(time.Duration(d.rand.Int64N(int64(d.longest))))
	d.starts[a.Do] = append(d.starts[a.Do], now)
}

func (d *device) fail(what any) {
	d.Helper()
	for _, line := range d.log[max(0, len(d.log)-25):] {
		d.Log(line)
	}
	d.Fatal(what)
}

// outcome is the end of a run.
func (d *device) outcome(what autosync.Action, kinds []fault.Kind) autosync.Event {
	e := autosync.Event{Kind: autosync.Finished, What: what}
	if len(kinds) > 0 {
		e.Error = kinds[d.rand.IntN(len(kinds))]
	}
	if e.Error == 0 {
		n := d.rand.Int64N(3)
		e.Report = autosync.Report{USN: n - 1, MediaUSN: d.rand.Int64N(3) - 1, Received: d.rand.Int64N(2), Events: d.rand.IntN(4) > 0, HasEvents: true}
	}
	if what == autosync.Sync {
		d.unsent = d.unsent || d.sending && e.Error != 0
		d.sending = false
	}
	return e
}

// until lets time pass, with everything that ends or is due meanwhile. It returns how often the scheduler was woken.
func (d *device) until(end time.Time, kinds []fault.Kind) (wakes int) {
	d.Helper()
	for {
		next, event := end, autosync.Event{}
		for _, runs := range []map[autosync.Action]time.Time{d.ends, d.began} {
			for what, at := range runs {
				if !at.IsZero() && !at.After(next) {
					next, event = at, autosync.Event{Kind: autosync.Finished, What: what}
				}
			}
		}
		if !d.wake.IsZero() && d.wake.Before(next) {
			next, event = d.wake, autosync.Event{Kind: autosync.Wake}
		}
		d.clock.Set(next)
		switch event.Kind {
		case autosync.Finished:
			manual := !d.began[event.What].IsZero() && d.began[event.What].Equal(next)
			if manual {
				delete(d.began, event.What)
			} else {
				delete(d.ends, event.What)
			}
			event = d.outcome(event.What, kinds)
			event.Manual = manual
			d.tell(event)
		case autosync.Wake:
			wakes++
			d.tell(event)
		default:
			return wakes
		}
	}
}

// happen makes a random event.
func (d *device) happen() {
	settings := autosync.Settings{
		AutoSync: d.rand.IntN(8) > 0, Live: d.rand.IntN(4) > 0, SyncMedia: d.rand.IntN(4) > 0,
		MediaInterval: float64(d.rand.IntN(4)) * 5, Metered: []autosync.Policy{"all", "collection", "none"}[d.rand.IntN(3)],
	}
	network := []autosync.Network{"", "unmetered", "metered", "offline"}[d.rand.IntN(4)]
	what := []autosync.Action{autosync.Sync, autosync.MediaSync}[d.rand.IntN(2)]
	switch e := (autosync.Event{
		Settings: settings, Network: network, LoggedIn: d.rand.IntN(8) > 0, USN: d.rand.Int64N(4) - 1, MediaUSN: d.rand.Int64N(4) - 1,
	}); d.rand.IntN(14) {
	case 0:
		e.Kind = autosync.Account
		d.tell(e)
	case 1, 2:
		e.Kind = autosync.Hidden
		d.tell(e)
	case 3, 4:
		e.Kind = autosync.Visible
		d.tell(e)
	case 5, 6, 7:
		d.unsent = true
		d.tell(edited)
	case 8:
		d.tell(added)
	case 9:
		e.Kind = autosync.Net
		d.tell(e)
	case 10, 11:
		if d.last.Live {
			e.Kind = []autosync.Kind{autosync.Changed, autosync.Listening, autosync.Deaf, autosync.Changed}[d.rand.IntN(4)]
			d.tell(e)
		}
	case 12:
		e.Kind = autosync.Settled
		d.tell(e)
	case 13:
		if d.began[what].IsZero() && d.ends[what].IsZero() {
			if what == autosync.Sync {
				d.sending, d.unsent = d.unsent, false
			}
			d.began[what] = d.clock.Now().Add(time.Duration(d.rand.Int64N(int64(d.longest))))
			d.tell(autosync.Event{Kind: autosync.Began, What: what})
		}
	}
}

// TestAnyEvents: whatever happens, there are never two runs at once and never a storm of them, and what is pending is synced in
// the end, if that is allowed and works.
func TestAnyEvents(t *testing.T) {
	t.Parallel()
	kinds := append(fault.Kinds(), 0, 0, 0, 0, 0, 0, 0, fault.Offline, fault.Offline, fault.Timeout)
	for seed := range uint64(300) {
		d := &device{
			T: t, rand: rand.New(rand.NewPCG(seed, 1)), clock: coretest.NewClock(time.UnixMilli(1_800_000_000_000), 0),
			ends: map[autosync.Action]time.Time{}, began: map[autosync.Action]time.Time{}, starts: map[autosync.Action][]time.Time{},
		}
		d.longest = []time.Duration{20 * s, time.Millisecond}[seed%2]
		pauses := [][]time.Duration{{time.Millisecond, s, s, 30 * s, 10 * m}, {time.Millisecond, time.Millisecond, s}}[seed/2%2]
		d.scheduler = autosync.New(d.clock, coretest.NewRandom(seed))
		d.tell(opened())
		for range 300 {
			// Mostly at once, sometimes hours later.
			pause := time.Duration(d.rand.ExpFloat64() * float64(pauses[d.rand.IntN(len(pauses))]))
			d.until(d.clock.Now().Add(pause), kinds)
			d.happen()
		}
		for what, starts := range d.starts {
			for i := range starts {
				if i >= 6 && starts[i].Sub(starts[i-6]) < 10*s-time.Millisecond {
					t.Fatalf("seed %d: %s at %v and the sixth one after it at %v", seed, what, starts[i-6], starts[i])
				}
			}
		}
		d.settle(seed)
	}
}

// settle makes everything allowed and well, and waits for what is pending.
func (d *device) settle(seed uint64) {
	d.until(d.clock.Now().Add(20*s), []fault.Kind{0})
	for _, e := range []autosync.Event{network(autosync.Unmetered), login, settings(quiet), edited} {
		d.tell(e)
	}
	d.unsent = true
	wakes := d.until(d.clock.Now().Add(3*m), nil)
	if d.unsent || wakes > 20 {
		d.fail([]any{"seed", seed, "unsent", d.unsent, "wakes", wakes})
	}
	if a := d.last; a.Activity != autosync.Idling || a.Do != "" {
		d.fail(show(a))
	}
}
