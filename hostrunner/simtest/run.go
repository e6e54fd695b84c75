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
	next := o.First
	take := func() (seed uint64, ok bool) {
		mu.Lock()
		defer mu.Unlock()
		if r.Syncs >= o.Syncs || len(r.Failed) >= max(1, o.Failures) || o.Until > 0 && time.Since(begun) > o.Until {
			return 0, false
		}
		next++
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
	if m != nil {
		r.Hits = m.hits.Load()
	}
	return r, nil
}

// Print writes the report.
func (r *Report) Print(to io.Writer) {
	r.Coverage.Print(to)
	fmt.Fprintf(to, "%d syncs in %d worlds, %d requests, %.0f s: %.1f syncs/s\n",
		r.Syncs, r.Worlds, r.Requests, r.Took.Seconds(), float64(r.Syncs)/r.Took.Seconds())
	for _, seed := range slices.Sorted(maps.Keys(r.Failed)) {
		fmt.Fprintf(to, "FAILED: make sim SEED=%d  # %s\n", seed, r.Failed[seed])
	}
}
