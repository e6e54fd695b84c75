package diskstore

import (
	"context"
	"os"
	"path/filepath"
	"sync"

	"github.com/cardferry/cardferry/hostrunner/filehost"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// unsettled is what there is of an account's content besides durable files of its own.
type unsettled struct {
	id store.AccountID

	// flushing is held by who makes content durable: whoever comes second must wait too, as content of its own may be on
	// the way.
	flushing sync.Mutex
	journal  *journal // that is written to; nil: none

	// settling is held by who makes files of a journal: what one removes since it is in another, that must not have found already.
	settling sync.Mutex

	// Guarded by Blobs.mu.
	users  int                   // goroutines and journals
	all    map[*journal]bool     // that have not been settled
	fresh  map[store.SHA1][]byte // small content that is not durable yet
	placed map[string]bool       // files that are not durable yet
	logged map[store.SHA1]record // small content that is durable in a journal
}

// use returns what is unsettled of an account, until leave; nil if there is nothing, unless create says so.
func (s *Blobs) use(id store.AccountID, create bool) *unsettled {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.unsettled[id]
	if u == nil && create {
		u = &unsettled{id: id, all: map[*journal]bool{}, fresh: map[store.SHA1][]byte{}, placed: map[string]bool{}, logged: map[store.SHA1]record{}}
		s.unsettled[id] = u
	}
	if u != nil {
		u.users++
	}
	return u
}

func (s *Blobs) leave(u *unsettled) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u.users--; u.users == 0 && len(u.fresh)+len(u.placed)+len(u.logged) == 0 && s.unsettled[u.id] == u {
		delete(s.unsettled, u.id)
	}
}

// add records content that is not durable yet: in memory, or in a file.
func (s *Blobs) add(id store.AccountID, sum store.SHA1, small []byte, path string) {
	u := s.use(id, true)
	s.mu.Lock()
	if small != nil {
		u.fresh[sum] = small
	} else {
		u.placed[path] = true
	}
	s.mu.Unlock()
	s.leave(u)
}

// Flush makes committed content durable (see store.Blobs).
func (s *Blobs) Flush(ctx context.Context, id store.AccountID) error {
	u := s.use(id, false)
	if u == nil {
		return nil
	}
	defer s.leave(u)
	u.flushing.Lock()
	defer u.flushing.Unlock()
	s.mu.Lock()
	w := work{fresh: map[store.SHA1][]byte{}, placed: map[string]bool{}}
	for sum, small := range u.fresh {
		w.fresh[sum] = small
	}
	for path := range u.placed {
		w.placed[path] = true
	}
	s.mu.Unlock()
	records, err := s.makeDurable(ctx, u, &w)
	if err != nil {
		return filehost.Convert(err, "flush media content")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for path := range w.placed {
		delete(u.placed, path)
	}
	for sum := range w.fresh {
		if _, ok := u.fresh[sum]; ok { // it was not removed meanwhile
			delete(u.fresh, sum)
			u.logged[sum] = records[sum]
		}
	}
	return nil
}

// work is what one Flush makes durable.
type work struct {
	fresh  map[store.SHA1][]byte
	placed map[string]bool
}

// largeFile is from when on a file is flushed by itself. Others go through the journal, too, which costs writing them twice, but
// one wait for the disk instead of several for each.
const largeFile = 1 << 20

// makeDurable flushes what w has, and returns where small content is now. u.flushing is held.
func (s *Blobs) makeDurable(ctx context.Context, u *unsettled, w *work) (map[store.SHA1]record, error) {
	large, files := map[string]bool{}, []string(nil)
	for path := range w.placed {
		info, err := os.Stat(path)
		switch {
		case missing(err): // removed meanwhile
		case err != nil:
			return nil, err
		case info.Size() >= largeFile:
			large[path] = true
		default:
			files = append(files, path)
		}
	}
	if err := flush(ctx, large); err != nil || len(files)+len(w.fresh) == 0 {
		return nil, err
	}
	j, err := s.journalOf(u)
	if err != nil {
		return nil, err
	}
	records, err := j.add(w.fresh, files)
	if err == nil && j.size > journalLimit {
		u.journal = nil
		go s.settle(u, j)
	}
	return records, err
}

// journalOf returns the journal to write to. u.flushing is held.
func (s *Blobs) journalOf(u *unsettled) (*journal, error) {
	if u.journal != nil && u.journal.inPlace() {
		return u.journal, nil
	}
	if u.journal != nil {
		// The account was given away, or taken again: whoever took it has made files of what was in the journal.
		go s.settle(u, u.journal)
		u.journal = nil
	}
	dir, err := s.folder.of(u.id)
	if err != nil {
		return nil, err
	}
	j, err := newJournal(dir)
	if err != nil {
		return nil, err
	}
	u.journal = j
	s.mu.Lock()
	u.users++
	u.all[j] = true
	s.mu.Unlock()
	s.settleLater(u, j)
	return j, nil
}

// flushers is how many files are flushed at once: the disk orders them better than we do.
const flushers = 8

// flush makes files and their names durable, one by one.
func flush(ctx context.Context, paths map[string]bool) error {
	folders := map[string]bool{}
	work := make(chan string, len(paths))
	for path := range paths {
		work <- path
		for dir, i := filepath.Dir(path), 0; i < 3; dir, i = filepath.Dir(dir), i+1 { // up to the account's folder: each may be new
			folders[dir] = true
		}
	}
	close(work)
	workers := min(flushers, len(paths))
	errs := make(chan error, workers)
	for range workers {
		go func() {
			var first error
			for path := range work {
				if first == nil {
					first = ctx.Err()
				}
				if first == nil {
					first = syncFile(path)
				}
			}
			errs <- first
		}()
	}
	var first error
	for range workers {
		if err := <-errs; first == nil {
			first = err
		}
	}
	for dir := range folders {
		if first == nil {
			first = syncFolder(dir)
		}
	}
	return first
}

// syncFile makes a file durable. One that was removed meanwhile needs it no more.
func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if missing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
