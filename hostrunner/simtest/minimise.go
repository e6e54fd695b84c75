package simtest

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// minimise returns a shorter script that fails as well: actions are left out in ever smaller groups, then single faults.
func minimise(s *script, fails func(*script) bool, tries int) (*script, []int) {
	keep := make([]int, len(s.actions))
	for i := range keep {
		keep[i] = i
	}
	for size := max(1, len(keep)/2); ; size /= 2 {
		size = max(1, size)
		for at := 0; at < len(keep) && tries > 0; {
			shorter := slices.Delete(slices.Clone(keep), at, min(at+size, len(keep)))
			tries--
			if fails(s.with(shorter)) {
				keep = shorter
			} else {
				at += size
			}
		}
		if size == 1 || tries <= 0 {
			break
		}
	}
	short := s.with(keep)
	for i := range short.actions {
		for _, without := range calmer(short.actions[i]) {
			try := *short
			try.actions = slices.Clone(short.actions)
			try.actions[i] = without
			if tries--; tries > 0 && fails(&try) {
				short = &try
			}
		}
	}
	return short, keep
}

// calmer returns an action with one of its faults less each.
func calmer(a action) (list []action) {
	for n := range a.faults {
		less := a
		less.faults = map[int]netFault{}
		for m, f := range a.faults {
			if m != n {
				less.faults[m] = f
			}
		}
		list = append(list, less)
	}
	for method := range a.at {
		less := a
		less.at = maps.Clone(a.at)
		delete(less.at, method)
		list = append(list, less)
	}
	if a.killAt > 0 {
		less := a
		less.killAt = 0
		list = append(list, less)
	}
	if a.fullAt > 0 {
		less := a
		less.fullAt = 0
		list = append(list, less)
	}
	if a.cancelAt > 0 {
		less := a
		less.cancelAt = 0
		list = append(list, less)
	}
	if a.locked || a.readOnly {
		less := a
		less.locked, less.readOnly = false, false
		list = append(list, less)
	}
	if a.reorder {
		less := a
		less.reorder = false
		list = append(list, less)
	}
	return list
}

// Replay plays one seed and writes what happens. If it fails, a shorter script that fails in the same way follows, which is looked
// for by that many tries.
func Replay(seed uint64, mutantName string, keep []int, tries int, to io.Writer) (failed bool, err error) {
	m, err := findMutant(mutantName)
	if err != nil {
		return false, err
	}
	s := newScript(seed)
	if keep != nil {
		s = s.with(keep)
	}
	r := play(s, m, NewCoverage())
	for _, line := range r.log {
		fmt.Fprintln(to, line)
	}
	fmt.Fprintf(to, "\n%d syncs, %d requests, trace %x\n", r.syncs, r.requests, r.digest[:8])
	if len(r.failures) == 0 {
		return false, nil
	}
	same := sortOf(r.failures[0])
	short, kept := minimise(s, func(s *script) bool {
		r := play(s, m, NewCoverage())
		return len(r.failures) > 0 && sortOf(r.failures[0]) == same
	}, tries)
	fmt.Fprintf(to, "\nFAILED: %s\n\nIn short (make sim SEED=%d KEEP=%s):\n", r.failures[0], seed, list(kept))
	for _, line := range play(short, m, NewCoverage()).log {
		fmt.Fprintln(to, "  "+line)
	}
	return true, nil
}

// sortOf is what kind of failure a text tells of: the text without its numbers.
func sortOf(text string) string {
	text, _, _ = strings.Cut(text, "(")
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return -1
		}
		return r
	}, text[:min(len(text), 40)])
}

func list(keep []int) string {
	var b strings.Builder
	for i, n := range keep {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprint(&b, n)
	}
	return b.String()
}
