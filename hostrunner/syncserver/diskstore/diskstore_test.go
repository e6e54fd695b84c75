package diskstore_test

import (
	"os"
	"path/filepath"
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

// TestPrivate: the accounts are their owner's only, in whatever folder.
func TestPrivate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	coretest.Must(t, os.Chmod(dir, 0o755))
	s, err := diskstore.OpenAccounts(dir)
	coretest.Must(t, err)
	defer s.Close()
	for _, suffix := range []string{"", "-wal"} {
		info, err := os.Stat(filepath.Join(dir, diskstore.AccountsFile+suffix))
		coretest.Must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v", info.Name(), info.Mode())
		}
	}
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
