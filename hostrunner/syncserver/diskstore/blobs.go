package diskstore

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"hash"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/filehost"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

var _ store.Blobs = (*Blobs)(nil)

// Blobs keeps media content in files named by their hash. flush.go makes them durable.
type Blobs struct {
	folder folder

	mu      sync.Mutex
	pending map[store.AccountID]*pending
}

// NewBlobs returns the media content of a data folder.
func NewBlobs(dir string) *Blobs {
	return &Blobs{folder: folder(dir), pending: map[store.AccountID]*pending{}}
}

func blobPath(sum store.SHA1) (folder, name string) {
	text := hex.EncodeToString(sum[:])
	return text[:2], text
}

// Create begins new content (see store.Blobs).
func (s *Blobs) Create(_ context.Context, id store.AccountID) (store.Draft, error) {
	f, err := s.folder.temporary(id)
	if err != nil {
		return nil, err
	}
	return &draft{blobs: s, account: id, file: f, hash: sha1.New()}, nil
}

// Open returns content (see store.Blobs).
func (s *Blobs) Open(_ context.Context, id store.AccountID, sum store.SHA1) (store.Blob, error) {
	dir, err := s.folder.of(id)
	if err != nil {
		return nil, err
	}
	sub, name := blobPath(sum)
	f, err := openFile(filepath.Join(dir, mediaFolder, sub, name), "media content")
	if err != nil {
		return nil, err
	}
	if f.size == 0 { // what a power cut may leave of a file
		f.Close()
		return nil, fault.New(fault.DamagedFile, "the content is empty")
	}
	return f, nil
}

// Remove removes content (see store.Blobs).
func (s *Blobs) Remove(_ context.Context, id store.AccountID, sums ...store.SHA1) error {
	dir, err := s.folder.of(id)
	if err != nil {
		return err
	}
	for _, sum := range sums {
		sub, name := blobPath(sum)
		if err := os.Remove(filepath.Join(dir, mediaFolder, sub, name)); err != nil && !missing(err) {
			return filehost.Convert(err, "remove media content")
		}
	}
	return nil
}

// RemoveAll removes an account's content (see store.Blobs).
func (s *Blobs) RemoveAll(_ context.Context, id store.AccountID) error {
	dir, err := s.folder.of(id)
	if err != nil {
		return err
	}
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

type draft struct {
	blobs   *Blobs
	account store.AccountID
	file    *os.File
	hash    hash.Hash
	size    int64
	ended   bool
}

// Write appends.
func (d *draft) Write(p []byte) (int, error) {
	if d.ended {
		return 0, errEnded()
	}
	n, err := d.file.Write(p)
	d.hash.Write(p[:n])
	d.size += int64(n)
	return n, filehost.Convert(err, "write media content")
}

// Commit adds the content (see store.Draft).
func (d *draft) Commit(context.Context) (sum store.SHA1, size int64, err error) {
	if d.ended {
		return sum, 0, errEnded()
	}
	defer d.Discard()
	if d.size == 0 {
		return sum, 0, fault.New(fault.InvalidInput, "the content is empty")
	}
	d.hash.Sum(sum[:0])
	sub, name := blobPath(sum)
	path, err := d.blobs.folder.in(d.account, mediaFolder, sub, name)
	if err != nil {
		return sum, 0, err
	}
	if err := d.place(path); err != nil {
		return sum, 0, filehost.Convert(err, "keep media content")
	}
	d.blobs.note(d.account, path)
	return sum, d.size, nil
}

// place gives the draft its name. What is there already and equal stays; what differs is a leftover of a power cut, or a
// damaged file that something may still depend on, so it is replaced by a file that is durable first.
func (d *draft) place(path string) error {
	same, err := equal(d.file, path, d.size)
	if err != nil || same {
		return err
	}
	if _, err := os.Stat(path); err == nil {
		if err := d.file.Sync(); err != nil {
			return err
		}
	}
	return os.Rename(d.file.Name(), path)
}

// equal reports whether the file at path has the content of f; a missing one has not.
func equal(f *os.File, path string, size int64) (bool, error) {
	other, err := os.Open(path)
	if missing(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer other.Close()
	if info, err := other.Stat(); err != nil || info.Size() != size {
		return false, err
	}
	var a, b [32 << 10]byte
	for at := int64(0); at < size; {
		n, err := f.ReadAt(a[:], at)
		if err != nil && err != io.EOF {
			return false, err
		}
		if m, err := other.ReadAt(b[:n], at); m < n && err != nil {
			return false, nil // unreadable: not the content
		}
		if !bytes.Equal(a[:n], b[:n]) {
			return false, nil
		}
		at += int64(n)
	}
	return true, nil
}

// Discard ends the draft (see store.Draft).
func (d *draft) Discard() {
	if !d.ended {
		d.ended = true
		d.file.Close()
		os.Remove(d.file.Name()) // gone already if it was placed
	}
}
