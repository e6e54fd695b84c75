package memstore

import (
	"bytes"
	"context"
	"crypto/rand"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

var _ store.Collections = (*Collections)(nil)

// Collections keeps databases in memory.
type Collections struct {
	prefix string // databases in memory have one name space in a process

	mu       sync.Mutex
	last     int
	accounts map[store.AccountID]*files
}

// files are what is kept of an account: names of databases in memory, "" for none.
type files struct {
	collection, media string
	backups           []backup
}

type backup struct {
	store.Backup
	content []byte
}

// NewCollections returns an empty store.
func NewCollections() *Collections {
	return &Collections{prefix: "cardferry-" + rand.Text(), accounts: map[store.AccountID]*files{}}
}

// of returns what is kept of an account; s.mu is held.
func (s *Collections) of(id store.AccountID) *files {
	f := s.accounts[id]
	if f == nil {
		f = &files{}
		s.accounts[id] = f
	}
	return f
}

// create makes a database with a new name; s.mu is held.
func (s *Collections) create(content []byte) (name string) {
	s.last++
	name = s.prefix + "-" + strconv.Itoa(s.last)
	sqlitehost.CreateMemory(name, content)
	return name
}

// Open opens the collection (see store.Collections).
func (s *Collections) Open(_ context.Context, id store.AccountID) (host.DB, error) {
	s.mu.Lock()
	name := s.of(id).collection
	s.mu.Unlock()
	if name == "" {
		return nil, errNoCollection()
	}
	return open(name, host.ReadWrite)
}

// Names returns what the databases of an account are called in memory (sqlitehost.OpenMemory), "" for what it has not.
func (s *Collections) Names(id store.AccountID) (collection, media string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.of(id)
	return f.collection, f.media
}

func errNoCollection() error { return fault.New(fault.NotFound, "the account has no collection yet") }

// open opens a database; a nil *DB in an interface would not be nil.
func open(name string, mode host.OpenMode) (host.DB, error) {
	db, err := sqlitehost.OpenMemory(name, mode)
	if err != nil {
		return nil, err
	}
	return db, nil
}

// Media opens the media state (see store.Collections).
func (s *Collections) Media(_ context.Context, id store.AccountID, mode host.OpenMode) (host.DB, error) {
	s.mu.Lock()
	f := s.of(id)
	if f.media == "" && mode == host.Create {
		f.media = s.create(nil)
	}
	name := f.media
	s.mu.Unlock()
	if name == "" {
		return nil, fault.New(fault.NotFound, "the account has no media yet")
	}
	return open(name, mode)
}

// Owners returns the accounts that something is kept of (see store.Collections).
func (s *Collections) Owners(context.Context) (list []store.AccountID, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, f := range s.accounts {
		if f.collection != "" || f.media != "" || len(f.backups) > 0 {
			list = append(list, id)
		}
	}
	return list, nil
}

// Snapshot copies the collection (see store.Collections).
func (s *Collections) Snapshot(_ context.Context, id store.AccountID) (store.File, error) {
	s.mu.Lock()
	name := s.of(id).collection
	s.mu.Unlock()
	if name == "" {
		return nil, errNoCollection()
	}
	content, err := contentOf(name)
	if err != nil {
		return nil, err
	}
	return file{bytes.NewReader(content)}, nil
}

func contentOf(name string) ([]byte, error) {
	db, err := sqlitehost.OpenMemory(name, host.ReadOnly)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	return db.Bytes()
}

// Backups lists the backups (see store.Collections).
func (s *Collections) Backups(_ context.Context, id store.AccountID) (list []store.Backup, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.of(id).backups {
		list = append(list, b.Backup)
	}
	return list, nil
}

// OpenBackup opens a backup (see store.Collections).
func (s *Collections) OpenBackup(_ context.Context, id store.AccountID, name string) (store.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.of(id).backups {
		if b.ID == name {
			return file{bytes.NewReader(b.content)}, nil
		}
	}
	return nil, fault.New(fault.NotFound, "there is no such backup")
}

// RemoveBackup removes a backup (see store.Collections).
func (s *Collections) RemoveBackup(_ context.Context, id store.AccountID, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.of(id)
	f.backups = slices.DeleteFunc(f.backups, func(b backup) bool { return b.ID == name })
	return nil
}

// Remove removes everything of an account (see store.Collections).
func (s *Collections) Remove(_ context.Context, id store.AccountID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.of(id)
	sqlitehost.DeleteMemory(f.collection)
	sqlitehost.DeleteMemory(f.media)
	delete(s.accounts, id)
	return nil
}

// Stage begins a file (see store.Collections).
func (s *Collections) Stage(_ context.Context, id store.AccountID) (store.Staged, error) {
	return &staged{to: s, account: id}, nil
}

// staged is a file while it is written, then a database with a name.
type staged struct {
	to      *Collections
	account store.AccountID
	content bytes.Buffer
	name    string
	ended   bool
}

// Write appends.
func (f *staged) Write(p []byte) (int, error) {
	if f.ended || f.name != "" {
		return 0, errEnded()
	}
	return f.content.Write(p)
}

// DB opens the file (see store.Staged).
func (f *staged) DB(_ context.Context, mode host.OpenMode) (host.DB, error) {
	if f.ended {
		return nil, errEnded()
	}
	f.settle()
	return open(f.name, mode)
}

// settle makes a database of what was written.
func (f *staged) settle() {
	if f.name == "" {
		f.to.mu.Lock()
		defer f.to.mu.Unlock()
		f.name = f.to.create(bytes.Clone(f.content.Bytes()))
		f.content = bytes.Buffer{}
	}
}

// Install makes the file the collection (see store.Staged).
func (f *staged) Install(_ context.Context, keepAs time.Time) error {
	if f.ended {
		return errEnded()
	}
	f.settle()
	f.ended = true
	s := f.to
	s.mu.Lock()
	defer s.mu.Unlock()
	own := s.of(f.account)
	if old := own.collection; old != "" {
		if !keepAs.IsZero() {
			content, err := contentOf(old)
			if err != nil {
				sqlitehost.DeleteMemory(f.name)
				return err
			}
			s.last++
			own.backups = append(own.backups, backup{
				store.Backup{ID: strconv.Itoa(s.last), Created: milliseconds(keepAs), Bytes: int64(len(content))}, content,
			})
			slices.SortStableFunc(own.backups, func(a, b backup) int { return a.Created.Compare(b.Created) })
		}
		sqlitehost.DeleteMemory(old)
	}
	own.collection = f.name
	return nil
}

// Discard ends the file (see store.Staged).
func (f *staged) Discard() {
	if !f.ended && f.name != "" {
		sqlitehost.DeleteMemory(f.name)
	}
	f.ended, f.content = true, bytes.Buffer{}
}
