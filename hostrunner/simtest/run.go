package simtest

import (
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"sync"
	"time"
)

// Options are those of Run.
type Options struct {
	// First is the first seed; the others follow it.
	First uint64
	// Syncs is how many syncs to simulate at least.
	Syncs int
	// Until ends the run earlier; zero is no bound.
	Until time.Duration
	// Mutant names a seeded fault; "" is none.
	Mutant string
	// Failures is after how many worlds that fail the run ends; 0 is 1.
	Failures int
	// Log gets a line for each failure.
	Log io.Writer
}

// Report is what a run has shown.
type Report struct {
	Worlds, Syncs, Requests int
	Took                    time.Duration
	Failed                  map[uint64]string // the first failure, by seed
	Coverage                *Coverage
	// Grown is how many bytes more live memory there was at the end than when every base had been made: what worlds leave behind.
	Grown int64
	// Hits is how often the seeded fault has changed something.
	Hits int64
}

// Run plays worlds on all processors until enough syncs were simulated, or something fails.
func Run(o Options) (*Report, error) {
	m, err := findMutant(o.Mutant)
	if err != nil {
		return nil, err
	}
	r := &Report{Failed: map[uint64]string{}, Coverage: NewCoverage()}
	begun := time.Now()
	var mu sync.Mutex
	next, warm := o.First, int64(0)
	take := func() (seed uint64, ok bool) {
		mu.Lock()
		defer mu.Unlock()
		if r.Syncs >= o.Syncs || len(r.Failed) >= max(1, o.Failures) || o.Until > 0 && time.Since(begun) > o.Until {
			return 0, false
		}
		if next++; r.Worlds == warmWorlds && warm == 0 {
			warm = liveBytes()
		}
		return next - 1, true
	}
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for seed, ok := take(); ok; seed, ok = take() {
				one := play(newScript(seed), m, r.Coverage)
				mu.Lock()
				r.Worlds, r.Syncs, r.Requests = r.Worlds+1, r.Syncs+one.syncs, r.Requests+one.requests
				if len(one.failures) > 0 {
					r.Failed[seed] = one.failures[0]
					if o.Log != nil {
						fmt.Fprintf(o.Log, "make sim SEED=%d  # %s\n", seed, one.failures[0])
					}
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	r.Took = time.Since(begun)
	if warm > 0 {
		r.Grown = liveBytes() - warm
	}
	if m != nil {
		r.Hits = m.hits.Load()
	}
	return r, nil
}

// warmWorlds is after how many worlds all bases are made, and pools filled.
const warmWorlds = 40

// liveBytes is what is reachable.
func liveBytes() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// MaxGrown is how much a run may leave behind: the budget of a device (design §8).
const MaxGrown = 64 << 20

// Print writes the report.
func (r *Report) Print(to io.Writer) {
	r.Coverage.Print(to)
	fmt.Fprintf(to, "%d syncs in %d worlds, %d requests, %.0f s: %.1f syncs/s, %d kB left behind\n",
		r.Syncs, r.Worlds, r.Requests, r.Took.Seconds(), float64(r.Syncs)/r.Took.Seconds(), r.Grown>>10)
	for _, seed := range slices.Sorted(maps.Keys(r.Failed)) {
		fmt.Fprintf(to, "FAILED: make sim SEED=%d  # %s\n", seed, r.Failed[seed])
	}
}
