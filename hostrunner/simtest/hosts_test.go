package simtest

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/service"
	"github.com/cardferry/cardferry/hostrunner"
)

// guestCore is the core in the Wasm guest, on the simulated ports of a device.
type guestCore struct{ profile *hostrunner.Profile }

// Call maps the methods that the simulator uses to those of a profile.
func (g guestCore) Call(ctx context.Context, method string, params any) ([]byte, error) {
	switch method {
	case service.MethodOpen: // a profile opens itself
		return nil, nil
	case service.MethodClose:
		return nil, g.profile.Close()
	case service.MethodLogin:
		return through(ctx, params, g.profile.Login)
	case service.MethodSync:
		return through(ctx, params, g.profile.Sync)
	case service.MethodUpload:
		return through(ctx, params, g.profile.Upload)
	case service.MethodDownload:
		return through(ctx, params, g.profile.Download)
	case service.MethodMediaSync:
		return through(ctx, params, g.profile.MediaSync)
	case service.MethodEdit:
		return through(ctx, params, func(ctx context.Context, p service.EditParams) (service.EditResult, error) {
			return g.profile.Edit(ctx, p.Ops...)
		})
	case service.MethodUndo:
		return through(ctx, params, func(ctx context.Context, _ struct{}) (service.UndoResult, error) { return g.profile.Undo(ctx) })
	case service.MethodDeckTree:
		return through(ctx, params, func(ctx context.Context, _ struct{}) (service.DeckTreeResult, error) { return g.profile.DeckTree(ctx) })
	}
	panic("the simulator calls " + method)
}

func through[P, R any](ctx context.Context, params any, do func(context.Context, P) (R, error)) ([]byte, error) {
	p, _ := params.(P)
	r, err := do(ctx, p)
	if err != nil {
		return nil, err
	}
	return json.Marshal(r)
}

// The same seeds make the same of the Wasm guest as of the core compiled in: every request, every error, every table at the end. Two
// things are left out for both: an edit in the middle of an answer, which would wait for the turn that the answer is given in, and
// a cancel in it, which the guest hears of in its next turn.
func TestGuest(t *testing.T) {
	t.Parallel()
	rt, err := hostrunner.New(t.Context(), hostrunner.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer rt.Close(context.Background())
	seeds := uint64(3)
	if testing.Short() {
		seeds = 1
	}
	for seed := range seeds {
		s := newScript(seed).alike()
		native := play(s, nil, NewCoverage())
		guest := playOn(s, nil, NewCoverage(), func(h host.Host) caller {
			p, err := rt.Open(t.Context(), hostrunner.OpenOptions{
				Dir: t.TempDir(), Create: true, Wrap: func(host.Host) host.Host { return h },
			})
			if err != nil {
				t.Fatal(err)
			}
			return guestCore{p}
		})
		for _, r := range []*result{native, guest} {
			for _, f := range r.failures {
				t.Errorf("seed %d: %s", seed, f)
			}
		}
		if native.digest != guest.digest {
			t.Errorf("seed %d: the guest does something else: %d and %d requests", seed, native.requests, guest.requests)
			for i := range min(len(native.log), len(guest.log)) {
				if native.log[i] != guest.log[i] {
					t.Errorf("native: %s\nguest:  %s", native.log[i], guest.log[i])
					break
				}
			}
		}
	}
}

// alike is the script without what two hosts need not do at the same moment.
func (s *script) alike() *script {
	same := *s
	same.actions = nil
	for _, a := range s.actions {
		calm := func(f netFault) bool { return f != edited && f != removed && f != cancelled }
		a.faults, a.at = only(a.faults, calm), only(a.at, calm)
		a.cancelAt = 0
		a.reorder = false
		same.actions = append(same.actions, a)
	}
	return &same
}

func only[K comparable](m map[K]netFault, want func(netFault) bool) map[K]netFault {
	less := map[K]netFault{}
	for k, f := range m {
		if want(f) {
			less[k] = f
		}
	}
	return less
}
