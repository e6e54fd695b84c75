package diskstore

import (
	"context"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/hostrunner/filehost"
	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// Stage begins a file (see store.Collections).
func (s *Collections) Stage(_ context.Context, id store.AccountID) (store.Staged, error) {
	f, err := s.folder.temporary(id)
	if err != nil {
		return nil, err
	}
	return &staged{to: s, account: id, path: f.Name(), file: f}, nil
}

// staged is a file while it is written, then a database.
type staged struct {
	to      *Collections
	account store.AccountID
	path    string
	file    *os.File   // nil: written
	written int        // since it was last flushed
	flushed chan error // has what came of flushing it, once it is written; nil before the first flush
	ended   bool
}

// flushEvery is after how many bytes a file is flushed while it arrives: what a disk is given at once is what small commits of others wait for,
// 0.3 s for a collection of 160 MB.
const flushEvery = 8 << 20

// Write appends.
func (f *staged) Write(p []byte) (int, error) {
	if f.file == nil {
		return 0, errEnded()
	}
	n, err := f.file.Write(p)
	f.written += n
	if err == nil && f.written >= flushEvery {
		return n, f.flush()
	}
	return n, writeError(err)
}

// flush begins to flush what was written, once that of before is. A system tells once that content is lost: a later flush would find nothing to do.
func (f *staged) flush() error {
	if f.flushed != nil {
		if err := <-f.flushed; err != nil {
			f.flushed <- err
			return err
		}
	}
	file, flushed := f.file, make(chan error, 1)
	f.written, f.flushed = 0, flushed
	go func() { flushed <- writeError(file.Sync()) }()
	return nil
}

func writeError(err error) error { return filehost.Convert(err, "write the collection") }

func errEnded() error { return fault.New(fault.Closed, "the file was ended before") }

// close ends the writing. The disk takes the rest of the content while it is being checked: Install need not wait for it then.
func (f *staged) close() {
	file := f.file
	if file == nil {
		return
	}
	_ = f.flush() // Install tells
	last, flushed := f.flushed, make(chan error, 1)
	f.file, f.flushed = nil, flushed
	go func() {
		err := <-last
		if cerr := file.Close(); err == nil {
			err = writeError(cerr)
		}
		flushed <- err
	}()
}

// DB opens the file (see store.Staged). Install makes the whole file durable.
func (f *staged) DB(_ context.Context, mode host.OpenMode) (host.DB, error) {
	if f.ended {
		return nil, errEnded()
	}
	f.close()
	db, err := open(f.path, mode)
	if err != nil || mode == host.ReadOnly {
		return db, err
	}
	if err := db.Exec("PRAGMA synchronous = OFF"); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

// Install makes the file the collection (see store.Staged). The order is that of filehost.Replace, with the second name
// for the old collection given between settling its log and replacing it.
func (f *staged) Install(_ context.Context, keepAs time.Time) error {
	if f.ended {
		return errEnded()
	}
	f.close()
	err := <-f.flushed
	f.flushed <- err
	defer f.Discard()
	if err != nil {
		return err
	}
	dir, err := f.to.folder.of(f.account)
	if err != nil {
		return err
	}
	current := filepath.Join(dir, host.Collection)
	if _, err := os.Stat(current); err == nil && !keepAs.IsZero() {
		if err := settle(current); err != nil {
			return err
		}
		if err := f.to.backup(f.account, current, keepAs); err != nil {
			return err
		}
	}
	return filehost.New(dir, sqlitehost.Settle).Replace(path.Join(tmpFolder, filepath.Base(f.path)), host.Collection)
}

// Discard ends the file (see store.Staged).
func (f *staged) Discard() {
	if f.ended {
		return
	}
	f.ended = true
	if f.file != nil {
		f.file.Close()
	}
	if f.flushed != nil {
		<-f.flushed // a file in use cannot be removed everywhere
	}
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		os.Remove(f.path + suffix)
	}
}
