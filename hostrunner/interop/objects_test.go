package interop_test

import (
	"strings"
	"testing"

	"github.com/cardferry/cardferry/hostrunner/anki"
)

// Every kind of change travels in both directions, one sync for each.
func TestEachChange(t *testing.T) {
	t.Parallel()
	for _, direction := range []string{"sent", "received"} {
		t.Run(direction, func(t *testing.T) {
			t.Parallel()
			hosts(t, 2, func(t *testing.T, e engine) {
				s := newSetup(t, e)
				from, to := device(s.ours), device(s.real)
				if direction == "received" {
					from, to = to, from
				}
				for _, c := range edits {
					seen := c.do(t, s.world, from)
					if d := from.dump(t); !seen(d) {
						t.Fatalf("%s: the change was not made", c.name)
					}
					from.sync(t)
					to.sync(t)
					if d := to.dump(t); !seen(d) {
						t.Errorf("%s: not %s", c.name, direction)
					}
					if d := anki.Compare(s.ours.dump(t), s.real.dump(t)); len(d) > 0 {
						t.Fatalf("%s: differences (ours first): %v", c.name, d)
					}
				}
				settle(t, s.ours, s.real)
				s.agree(t)
			})
		})
	}
}

// All changes at once, each device making half of them, and the other half with the roles changed.
func TestAllChangesAtOnce(t *testing.T) {
	t.Parallel()
	hosts(t, 2, func(t *testing.T, e engine) {
		for turn := range 2 {
			s := newSetup(t, e)
			devices := []device{s.ours, s.real}
			var seen []func(anki.Dump) bool
			for i, c := range edits {
				seen = append(seen, c.do(t, s.world, devices[(i+turn)%2]))
			}
			settle(t, devices[turn], devices[1-turn])
			d := s.agree(t)
			for i, c := range edits {
				// The config travels as a whole: the newer side's wins (sync spec 8.5).
				if !seen[i](d) && !strings.HasSuffix(c.name, " config key") {
					t.Errorf("%s by %s is lost", c.name, devices[(i+turn)%2].name())
				}
			}
		}
	})
}
