package interop_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/anki"
)

// Another device syncs at each point of our sync. From start to finish it takes our session away: we stop with a conflict,
// send no abort, which would hit the other device, and lose nothing.
func TestStolenSession(t *testing.T) {
	t.Parallel()
	for _, p := range syncPoints() {
		t.Run(p.String(), func(t *testing.T) {
			t.Parallel()
			hosts(t, 4, func(t *testing.T, e engine) {
				s, a := newApartSetup(t, e, true)
				s.addReal(t, a.server)
				s.real.flag(t, s.cards[12], 4)
				s.proxy.Use(p.at(func(*anki.Exchange) anki.Verdict {
					s.real.sync(t)
					return anki.Pass
				}))
				_, err := s.ours.try(t.Context())
				log := s.proxy.Log()
				started := p.n > 1 || p.n == 1 && p.after // start has been answered
				finished := p.method == "finish" && p.after
				if started && !finished {
					if fault.KindOf(err) != fault.Conflict {
						t.Fatalf("got %v, want kind conflict; requests %v", err, log)
					}
					if slices.Contains(log, "abort") {
						t.Error("an abort was sent:", log)
					}
				} else if err != nil {
					t.Fatal(err)
				}
				s.ours.intact(t)
				if p.n == 1 && !p.after || p.n == 0 && p.after {
					// Our rows carry the usn that meta told, which the other device has seen already: it misses them until they
					// change again, as with two real clients (sync spec 6.3). The server has them.
					s.real = nil
					s.ours.sync(t)
				} else {
					settle(t, s.ours, s.real)
				}
				a.keeps(t, s.agree(t))
			})
		})
	}
}

// A cancel ends each operation within a second, wherever it waits.
func TestCancel(t *testing.T) {
	t.Parallel()
	eachPoint(t, hosts, 4, func(t *testing.T, e engine, op operation, p point) {
		s, a, before := op.start(t, e, p)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		var once sync.Once
		var cancelled time.Time
		s.proxy.Use(p.at(func(*anki.Exchange) anki.Verdict {
			once.Do(func() {
				cancelled = time.Now()
				cancel()
				<-ended // the answer comes only after the call has ended
			})
			return anki.Pass
		}))
		err := op.run(ctx, s.ours)
		took := time.Since(cancelled)
		close(ended)
		if fault.KindOf(err) != fault.Cancelled {
			t.Fatalf("got %v, want kind cancelled", err)
		}
		if took > e.cancels() {
			t.Errorf("the cancel took %v", took)
		}
		s.proxy.Close() // waits until the server has answered what was on its way
		s.proxy = anki.NewProxy(t, get(t, shared.server).URL)
		s.ours.account.Endpoint = s.proxy.URL
		if p.method == op.arrives {
			p.after = true // a request that was sent may arrive after the cancel
		}
		op.resume(t, s, a, p, before)
	})
}
