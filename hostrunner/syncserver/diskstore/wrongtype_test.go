//go:build unix

package diskstore_test

import (
	"crypto/sha1"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/hostrunner/syncserver/diskstore"
)

// TestWrongType: pipes, folders and links to nothing in the places of files end no request by waiting, and are not taken for files that are not there
// when everything would be begun anew.
func TestWrongType(t *testing.T) {
	t.Parallel()
	pipe := func(path string) error { return syscall.Mkfifo(path, 0o600) }
	for name, put := range map[string]func(path string) error{
		"pipe":   pipe,
		"folder": func(path string) error { return os.Mkdir(path, 0o700) },
		"link":   func(path string) error { return os.Symlink("/nonexistent/file", path) },
	} {
		dir := t.TempDir()
		account := filepath.Join(dir, "accounts", "a1")
		coretest.Must(t, os.MkdirAll(account, 0o700))
		for _, file := range []string{host.Collection, "media.db"} {
			coretest.Must(t, put(filepath.Join(account, file)))
		}
		s := diskstore.NewCollections(dir)
		_, err := s.Open(t.Context(), "a1")
		coretest.WantKind(t, err, fault.UnsupportedFile)
		_, err = s.Media(t.Context(), "a1", host.ReadWrite)
		coretest.WantKind(t, err, fault.UnsupportedFile)

		list := contents(3)
		first := filepath.Join(mediaDir(dir), "..", "media.log-x")
		coretest.Must(t, put(first)) // none of our journals
		blobs := diskstore.NewBlobs(dir)
		keep(t, blobs, list)
		coretest.Must(t, blobs.Close())
		blob, err := filepath.Glob(filepath.Join(mediaDir(dir), "*", "*"))
		coretest.Must(t, err)
		for _, path := range blob {
			coretest.Must(t, os.Remove(path))
			coretest.Must(t, put(path))
		}
		if n := count(t, blobs, list); n != 0 {
			t.Errorf("%s: %d contents are there", name, n)
		}
		keep(t, blobs, list)
		lend(t, dir)
		wantAll(t, name, diskstore.NewBlobs(dir), list)

		coretest.Must(t, os.RemoveAll(mediaDir(dir)))
		coretest.Must(t, os.RemoveAll(first))
		for _, path := range journals(t, dir) {
			coretest.Must(t, os.Remove(path))
		}
		if name != "folder" {
			coretest.Must(t, put(mediaDir(dir)))
			_, err = diskstore.NewBlobs(dir).Open(t.Context(), "a1", sha1.Sum(list[0]))
			coretest.WantKind(t, err, fault.UnsupportedFile)
		}
	}
	dir := t.TempDir()
	account := filepath.Join(dir, "accounts", "a1")
	coretest.Must(t, os.MkdirAll(account, 0o700))
	coretest.Must(t, pipe(filepath.Join(account, "cardferry.lock")))
	_, err := diskstore.NewLeases(dir, "").Acquire(t.Context(), "a1")
	coretest.WantKind(t, err, fault.UnsupportedFile)
	coretest.Must(t, os.WriteFile(filepath.Join(account, host.Collection), nil, 0o600))
	for _, suffix := range []string{"-wal", "-shm", "-journal"} {
		beside := filepath.Join(account, host.Collection+suffix)
		coretest.Must(t, pipe(beside))
		_, err := diskstore.NewCollections(dir).Open(t.Context(), "a1")
		coretest.WantKind(t, err, fault.UnsupportedFile)
		coretest.Must(t, os.Remove(beside))
	}
}
