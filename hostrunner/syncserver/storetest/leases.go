package storetest

import (
	"errors"
	"testing"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// TestLeases is the contract of store.Leases. open returns the leases of two servers of the same accounts, with the
// given addresses.
func TestLeases(t *testing.T, open func(t *testing.T, urlA, urlB string) (a, b store.Leases)) {
	t.Run("one holder", func(t *testing.T) {
		t.Parallel()
		a, b := open(t, "http://a.example/", "http://b.example/")
		l, err := a.Acquire(t.Context(), "a1")
		coretest.Must(t, err)
		elsewhere(t, b, "a1", "http://a.example/")
		other, err := b.Acquire(t.Context(), "b1")
		coretest.Must(t, err)
		elsewhere(t, a, "b1", "http://b.example/")
		l.Release()
		l.Release()
		l, err = b.Acquire(t.Context(), "a1")
		coretest.Must(t, err)
		elsewhere(t, a, "a1", "http://b.example/")
		l.Release()
		other.Release()
		select {
		case <-l.Lost():
			t.Error("a lease that was given back counts as lost")
		default:
		}
	})
	t.Run("a holder without an address", func(t *testing.T) {
		t.Parallel()
		a, b := open(t, "", "http://b.example/")
		l, err := a.Acquire(t.Context(), "a1")
		coretest.Must(t, err)
		elsewhere(t, b, "a1", "")
		l.Release()
	})
}

func elsewhere(t *testing.T, s store.Leases, id store.AccountID, url string) {
	t.Helper()
	_, err := s.Acquire(t.Context(), id)
	if e, ok := errors.AsType[*store.Elsewhere](err); !ok || e.URL != url {
		t.Fatalf("account %s: got %v, want it at %q", id, err, url)
	}
}
