package simtest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
)

// kind is what an action does.
type kind string

// The actions.
const (
	doEdit     kind = "edit"
	doUndo     kind = "undo"
	doMedia    kind = "change media files"
	doSync     kind = "sync"
	doMediaSyn kind = "sync media"
	doClock    kind = "clock"
	doKill     kind = "kill at rest"
	doServer   kind = "server restarts"
	doOneWay   kind = "one way"
	doSettle   kind = "everything is repaired, and judged"
)

// action is one step of a script. Everything that it chooses comes from its own seed.
type action struct {
	kind   kind
	device int
	seed   uint64
	faults map[int]netFault // by the number of the request
	killAt int
	fullAt int
	// at are faults by the method of the request, the first one of each.
	at map[string]netFault
	// about narrows what the action does; atOnce has it in the second of the one before.
	about  focus
	atOnce bool
	// cancelAt is the step of a port in which the user cancels.
	cancelAt int
	// locked takes the right to read and write the media folder away, readOnly that to write.
	locked, readOnly bool
	// look has the cells of the tables counted that the sync meets.
	look bool
	// reorder answers requests that are in flight at once in any order.
	reorder bool
}

// script is what happens in a world.
type script struct {
	seed     uint64
	accounts int
	devices  int // of all accounts, in turn
	actions  []action
	// plain has the devices' connections opened and closed, and TEMP tables made, as the core asks for it, without the short cuts of temps.go
	// and history.go. It takes longer, and nothing else differs.
	plain bool
}

// weights say how often an action is chosen.
var weights = []struct {
	kind kind
	n    int
}{{doEdit, 25}, {doUndo, 3}, {doMedia, 12}, {doSync, 34}, {doMediaSyn, 14}, {doClock, 6}, {doKill, 2}, {doServer, 2}, {doOneWay, 2}}

// newScript makes the script of a seed.
func newScript(seed uint64) *script {
	rng := rand.New(rand.NewPCG(seed, 0x51a9))
	s := &script{seed: seed, accounts: 1, devices: 2 + rng.IntN(2)}
	switch rng.IntN(12) {
	case 0:
		s.devices = 1
	case 1:
		s.accounts, s.devices = 2, 4
	case 2:
		s.devices = 4
	}
	total := 0
	for _, w := range weights {
		total += w.n
	}
	for i := range 1 + rng.IntN(2*moreChapters) {
		if i > 0 {
			s.actions = append(s.actions, action{kind: doSettle, seed: rng.Uint64()})
		}
		// A sync in one direction excuses much of what was before it, so it is the first.
		s.actions = append(s.actions, aimed(rng, int(seed%1000)*(2*moreChapters)+i, 0, s.accounts%s.devices)...)
		if which, ok := rare[seed%100]; ok && s.devices > s.accounts {
			s.actions = append(s.actions, pattern(rng, which, 0, s.accounts)...)
		}
		s.chapter(rng, total)
	}
	return s
}

// moreChapters is how often, in the mean, a world goes on after it was judged: to begin one takes as long as dozens of syncs.
const moreChapters = 3

// rare are the patterns that bring about what hardly anything else does, by the last two digits of the seed.
var rare = map[uint64]int{59: lostNew, 42: lockedOut}

// chapter adds actions that are judged together.
func (s *script) chapter(rng *rand.Rand, total int) {
	for range 12 + rng.IntN(36) {
		if rng.IntN(12) == 0 && s.devices > s.accounts {
			one := rng.IntN(s.devices)
			two := (one + s.accounts) % s.devices // of the same account
			s.actions = append(s.actions, pattern(rng, rng.IntN(patterns), one, two)...)
			continue
		}
		a := action{device: rng.IntN(s.devices), seed: rng.Uint64()}
		n := rng.IntN(total)
		for _, w := range weights {
			if n -= w.n; n < 0 {
				a.kind = w.kind
				break
			}
		}
		a.disturb(rng)
		s.actions = append(s.actions, a)
	}
}

// disturb chooses what goes wrong during an action.
func (a *action) disturb(rng *rand.Rand) {
	a.reorder = rng.IntN(2) == 0
	switch a.kind {
	case doSync, doMediaSyn, doOneWay:
	case doEdit, doUndo:
		if rng.IntN(12) == 0 {
			a.killAt = 1 + rng.IntN(80)
		}
		return
	default:
		return
	}
	switch rng.IntN(10) {
	case 0, 1, 2, 3, 4:
		a.faults = map[int]netFault{}
		for range 1 + rng.IntN(2) {
			what := netFaults[rng.IntN(len(netFaults))]
			if rng.IntN(5) == 0 {
				what = edited // it takes the right edit at the right moment
			}
			if rng.IntN(4) == 0 { // a request of which there are not many
				if a.at == nil {
					a.at = map[string]netFault{}
				}
				a.at[requests[rng.IntN(len(requests))]] = what
				continue
			}
			at := rng.IntN(12)
			if a.kind == doOneWay {
				at = rng.IntN(4)
			}
			a.faults[at] = what
		}
	case 5:
		a.killAt = 1 + rng.IntN(40<<rng.IntN(5))
	case 6:
		a.fullAt = 1 + rng.IntN(40<<rng.IntN(5))
	case 7:
		if a.kind == doMediaSyn && rng.IntN(3) == 0 {
			a.readOnly = true
			a.locked = rng.IntN(2) == 0
		} else if rng.IntN(2) == 0 {
			a.cancelAt = 1 + rng.IntN(40<<rng.IntN(5))
		}
	}
}

// String says in words what an action is.
func (a *action) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "device %d: %s", a.device, a.kind)
	if a.about != "" {
		fmt.Fprintf(&b, " (%s)", a.about)
	}
	if a.atOnce {
		b.WriteString(" at once")
	}
	for _, method := range slices.Sorted(maps.Keys(a.at)) {
		fmt.Fprintf(&b, "; %s: %s", method, a.at[method])
	}
	for n := range 12 {
		if f, ok := a.faults[n]; ok {
			fmt.Fprintf(&b, "; request %d: %s", n, f)
		}
	}
	if a.killAt > 0 {
		fmt.Fprintf(&b, "; killed at step %d", a.killAt)
	}
	if a.fullAt > 0 {
		fmt.Fprintf(&b, "; the disk is full from step %d on", a.fullAt)
	}
	if a.cancelAt > 0 {
		fmt.Fprintf(&b, "; the user cancels at step %d", a.cancelAt)
	}
	switch {
	case a.readOnly && !a.locked:
		b.WriteString("; the media folder is read-only")
	case a.locked:
		b.WriteString("; the media folder is locked")
	}
	return b.String()
}

// with returns the script with some of its actions only.
func (s *script) with(keep []int) *script {
	short := *s
	short.actions = nil
	for _, i := range keep {
		if i < len(s.actions) {
			short.actions = append(short.actions, s.actions[i])
		}
	}
	return &short
}
