package diskstore

import (
	"context"
	"os"
	"path/filepath"
	"sync"

	"github.com/cardferry/cardferry/hostrunner/filehost"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// pending are files of an account that may not be durable yet. flushing is held while they are being flushed: whoever comes second
// must wait too, as a file of its own may be among them.
type pending struct {
	flushing sync.Mutex
	journal  *journal // nil: none. Guarded by flushing.

	// Guarded by Blobs.mu.
	paths map[string]bool
	users int // goroutines and journals
}

// note records that a file may not be durable.
func (s *Blobs) note(id store.AccountID, path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.pending[id]
	if p == nil {
		p = &pending{paths: map[string]bool{}}
		s.pending[id] = p
	}
	p.paths[path] = true
}

// Flush makes committed content durable (see store.Blobs).
func (s *Blobs) Flush(ctx context.Context, id store.AccountID) error {
	p := s.use(id)
	if p == nil {
		return nil
	}
	p.flushing.Lock()
	s.mu.Lock()
	paths := p.paths
	p.paths = map[string]bool{}
	s.mu.Unlock()
	err := s.makeDurable(ctx, id, p, paths)
	p.flushing.Unlock()

	s.mu.Lock()
	if err != nil {
		for path := range paths { // they are still not durable
			p.paths[path] = true
		}
	}
	s.mu.Unlock()
	s.leave(id, p)
	return filehost.Convert(err, "flush media content")
}

// use returns what is pending of an account, until leave; nil if nothing is.
func (s *Blobs) use(id store.AccountID) *pending {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.pending[id]
	if p != nil {
		p.users++
	}
	return p
}

func (s *Blobs) leave(id store.AccountID, p *pending) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.users--; p.users == 0 && len(p.paths) == 0 {
		delete(s.pending, id)
	}
}

// smallFile is how large a file may be that goes through the journal: flushing a large one costs no more than writing it twice.
const smallFile = 256 << 10

// makeDurable flushes files: small ones together, by way of the journal, which is one wait for the disk instead of two for each.
func (s *Blobs) makeDurable(ctx context.Context, id store.AccountID, p *pending, paths map[string]bool) error {
	large := map[string]bool{}
	var small []string
	for path := range paths {
		info, err := os.Stat(path)
		switch {
		case missing(err): // removed meanwhile
		case err != nil:
			return err
		case info.Size() > smallFile:
			large[path] = true
		default:
			small = append(small, path)
		}
	}
	if len(small) > 0 {
		if err := s.log(id, p, small); err != nil {
			return err
		}
	}
	return flush(ctx, large)
}

// log appends files to the account's journal. p.flushing is held.
func (s *Blobs) log(id store.AccountID, p *pending, paths []string) error {
	if p.journal != nil && !p.journal.inPlace() {
		// The account was given away, or taken again, and with that everything that was in the journal has become durable.
		p.journal.drop()
		s.detach(id, p)
	}
	if p.journal == nil {
		dir, err := s.folder.of(id)
		if err != nil {
			return err
		}
		if p.journal, err = newJournal(dir); err != nil {
			return err
		}
		s.use(id)
		s.settleLater(id, p.journal)
	}
	if err := p.journal.add(paths); err != nil {
		return err
	}
	if p.journal.size > journalLimit {
		go p.journal.settle()
		s.detach(id, p)
	}
	return nil
}

// detach ends the use of the account's journal. p.flushing is held, by a user of p.
func (s *Blobs) detach(id store.AccountID, p *pending) {
	p.journal = nil
	s.leave(id, p)
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
