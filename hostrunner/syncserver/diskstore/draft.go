package diskstore

import (
	"bytes"
	"context"
	"crypto/sha1"
	"hash"
	"io"
	"os"
	"path/filepath"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/filehost"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// smallFile is how large content may be that is kept in memory until it is in the journal.
const smallFile = 128 << 10

// Create begins new content (see store.Blobs).
func (s *Blobs) Create(_ context.Context, id store.AccountID) (store.Draft, error) {
	return &draft{blobs: s, account: id, hash: sha1.New()}, nil
}

type draft struct {
	blobs   *Blobs
	account store.AccountID
	hash    hash.Hash
	size    int64
	small   []byte   // the content, as long as it is small
	file    *os.File // else; nil: small
	ended   bool
}

// Write appends.
func (d *draft) Write(p []byte) (n int, err error) {
	if d.ended {
		return 0, errEnded()
	}
	switch {
	case d.file == nil && len(d.small)+len(p) <= smallFile:
		d.small = append(d.small, p...)
		n = len(p)
	case d.file == nil:
		if d.file, err = d.blobs.folder.temporary(d.account); err != nil {
			return 0, err
		}
		if _, err = d.file.Write(d.small); err != nil {
			return 0, filehost.Convert(err, "write media content")
		}
		d.small = nil
		fallthrough
	default:
		n, err = d.file.Write(p)
	}
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
	path, err := d.blobs.folder.blob(d.account, sum)
	if err == nil && d.file != nil {
		err = filehost.Convert(d.place(path), "keep media content")
	}
	if err != nil {
		return sum, 0, err
	}
	d.blobs.add(d.account, sum, d.small, path)
	return sum, d.size, nil
}

// create makes a file that must not exist, and its folder.
func create(path string) (*os.File, error) {
	const flags = os.O_CREATE | os.O_EXCL | os.O_RDWR
	f, err := os.OpenFile(path, flags, 0o600)
	if missing(err) {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, err
		}
		f, err = os.OpenFile(path, flags, 0o600)
	}
	return f, err
}

// place gives the file of large content its name. What is there already and equal stays; what differs is a leftover of a power
// cut, or a damaged file that something may still depend on, so it is replaced by a file that is durable first.
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
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.Rename(d.file.Name(), path)
}

// equal reports whether the file at path has the content of r; a missing one has not.
func equal(r io.ReaderAt, path string, size int64) (bool, error) {
	other, otherSize, err := openRegular(path)
	if missing(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer other.Close()
	if otherSize != size {
		return false, nil
	}
	var a, b [32 << 10]byte
	for at := int64(0); at < size; {
		n, err := r.ReadAt(a[:], at)
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
	if d.ended {
		return
	}
	d.ended, d.small = true, nil
	if d.file != nil {
		d.file.Close()
		os.Remove(d.file.Name()) // gone already if it was placed
	}
}
