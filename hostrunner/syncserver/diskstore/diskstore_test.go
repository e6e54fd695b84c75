package diskstore_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
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

// TestFlushFailed: a file that the disk did not take becomes no collection, though flushing it again finds nothing to do.
func TestFlushFailed(t *testing.T) {
	t.Parallel()
	full := fault.New(fault.StorageFull, "the disk is full")
	piece := make([]byte, diskstore.FlushEvery)
	for name, write := range map[string]func(t *testing.T, f store.Staged){
		"at the end": func(t *testing.T, f store.Staged) {
			diskstore.EndWriting(f)
			diskstore.FailFlush(f, full)
		},
		"before the last piece": func(t *testing.T, f store.Staged) {
			diskstore.FailFlush(f, full)
			_, err := f.Write([]byte("the rest"))
			coretest.Must(t, err)
		},
		"while it arrives": func(t *testing.T, f store.Staged) {
			diskstore.FailFlush(f, full)
			_, err := f.Write(piece)
			coretest.WantKind(t, err, fault.StorageFull)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			f, err := diskstore.NewCollections(dir).Stage(t.Context(), "a1")
			coretest.Must(t, err)
			_, err = f.Write(piece)
			coretest.Must(t, err)
			write(t, f)
			coretest.WantKind(t, f.Install(t.Context(), time.Time{}), fault.StorageFull)
			left, err := filepath.Glob(filepath.Join(dir, "accounts/a1/*/*"))
			if collections, _ := filepath.Glob(filepath.Join(dir, "accounts/a1/*.anki2")); err != nil || len(left)+len(collections) > 0 {
				t.Errorf("there are %q and %q, %v", collections, left, err)
			}
		})
	}
}

func TestLeases(t *testing.T) {
	t.Parallel()
	storetest.TestLeases(t, func(t *testing.T, urlA, urlB string) (a, b store.Leases) {
		dir := t.TempDir()
		return diskstore.NewLeases(dir, urlA), diskstore.NewLeases(dir, urlB)
	})
}
