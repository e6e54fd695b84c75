package memstore

import (
	"bytes"
	"slices"

	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// Saved is what Collections held at some time.
type Saved struct {
	last     int
	accounts map[store.AccountID]savedFiles
}

type savedFiles struct {
	collection, media []byte // nil: none
	backups           []backup
}

// Save copies everything. No connection may be writing.
func (s *Collections) Save() (saved Saved, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	saved = Saved{s.last, map[store.AccountID]savedFiles{}}
	for id, f := range s.accounts {
		own := savedFiles{backups: slices.Clone(f.backups)}
		if f.collection != "" {
			if own.collection, err = sqlitehost.MemoryBytes(f.collection); err != nil {
				return Saved{}, err
			}
		}
		if f.media != "" {
			if own.media, err = sqlitehost.MemoryBytes(f.media); err != nil {
				return Saved{}, err
			}
		}
		saved.accounts[id] = own
	}
	return saved, nil
}

// Collections returns a store with what was saved of some accounts. It may be called any number of times. Databases in memory stay until
// they are removed (Collections.Remove), so only what is asked for is made.
func (saved Saved) Collections(accounts ...store.AccountID) *Collections {
	s := NewCollections()
	s.last = saved.last
	for _, id := range accounts {
		f := saved.accounts[id]
		own := &files{backups: slices.Clone(f.backups)}
		if f.collection != nil {
			own.collection = s.create(bytes.Clone(f.collection))
		}
		if f.media != nil {
			own.media = s.create(bytes.Clone(f.media))
		}
		s.accounts[id] = own
	}
	return s
}
