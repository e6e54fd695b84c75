package memstore

import (
	"bytes"
	"context"
	"crypto/sha1"
	"maps"
	"sync"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

var _ store.Blobs = (*Blobs)(nil)

// Blobs keeps media content in memory.
type Blobs struct {
	mu    sync.RWMutex
	blobs map[blobKey][]byte
}

type blobKey struct {
	account store.AccountID
	sum     store.SHA1
}

// NewBlobs returns an empty store.
func NewBlobs() *Blobs { return &Blobs{blobs: map[blobKey][]byte{}} }

// Clone returns a copy, which goes its own way.
func (s *Blobs) Clone() *Blobs {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return &Blobs{blobs: maps.Clone(s.blobs)} // contents are never changed
}

// Create begins new content (see store.Blobs).
func (s *Blobs) Create(_ context.Context, id store.AccountID) (store.Draft, error) {
	return &draft{blobs: s, account: id}, nil
}

// Flush does nothing: memory does not get more durable.
func (s *Blobs) Flush(context.Context, store.AccountID) error { return nil }

// Open returns content (see store.Blobs).
func (s *Blobs) Open(_ context.Context, id store.AccountID, sum store.SHA1) (store.Blob, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	b, ok := s.blobs[blobKey{id, sum}]
	if !ok {
		return nil, fault.New(fault.NotFound, "there is no such content")
	}
	return file{bytes.NewReader(b)}, nil
}

// Remove removes content (see store.Blobs).
func (s *Blobs) Remove(_ context.Context, id store.AccountID, sums ...store.SHA1) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sum := range sums {
		delete(s.blobs, blobKey{id, sum})
	}
	return nil
}

// List returns an account's content (see store.Blobs).
func (s *Blobs) List(_ context.Context, id store.AccountID) (list []store.SHA1, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for key := range s.blobs {
		if key.account == id {
			list = append(list, key.sum)
		}
	}
	return list, nil
}

// RemoveAll removes an account's content (see store.Blobs).
func (s *Blobs) RemoveAll(_ context.Context, id store.AccountID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key := range s.blobs {
		if key.account == id {
			delete(s.blobs, key)
		}
	}
	return nil
}

// Close does nothing.
func (s *Blobs) Close() error { return nil }

type draft struct {
	blobs   *Blobs
	account store.AccountID
	content bytes.Buffer
	ended   bool
}

// Write appends.
func (d *draft) Write(p []byte) (int, error) {
	if d.ended {
		return 0, errEnded()
	}
	return d.content.Write(p)
}

// Commit adds the content (see store.Draft).
func (d *draft) Commit(context.Context) (sum store.SHA1, size int64, err error) {
	if d.ended {
		return sum, 0, errEnded()
	}
	d.ended = true
	content := d.content.Bytes()
	if len(content) == 0 {
		return sum, 0, fault.New(fault.InvalidInput, "the content is empty")
	}
	sum = sha1.Sum(content)
	d.blobs.mu.Lock()
	defer d.blobs.mu.Unlock()
	d.blobs.blobs[blobKey{d.account, sum}] = bytes.Clone(content)
	return sum, int64(len(content)), nil
}

// Discard ends the draft (see store.Draft).
func (d *draft) Discard() { d.ended, d.content = true, bytes.Buffer{} }

func errEnded() error { return fault.New(fault.Closed, "the file was ended before") }

// file is content that is being read.
type file struct{ *bytes.Reader }

// Close does nothing.
func (file) Close() error { return nil }
