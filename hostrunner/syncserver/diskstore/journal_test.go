package diskstore_test

import (
	"bytes"
	"crypto/sha1"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/syncserver/diskstore"
)

// contents are small ones, of different lengths.
func contents(n int) (list [][]byte) {
	for i := range n {
		list = append(list, bytes.Repeat(fmt.Appendf(nil, "content %d, ", i), i*i+1))
	}
	return list
}

// keep stores contents and makes them durable.
func keep(t *testing.T, s *diskstore.Blobs, list [][]byte) {
	t.Helper()
	for _, content := range list {
		d, err := s.Create(t.Context(), "a1")
		coretest.Must(t, err)
		_, err = d.Write(content)
		coretest.Must(t, err)
		_, _, err = d.Commit(t.Context())
		coretest.Must(t, err)
	}
	coretest.Must(t, s.Flush(t.Context(), "a1"))
}

// count returns how many of the contents are there. What is there must be whole.
func count(t *testing.T, dir string, list [][]byte) (n int) {
	t.Helper()
	s := diskstore.NewBlobs(dir)
	for _, content := range list {
		b, err := s.Open(t.Context(), "a1", sha1.Sum(content))
		if fault.KindOf(err) == fault.NotFound {
			continue
		}
		coretest.Must(t, err)
		got := make([]byte, b.Size())
		if _, err := b.ReadAt(got, 0); err != nil || !bytes.Equal(got, content) {
			t.Fatalf("%d bytes for %d, %v", len(got), len(content), err)
		}
		coretest.Must(t, b.Close())
		n++
	}
	return n
}

func journals(t *testing.T, dir string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, "accounts", "a1", "media.log-*"))
	coretest.Must(t, err)
	return list
}

// lend takes the lease of the account and gives it back, as the next server does.
func lend(t *testing.T, dir string) {
	t.Helper()
	l, err := diskstore.NewLeases(dir, "").Acquire(t.Context(), "a1")
	coretest.Must(t, err)
	l.Release()
}

func mediaDir(dir string) string { return filepath.Join(dir, "accounts", "a1", "media") }

// TestJournal: content that was flushed comes back after files were lost, damaged or left empty, as a power cut does it.
func TestJournal(t *testing.T) {
	t.Parallel()
	list := contents(40)
	for name, harm := range map[string]func(path string) error{
		"nothing": func(string) error { return nil },
		"lost":    os.Remove,
		"empty":   func(path string) error { return os.Truncate(path, 0) },
		"zeros": func(path string) error {
			info, err := os.Stat(path)
			coretest.Must(t, err)
			return os.WriteFile(path, make([]byte, info.Size()), 0o600)
		},
	} {
		dir := t.TempDir()
		s := diskstore.NewBlobs(dir)
		keep(t, s, list[:10])
		keep(t, s, list[5:])
		if n := len(journals(t, dir)); n != 1 {
			t.Fatalf("%s: %d journals", name, n)
		}
		coretest.Must(t, filepath.WalkDir(mediaDir(dir), func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				err = harm(path)
			}
			return err
		}))
		lend(t, dir)
		if n := count(t, dir, list); n != len(list) {
			t.Errorf("%s: %d of %d are there", name, n, len(list))
		}
		if n := len(journals(t, dir)); n != 0 {
			t.Errorf("%s: %d journals are left", name, n)
		}
		// The first server is still running: it notices that its journal is gone.
		more := contents(60)[40:]
		keep(t, s, more)
		coretest.Must(t, os.RemoveAll(mediaDir(dir)))
		lend(t, dir)
		if n := count(t, dir, more); n != len(more) {
			t.Errorf("%s: %d of %d are there after another flush", name, n, len(more))
		}
		s.Settle("a1")
		if n := s.Pending(); n != 0 {
			t.Errorf("%s: %d accounts are pending", name, n)
		}
	}
}

// TestJournalIsCutOff: whatever is left of a journal, what was whole in it comes back, and nothing else.
func TestJournalIsCutOff(t *testing.T) {
	t.Parallel()
	list := contents(6)
	dir := t.TempDir()
	keep(t, diskstore.NewBlobs(dir), list)
	whole, err := os.ReadFile(journals(t, dir)[0])
	coretest.Must(t, err)
	const head = sha1.Size + 8
	for size := 0; size <= len(whole); size += 13 {
		dir := t.TempDir()
		coretest.Must(t, os.MkdirAll(filepath.Join(dir, "accounts", "a1"), 0o700))
		journal := filepath.Join(dir, "accounts", "a1", "media.log-x")
		coretest.Must(t, os.WriteFile(journal, append(bytes.Clone(whole[:size]), "garbage that is not a record, and long enough for one"...), 0o600))
		lend(t, dir)
		if n := count(t, dir, list); len(journals(t, dir)) != 0 || n != whollyIn(whole[:size], head, list) {
			t.Errorf("of %d bytes %d contents came back", size, n)
		}
	}
}

// whollyIn is how many records are in a part of a journal.
func whollyIn(b []byte, head int, list [][]byte) (n int) {
	for {
		if len(b) < head {
			return n
		}
		var size int
		for _, content := range list {
			if sum := sha1.Sum(content); bytes.Equal(sum[:], b[:sha1.Size]) {
				size = head + len(content)
			}
		}
		if len(b) < size {
			return n
		}
		b, n = b[size:], n+1
	}
}

// TestJournalEnds: it goes when the files are durable by themselves, and with the account.
func TestJournalEnds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := diskstore.NewBlobs(dir)
	list := contents(30)
	keep(t, s, list)
	s.Settle("a1")
	if n := len(journals(t, dir)); n != 0 || s.Pending() != 0 {
		t.Errorf("%d journals, %d pending", n, s.Pending())
	}
	if n := count(t, dir, list); n != len(list) {
		t.Errorf("%d of %d are there", n, len(list))
	}
	keep(t, s, list)
	keep(t, s, [][]byte{bytes.Repeat([]byte("large"), 100_000)}) // does not go through it
	if info, err := os.Stat(journals(t, dir)[0]); err != nil || info.Size() > 300_000 {
		t.Errorf("%v %v", info, err)
	}
	coretest.Must(t, s.RemoveAll(t.Context(), "a1"))
	lend(t, dir)
	if _, err := os.Stat(mediaDir(dir)); !errors.Is(err, fs.ErrNotExist) || len(journals(t, dir)) != 0 {
		t.Errorf("content of a removed account is back: %v", err)
	}
	s.Settle("a1")
}

// TestJournalGrows: a long one is ended, and another one begun.
func TestJournalGrows(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := diskstore.NewBlobs(dir)
	block := bytes.Repeat([]byte("0123456789abcdef"), 15_000)
	var list [][]byte
	for i := range 200 {
		list = append(list, fmt.Appendf(bytes.Clone(block), "%d", i))
	}
	for len(list) > 0 {
		keep(t, s, list[:25])
		list = list[25:]
	}
	s.Settle("a1")
	if s.Pending() != 0 {
		t.Error("something is pending")
	}
}
