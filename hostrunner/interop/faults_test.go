package interop_test

import (
	"context"
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/service"
	"github.com/cardferry/cardferry/hostrunner/anki"
)

// operation is one of the three things that travel over the network.
type operation struct {
	name    string
	points  []point
	prepare func(t testing.TB, s *setup)
	run     func(ctx context.Context, o *ours) error
	// arrives is the request after which the server has our changes: an error after it may mean success.
	arrives string
}

func operations() []operation {
	return []operation{
		{
			name: "sync", points: syncPoints(), arrives: "finish",
			prepare: func(testing.TB, *setup) {},
			run:     func(ctx context.Context, o *ours) error { _, err := o.try(ctx); return err },
		}, {
			name: "upload", points: uploadPoints(), arrives: "upload",
			prepare: func(t testing.TB, s *setup) { s.ours.oneWay(t) },
			run: func(ctx context.Context, o *ours) error {
				_, err := o.profile.Upload(ctx, service.TransferParams{Account: &o.account, Backup: true})
				return err
			},
		}, {
			name: "download", points: pointsOf("meta", "download"), arrives: "none",
			prepare: func(t testing.TB, s *setup) { s.ours.oneWay(t) },
			run: func(ctx context.Context, o *ours) error {
				_, err := o.profile.Download(ctx, service.TransferParams{Account: &o.account, Backup: true})
				return err
			},
		},
	}
}

// uploadPoints are the points of an upload, which takes a backup of the server's collection unless the server says that it
// keeps one itself.
func uploadPoints() []point {
	if throughOwn() {
		return pointsOf("meta", "upload")
	}
	return pointsOf("meta", "download", "meta", "upload")
}

// arrived reports whether the server had our changes at the point.
func (op operation) arrived(p point) bool { return p.method == op.arrives && p.after }

// spread runs do on engines: locals, hosts, cutOff.
type spread func(t *testing.T, n uint32, do func(t *testing.T, e engine))

// eachPoint runs do for each point of each operation.
func eachPoint(t *testing.T, on spread, sample uint32, do func(t *testing.T, e engine, op operation, p point)) {
	for _, op := range operations() {
		t.Run(op.name, func(t *testing.T) {
			t.Parallel()
			for _, p := range op.points {
				t.Run(p.String(), func(t *testing.T) {
					t.Parallel()
					on(t, sample, func(t *testing.T, e engine) { do(t, e, op, p) })
				})
			}
		})
	}
}

// start makes the setup for an operation.
func (op operation) start(t *testing.T, e engine, p point) (*setup, *apart, anki.Dump) {
	s, a := newApartSetup(t, e, p.n%2 == 0)
	op.prepare(t, s)
	return s, a, s.ours.dump(t)
}

// resume checks the collection after an operation that failed at the point, and makes it again: nothing may be lost, and
// no one-way sync be needed that was not needed before.
func (op operation) resume(t *testing.T, s *setup, a *apart, p point, before anki.Dump) {
	t.Helper()
	s.ours.intact(t)
	after := s.ours.dump(t)
	if op.name != "sync" {
		s.same(t, "before the failure", after, before)
	} else {
		for name, seen := range a.kept {
			if seen(before) && !seen(after) {
				t.Errorf("lost after the failure: %s", name)
			}
		}
		if len(after.Pending()) == 0 {
			t.Error("nothing is pending after the failure")
		}
	}
	s.proxy.Use(anki.Hooks{})
	if op.name != "sync" && !op.arrived(p) {
		if _, err := s.ours.try(t.Context()); fault.KindOf(err) != fault.OneWayNeeded {
			t.Fatalf("a sync after the failure: %v", err)
		}
		if err := op.run(t.Context(), s.ours); err != nil {
			t.Fatal(err)
		}
	}
	s.ours.sync(t)
	d := s.agree(t)
	switch op.name {
	case "sync":
		a.keeps(t, d)
	case "upload":
		s.same(t, "before the upload", d, withScm(d, before))
	}
	for name, seen := range a.kept {
		if op.name == "upload" && seen(before) && !seen(d) {
			t.Errorf("lost in the end: %s", name)
		}
	}
}

// withScm returns before with the scm of d, which an upload changes.
func withScm(d, before anki.Dump) anki.Dump {
	before["col"] = d["col"]
	return before
}

// The connection is lost at each point.
func TestLostConnection(t *testing.T) {
	t.Parallel()
	eachPoint(t, cutOff, 4, func(t *testing.T, e engine, op operation, p point) {
		s, a, before := op.start(t, e, p)
		s.proxy.Use(p.at(func(*anki.Exchange) anki.Verdict { return anki.Drop }))
		err := op.run(t.Context(), s.ours)
		if fault.KindOf(err) != fault.Network {
			t.Fatalf("got %v, want kind network", err)
		}
		op.resume(t, s, a, p, before)
	})
}
