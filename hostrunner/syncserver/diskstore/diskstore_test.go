package diskstore_test

import (
	"testing"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/hostrunner/syncserver/diskstore"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
	"github.com/cardferry/cardferry/hostrunner/syncserver/storetest"
)

func TestAccounts(t *testing.T) {
	t.Parallel()
	storetest.TestAccounts(t, func(t *testing.T) store.Accounts {
		s, err := diskstore.OpenAccounts(t.TempDir())
		coretest.Must(t, err)
		return s
	})
}

func TestBlobs(t *testing.T) {
	t.Parallel()
	storetest.TestBlobs(t, func(t *testing.T) store.Blobs { return diskstore.NewBlobs(t.TempDir()) })
}

func TestCollections(t *testing.T) {
	t.Parallel()
	storetest.TestCollections(t, func(t *testing.T) store.Collections { return diskstore.NewCollections(t.TempDir()) })
}

func TestLeases(t *testing.T) {
	t.Parallel()
	storetest.TestLeases(t, func(t *testing.T, urlA, urlB string) (a, b store.Leases) {
		dir := t.TempDir()
		return diskstore.NewLeases(dir, urlA), diskstore.NewLeases(dir, urlB)
	})
}
