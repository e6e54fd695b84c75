package colsync

import (
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/wire"
)

// The time of an upload is that of our clock. Where others are above it, or it is ahead of the server's, two devices do not take the same one, and
// none that is still to come.
func TestStamp(t *testing.T) {
	t.Parallel()
	const now = 1_800_000_000_500
	for _, c := range []struct {
		name   string
		col    collection.Col
		server wire.Meta
		most   int64
		exact  bool
	}{
		{"clocks agree", collection.Col{Mod: now - 1, Scm: now - 9}, wire.Meta{Mod: now - 2, TS: now / 1000}, now, true},
		{"a second ahead", collection.Col{Mod: now - 1}, wire.Meta{TS: now/1000 - 1}, now, true},
		{"ours is behind", collection.Col{Mod: now - 1}, wire.Meta{Mod: now + 60_000, Scm: now, TS: now/1000 + 60}, now, false},
		{"an edit to come", collection.Col{Mod: now + 9}, wire.Meta{TS: now / 1000}, now, false},
		{"ours is ahead", collection.Col{Mod: now - 1}, wire.Meta{TS: now/1000 - 60}, (now/1000 - 60) * 1000, false},
	} {
		seen := map[int64]bool{}
		for seed := range uint64(8) {
			s := &Syncer{Host: &host.Host{Clock: coretest.NewClock(time.UnixMilli(now), 0), Random: coretest.NewRandom(seed)}}
			got := s.stamp(c.col, c.server)
			if got > c.most || got <= c.most-2000 { // the server tells its time in whole seconds
				t.Errorf("%s: %d ms after the latest", c.name, got-c.most)
			}
			for _, known := range []int64{c.col.Mod, c.col.Scm, c.server.Mod, c.server.Scm} {
				if got == known {
					t.Errorf("%s: one that is known", c.name)
				}
			}
			seen[got] = true
		}
		if c.exact != (len(seen) == 1) || !c.exact && len(seen) < 6 {
			t.Errorf("%s: %d different ones", c.name, len(seen))
		}
	}
}
