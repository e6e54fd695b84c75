package simtest

import (
	"os"
	"strconv"
	"testing"
	"time"
)

// Some worlds, as many as fit in a minute on an idle machine; make sim plays many more.
func TestSim(t *testing.T) {
	n := 2000
	if testing.Short() {
		n = 200
	}
	if v, err := strconv.Atoi(os.Getenv("CARDFERRY_SYNCS")); err == nil {
		n = v
	}
	first, _ := strconv.ParseUint(os.Getenv("CARDFERRY_SEED"), 10, 64)
	r, err := Run(Options{First: first, Syncs: n, Until: 5 * time.Minute, Failures: 25})
	if err != nil {
		t.Fatal(err)
	}
	if testing.Verbose() {
		r.Print(os.Stderr)
	}
	for seed, what := range r.Failed {
		t.Errorf("make sim SEED=%d  # %s", seed, what)
	}
}

// The same seed gives the same run, to the last request.
func TestDeterministic(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		a, b := play(newScript(seed), nil, NewCoverage()), play(newScript(seed), nil, NewCoverage())
		if a.digest != b.digest || a.requests != b.requests {
			t.Errorf("seed %d: %d and %d requests, %x and %x", seed, a.requests, b.requests, a.digest[:4], b.digest[:4])
			for i := range min(len(a.log), len(b.log)) {
				if a.log[i] != b.log[i] {
					t.Errorf("%s\n%s", a.log[i], b.log[i])
					break
				}
			}
		}
	}
}
