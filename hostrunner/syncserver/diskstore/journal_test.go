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
	"time"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/hosttest"
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
func count(t *testing.T, s *diskstore.Blobs, list [][]byte) (n int) {
	t.Helper()
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

// wantAll fails unless all the contents are there.
func wantAll(t *testing.T, what string, s *diskstore.Blobs, list [][]byte) {
	t.Helper()
	if n := count(t, s, list); n != len(list) {
		t.Fatalf("%s: %d of %d are there", what, n, len(list))
	}
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

// TestJournal: content that was flushed is there after a crash, whatever is in its place.
func TestJournal(t *testing.T) {
	t.Parallel()
	list := contents(40)
	list = append(list, bytes.Repeat([]byte("medium"), 50_000), bytes.Repeat([]byte("large"), 500_000))
	for name, harm := range map[string]func(path string) error{
		"nothing": nil,
		"whole":   func(string) error { return nil },
		"lost":    os.Remove,
		"empty":   func(path string) error { return os.Truncate(path, 0) },
		"zeros": func(path string) error {
			info, err := os.Stat(path)
			if err != nil {
				return err
			}
			return os.WriteFile(path, make([]byte, info.Size()), 0o600)
		},
	} {
		dir := t.TempDir()
		if harm != nil { // files of the small ones, which are not what they should be
			before := diskstore.NewBlobs(dir)
			keep(t, before, list[:41])
			coretest.Must(t, before.Close())
			coretest.Must(t, filepath.WalkDir(mediaDir(dir), func(path string, d fs.DirEntry, err error) error {
				if err == nil && !d.IsDir() {
					err = harm(path)
				}
				return err
			}))
		}
		crashed := diskstore.NewBlobs(dir)
		keep(t, crashed, list[:10])
		keep(t, crashed, list[5:])
		if n := len(journals(t, dir)); n != 1 {
			t.Fatalf("%s: %d journals", name, n)
		}
		wantAll(t, name+", before", crashed, list)
		lend(t, dir)
		wantAll(t, name, diskstore.NewBlobs(dir), list)
		if n := len(journals(t, dir)); n != 0 {
			t.Errorf("%s: %d journals are left", name, n)
		}
		// The first server has not crashed, and gets the account again: it notices that its journal is gone.
		wantAll(t, name+", then", crashed, list)
		more := contents(60)[40:]
		keep(t, crashed, more)
		lend(t, dir)
		wantAll(t, name+", another time", diskstore.NewBlobs(dir), more)
		coretest.Must(t, crashed.Close())
		wantAll(t, name+", in the end", crashed, append(more, list...))
		if n := crashed.Unsettled(); n != 0 {
			t.Errorf("%s: %d accounts are unsettled", name, n)
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
		if n := count(t, diskstore.NewBlobs(dir), list); len(journals(t, dir)) != 0 || n != whollyIn(whole[:size], head, list) {
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

// TestSettle: files are made of a journal, and it goes; with what was removed meanwhile, and with the account.
func TestSettle(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := diskstore.NewBlobs(dir)
	list := contents(30)
	keep(t, s, list)
	coretest.Must(t, s.Remove(t.Context(), "a1", sha1.Sum(list[0]), sha1.Sum(list[29])))
	coretest.Must(t, s.Close())
	if n := len(journals(t, dir)); n != 0 || s.Unsettled() != 0 {
		t.Errorf("%d journals, %d unsettled", n, s.Unsettled())
	}
	for _, s := range []*diskstore.Blobs{s, diskstore.NewBlobs(dir)} {
		wantAll(t, "settled", s, list[1:29])
		if n := count(t, s, list); n != 28 {
			t.Errorf("%d of 28 are there", n)
		}
	}
	keep(t, s, list)
	coretest.Must(t, s.RemoveAll(t.Context(), "a1"))
	if n := count(t, s, list); n != 0 {
		t.Errorf("%d contents of a removed account are there", n)
	}
	lend(t, dir)
	coretest.Must(t, s.Close())
	if _, err := os.Stat(mediaDir(dir)); !errors.Is(err, fs.ErrNotExist) || len(journals(t, dir)) != 0 {
		t.Errorf("content of a removed account is back: %v", err)
	}
}

// TestJournalGrows: a long one is ended, and another one begun, while content comes, goes and is read.
func TestJournalGrows(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := diskstore.NewBlobs(dir)
	block := bytes.Repeat([]byte("0123456789abcdef"), 8_000)
	var list [][]byte
	for i := range 600 {
		list = append(list, fmt.Appendf(bytes.Clone(block), "%d", i))
	}
	for i := 0; i < len(list); i += 25 {
		keep(t, s, list[i:i+25])
		coretest.Must(t, s.Remove(t.Context(), "a1", sha1.Sum(list[i])))
		wantAll(t, "while it grows", s, list[max(i-100, 0)+1:][:24])
	}
	coretest.Must(t, s.Close())
	if n := count(t, s, list); n != len(list)/25*24 {
		t.Errorf("%d of %d are there", n, len(list)/25*24)
	}
}

// TestJournalOnAFullDisk: content that no room is left to make files of is read from its journal, and gets into files with little more room.
func TestJournalOnAFullDisk(t *testing.T) {
	t.Parallel()
	dir := hosttest.TinyDisk(t, 16<<20)
	list := [][]byte{}
	for i := range 100 {
		list = append(list, fmt.Appendf(bytes.Repeat([]byte("0123456789abcdef"), 6_000), "%d", i))
	}
	keep(t, diskstore.NewBlobs(dir), list)
	lend(t, dir)
	more := [][]byte{}
	for i := range 20 {
		more = append(more, fmt.Appendf(bytes.Repeat([]byte("fedcba9876543210"), 6_000), "%d", i))
	}
	keep(t, diskstore.NewBlobs(dir), more)
	ballast := filepath.Join(dir, "ballast")
	_ = os.WriteFile(ballast, make([]byte, 16<<20), 0o600)
	lend(t, dir)
	s := diskstore.NewBlobs(dir)
	wantAll(t, "full, in the journal", s, more)
	wantAll(t, "full", s, list)
	coretest.Must(t, s.Remove(t.Context(), "a1", sha1.Sum(more[0]), sha1.Sum(more[19])))
	if n := count(t, s, more); n != 18 {
		t.Errorf("%d of 18 are there", n)
	}
	info, err := os.Stat(ballast)
	coretest.Must(t, err)
	coretest.Must(t, os.Truncate(ballast, info.Size()-(600<<10)))
	lend(t, dir)
	wantAll(t, "then", s, more[1:19])
	wantAll(t, "after a restart", diskstore.NewBlobs(dir), append(list, more[1:19]...))
	if n := len(journals(t, dir)); n != 0 {
		t.Errorf("%d journals are left", n)
	}
}

// TestJournalIsTakenUp: what is in a journal that no files could be made of counts, not what a power cut has left of a file, whoever asks first.
func TestJournalIsTakenUp(t *testing.T) {
	t.Parallel()
	list := contents(8)
	dir := t.TempDir()
	keep(t, diskstore.NewBlobs(dir), list)
	for range 50 {
		s, done := diskstore.NewBlobs(dir), make(chan error)
		for _, content := range list {
			go func() {
				b, err := s.Open(t.Context(), "a1", sha1.Sum(content))
				if err == nil {
					err = b.Close()
				}
				done <- err
			}()
		}
		for range list {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
	name := fmt.Sprintf("%x", sha1.Sum(list[0]))
	coretest.Must(t, os.MkdirAll(filepath.Join(mediaDir(dir), name[:2]), 0o700))
	coretest.Must(t, os.WriteFile(filepath.Join(mediaDir(dir), name[:2], name), make([]byte, len(list[0])), 0o600))
	wantAll(t, "zeros", diskstore.NewBlobs(dir), list)
}

// obstruct puts a folder where the file of content goes, so that not all of a journal gets into files. What it returns takes it away.
func obstruct(t *testing.T, dir string, content []byte) (free func()) {
	t.Helper()
	name := fmt.Sprintf("%x", sha1.Sum(content))
	path := filepath.Join(mediaDir(dir), name[:2], name)
	coretest.Must(t, os.MkdirAll(path, 0o700))
	return func() { coretest.Must(t, os.Remove(path)) }
}

// TestJournalLosesItsEnd: a journal that is written to, of which the next lease could make files of a part only, takes nothing more.
func TestJournalLosesItsEnd(t *testing.T) {
	t.Parallel()
	list := contents(60)
	for name, end := range map[string]func(s *diskstore.Blobs, dir string){
		"settled": func(s *diskstore.Blobs, _ string) { coretest.Must(t, s.Close()) },
		"crashed": func(_ *diskstore.Blobs, dir string) { lend(t, dir) },
	} {
		dir := t.TempDir()
		s := diskstore.NewBlobs(dir)
		keep(t, s, list[:1])
		keep(t, s, list[1:40])
		free := obstruct(t, dir, list[0])
		lend(t, dir)
		keep(t, s, list[40:])
		wantAll(t, name+", before", s, list)
		free()
		end(s, dir)
		wantAll(t, name, diskstore.NewBlobs(dir), list)
	}
}

// TestSettleAtOnce: content that comes again and again while files are made of it, or has just come, stays. It is not parallel: it changes a
// limit.
func TestSettleAtOnce(t *testing.T) {
	defer diskstore.ShortJournals()()
	list := contents(8)
	for range 20 {
		dir := t.TempDir()
		s := diskstore.NewBlobs(dir)
		for range 10 {
			keep(t, s, list)
			wantAll(t, "meanwhile", s, list)
		}
		coretest.Must(t, s.Close())
		wantAll(t, "in the end", s, list)
		wantAll(t, "later", diskstore.NewBlobs(dir), list)
	}
}

// TestJournalIsLetGo: nothing is kept of a journal that was taken up once the next lease has made files of it.
func TestJournalIsLetGo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	list := contents(8)
	keep(t, diskstore.NewBlobs(dir), list)
	s := diskstore.NewBlobs(dir)
	wantAll(t, "in the journal", s, list)
	if n := s.Unsettled(); n != 1 {
		t.Errorf("%d accounts are unsettled", n)
	}
	lend(t, dir)
	for end := time.Now().Add(10 * time.Second); s.Unsettled() > 0; time.Sleep(time.Millisecond) {
		wantAll(t, "in files", s, list)
		if time.Now().After(end) {
			t.Fatal("the journal is still known")
		}
	}
	wantAll(t, "then", s, list)
}
