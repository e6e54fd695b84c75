// Command sim runs the simulator of package simtest: see its README.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"strings"
	"time"

	"github.com/cardferry/cardferry/hostrunner/simtest"
)

func main() {
	debug.SetGCPercent(400) // worlds are small, and gone after some milliseconds
	os.Exit(run(os.Args[1:], os.Stdout))
}

// run returns the exit code: 0 if everything holds, 1 if not, 2 for wrong arguments.
func run(args []string, out io.Writer) int {
	flags := flag.NewFlagSet("sim", flag.ContinueOnError)
	flags.SetOutput(out)
	seed := flags.Uint64("seed", 0, "play this seed only, with a trace")
	keep := flags.String("keep", "", "with -seed: only these actions of its script, as 1,4,7")
	first := flags.Uint64("first", uint64(time.Now().Unix()), "the first seed of a long run")
	syncs := flags.Int("syncs", 100_000, "how many syncs to simulate")
	until := flags.Duration("until", time.Hour, "the longest that a run may take")
	mutant := flags.String("mutant", "", "a seeded fault; several with -mutants")
	mutants := flags.Bool("mutants", false, "look for every seeded fault")
	failures := flags.Int("failures", 1, "after how many failures to end")
	profile := flags.String("profile", "", "write a CPU profile to this file")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if *profile != "" {
		f, err := os.Create(*profile)
		if err == nil {
			err = pprof.StartCPUProfile(f)
		}
		if err != nil {
			fmt.Fprintln(out, err)
			return 2
		}
		defer f.Close()
		defer pprof.StopCPUProfile()
	}
	set := map[string]bool{}
	flags.Visit(func(f *flag.Flag) { set[f.Name] = true })
	switch {
	case set["seed"]:
		return replay(*seed, *mutant, *keep, out)
	case *mutants:
		return hunt(*mutant, *syncs, out)
	}
	r, err := simtest.Run(simtest.Options{First: *first, Syncs: *syncs, Until: *until, Mutant: *mutant, Failures: *failures, Log: out})
	if err != nil {
		fmt.Fprintln(out, err)
		return 2
	}
	r.Print(out)
	code := 0
	if r.Grown > simtest.MaxGrown {
		fmt.Fprintln(out, "FAILED: memory grows")
		code = 1
	}
	if missing := r.Coverage.Missing(); len(missing) > 0 && *mutant == "" && len(r.Failed) == 0 {
		fmt.Fprintf(out, "not covered: %s\n", strings.Join(missing, "; "))
		if r.Syncs >= longRun {
			code = 1
		}
	}
	if len(r.Failed) > 0 {
		code = 1
	}
	return code
}

// longRun is how many syncs must meet every cell of the coverage.
const longRun = 50_000

// minimiseTries is how often a failing script is played to make it shorter: minutes.
const minimiseTries = 400

func replay(seed uint64, mutant, keep string, out io.Writer) int {
	var list []int
	for _, part := range strings.FieldsFunc(keep, func(r rune) bool { return r == ',' }) {
		n, err := strconv.Atoi(part)
		if err != nil {
			fmt.Fprintln(out, err)
			return 2
		}
		list = append(list, n)
	}
	failed, err := simtest.Replay(seed, mutant, list, minimiseTries, out)
	if err != nil {
		fmt.Fprintln(out, err)
		return 2
	}
	if failed {
		return 1
	}
	return 0
}

// hunt looks for every seeded fault, or those that are named. Each must be found.
func hunt(only string, syncs int, out io.Writer) (code int) {
	for _, m := range simtest.Mutants() {
		if only != "" && !strings.Contains(only, m.Name) {
			continue
		}
		r, err := simtest.Run(simtest.Options{First: 1, Syncs: syncs, Mutant: m.Name})
		switch {
		case err != nil:
			fmt.Fprintln(out, err)
			return 2
		case len(r.Failed) == 0:
			fmt.Fprintf(out, "%-22s NOT FOUND in %d syncs; it has changed something %d times\n", m.Name, r.Syncs, r.Hits)
			code = 1
		}
		for seed, what := range r.Failed {
			fmt.Fprintf(out, "%-22s found after %d syncs, seed %d: %.100s\n", m.Name, r.Syncs, seed, what)
		}
	}
	return code
}
