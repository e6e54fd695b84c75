package diskstore

import (
	"bytes"
	"context"
	"encoding/hex"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/filehost"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

var _ store.Blobs = (*Blobs)(nil)

// Blobs keeps media content in files named by their hash. Small content is in a journal first (flush.go, journal.go), of which
// files are made later (settle.go).
type Blobs struct {
	folder folder

	mu        sync.Mutex
	unsettled map[store.AccountID]*unsettled
}

// NewBlobs returns the media content of a data folder.
func NewBlobs(dir string) *Blobs {
	return &Blobs{folder: folder(dir), unsettled: map[store.AccountID]*unsettled{}}
}

// blob returns where the file of content is.
func (f folder) blob(id store.AccountID, sum store.SHA1) (string, error) {
	dir, err := f.of(id)
	text := hex.EncodeToString(sum[:])
	return filepath.Join(dir, mediaFolder, text[:2], text), err
}

// Open returns content (see store.Blobs).
func (s *Blobs) Open(_ context.Context, id store.AccountID, sum store.SHA1) (store.Blob, error) {
	path, err := s.folder.blob(id, sum)
	if err != nil {
		return nil, err
	}
	if err := s.adopt(id); err != nil {
		return nil, err
	}
	if b := s.openUnsettled(id, sum); b != nil { // first: of a file that is not durable a power cut leaves anything
		return b, nil
	}
	f, err := openFile(path, "media content")
	if err == nil && f.size > 0 {
		return f, nil
	}
	if err == nil { // what a power cut may leave of a file
		f.Close()
		err = fault.New(fault.DamagedFile, "the content is empty")
	}
	if ferr := s.folder.reach(id); ferr != nil {
		return nil, ferr
	}
	return nil, err
}

// reach returns an error if what has the name of the folder of media content is none, or a link to a disk that is not there now: then nothing in it is lost.
func (f folder) reach(id store.AccountID) error {
	dir, err := f.of(id)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, mediaFolder)
	_, err = os.Lstat(path)
	if info, serr := os.Stat(path); err == nil && (serr != nil || !info.IsDir()) {
		return fault.New(fault.UnsupportedFile, "%s is not a folder, nor a link to one", mediaFolder)
	}
	return nil
}

// openUnsettled returns content that is not in a file of its own, nil if it is.
func (s *Blobs) openUnsettled(id store.AccountID, sum store.SHA1) store.Blob {
	s.mu.Lock()
	var small []byte
	var r record
	if u := s.unsettled[id]; u != nil {
		small, r = u.fresh[sum], u.logged[sum]
	}
	s.mu.Unlock()
	switch {
	case small != nil:
		return unwritten{bytes.NewReader(small)}
	case r.journal != nil:
		if b, err := r.open(); err == nil { // else it has been settled meanwhile
			return b
		}
	}
	return nil
}

// unwritten is content that is in memory only.
type unwritten struct{ *bytes.Reader }

// Close does nothing.
func (unwritten) Close() error { return nil }

// Remove removes content (see store.Blobs).
func (s *Blobs) Remove(_ context.Context, id store.AccountID, sums ...store.SHA1) error {
	if err := s.adopt(id); err != nil { // else what is in a journal comes back
		return err
	}
	s.mu.Lock()
	if u := s.unsettled[id]; u != nil {
		for _, sum := range sums {
			delete(u.fresh, sum)
			delete(u.logged, sum)
		}
	}
	s.mu.Unlock()
	for _, sum := range sums {
		path, err := s.folder.blob(id, sum)
		if err != nil {
			return err
		}
		if err := os.Remove(path); err != nil && !missing(err) {
			return filehost.Convert(err, "remove media content")
		}
	}
	return nil
}

// List returns an account's content (see store.Blobs).
func (s *Blobs) List(_ context.Context, id store.AccountID) ([]store.SHA1, error) {
	dir, err := s.folder.of(id)
	if err != nil {
		return nil, err
	}
	if err := s.adopt(id); err != nil {
		return nil, err
	}
	all := map[store.SHA1]bool{}
	s.mu.Lock() // first what is in memory: of it files may be made at any time
	if u := s.unsettled[id]; u != nil {
		for sum := range u.fresh {
			all[sum] = true
		}
		for sum := range u.logged {
			all[sum] = true
		}
	}
	s.mu.Unlock()
	folders, err := os.ReadDir(filepath.Join(dir, mediaFolder))
	for i := 0; i < len(folders) && err == nil; i++ {
		var files []os.DirEntry
		files, err = os.ReadDir(filepath.Join(dir, mediaFolder, folders[i].Name()))
		for _, f := range files {
			var sum store.SHA1
			if n, err := hex.Decode(sum[:], []byte(f.Name()[:min(len(f.Name()), 2*len(sum))])); err == nil && n == len(sum) {
				all[sum] = true
			}
		}
	}
	if err != nil && !missing(err) {
		return nil, filehost.Convert(err, "list media content")
	}
	return slices.Collect(maps.Keys(all)), nil
}

// RemoveAll removes an account's content (see store.Blobs).
func (s *Blobs) RemoveAll(_ context.Context, id store.AccountID) error {
	dir, err := s.folder.of(id)
	if err != nil {
		return err
	}
	s.mu.Lock()
	if u := s.unsettled[id]; u != nil {
		clear(u.fresh)
		clear(u.placed)
		clear(u.logged)
	}
	s.mu.Unlock()
	logs, err := journals(dir)
	for i := 0; i < len(logs) && err == nil; i++ {
		if err = os.Remove(logs[i]); missing(err) {
			err = nil
		}
	}
	if err == nil {
		err = os.RemoveAll(filepath.Join(dir, mediaFolder))
	}
	return filehost.Convert(err, "remove media content")
}
