package memstore_test

import (
	"testing"

	"github.com/cardferry/cardferry/hostrunner/syncserver/memstore"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
	"github.com/cardferry/cardferry/hostrunner/syncserver/storetest"
)

func TestAccounts(t *testing.T) {
	t.Parallel()
	storetest.TestAccounts(t, func(*testing.T) store.Accounts { return memstore.NewAccounts() })
}

func TestBlobs(t *testing.T) {
	t.Parallel()
	storetest.TestBlobs(t, func(*testing.T) store.Blobs { return memstore.NewBlobs() })
}

func TestCollections(t *testing.T) {
	t.Parallel()
	storetest.TestCollections(t, func(*testing.T) store.Collections { return memstore.NewCollections() })
}

func TestLeases(t *testing.T) {
	t.Parallel()
	storetest.TestLeases(t, func(_ *testing.T, urlA, urlB string) (a, b store.Leases) {
		first := memstore.NewLeases(urlA)
		return first, first.Beside(urlB)
	})
}
