package simtest

import (
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Twenty thousand syncs, which take two minutes on an idle machine; make sim plays many more.
func TestSim(t *testing.T) {
	n := 20_000
	if testing.Short() {
		n = 200
	}
	if v, err := strconv.Atoi(os.Getenv("CARDFERRY_SYNCS")); err == nil {
		n = v
	}
	first, _ := strconv.ParseUint(os.Getenv("CARDFERRY_SEED"), 10, 64)
	r, err := Run(Options{First: first, Syncs: n, Until: 15 * time.Minute, Failures: 25})
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
	for seed := range uint64(2) {
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

// Connections and TEMP tables that outlast their use change nothing that a run does.
func TestShortCuts(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		s := newScript(seed)
		a := play(s, nil, NewCoverage())
		s.plain = true
		if b := play(s, nil, NewCoverage()); a.digest != b.digest || !slices.Equal(a.log, b.log) {
			t.Errorf("seed %d: %d and %d requests, %x and %x", seed, a.requests, b.requests, a.digest[:4], b.digest[:4])
		}
	}
}

// Three of the seeded faults are found: the simulator looks where it should.
func TestMutants(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"grave-dropped", "usn-too-high", "media-agreed-blindly"} {
		r, err := Run(Options{First: 1, Syncs: 2000, Mutant: name})
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Failed) == 0 {
			t.Errorf("%s is not found in %d syncs", name, r.Syncs)
		}
	}
}

// What chance alone would seldom meet is met by a pattern: a few of them find the fault.
func TestPatterns(t *testing.T) {
	t.Parallel()
	for name, which := range map[string]int{"same-mod": againAtOnce, "graves-stamped": goneMeanwhile, "download-mixed": neverCame, "agreed-without-offered": offeredTwice} {
		m, err := findMutant(name)
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		const worlds = 12
		for seed := range uint64(worlds) {
			rng := rand.New(rand.NewPCG(seed, 5))
			s := &script{seed: seed, accounts: 1, devices: 2, actions: pattern(rng, which, 0, 1)}
			if len(play(s, m, NewCoverage()).failures) > 0 {
				found++
			}
			for _, f := range play(s, nil, NewCoverage()).failures {
				t.Errorf("%s, seed %d, without the fault: %s", name, seed, f)
			}
		}
		t.Logf("%s: found in %d of %d worlds of one pattern, it has changed something %d times", name, found, worlds, m.hits.Load())
		if found == 0 {
			t.Errorf("%s is not found", name)
		}
	}
}

// A failing script becomes a short one that still fails.
func TestMinimise(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	failed, err := Replay(2, "usn-too-high", nil, 20, &out)
	if err != nil || !failed {
		t.Fatal(failed, err)
	}
	_, short, ok := strings.Cut(out.String(), "In short")
	if lines := strings.Count(short, "\n"); !ok || lines > 90 {
		t.Errorf("%d lines:\n%s", lines, short)
	}
}
