package diskstore

import (
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// Unsettled returns how many accounts have something that is not durable in its place.
func (s *Blobs) Unsettled() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.unsettled)
}

// Remembered returns how many keys are known.
func (s *Accounts) Remembered() int {
	s.keys.mu.Lock()
	defer s.keys.mu.Unlock()
	return len(s.keys.known)
}

// Synchronous returns the setting with which was written last.
func (s *Accounts) Synchronous() (int64, error) {
	return rows.IntOf(s.writing.db, "PRAGMA synchronous")
}

// FailFlush makes the last flush of a file end with an error of the disk.
func FailFlush(f store.Staged, err error) {
	s := f.(*staged)
	<-s.flushed
	s.flushed <- err
}

// EndWriting ends the writing of a file.
func EndWriting(f store.Staged) { f.(*staged).close() }

// FlushEvery is after how many bytes a file is flushed.
const FlushEvery = flushEvery

// ShortJournals makes every journal as long as one flush.
func ShortJournals() (restore func()) {
	limit := journalLimit
	journalLimit = 0
	return func() { journalLimit = limit }
}
