package filehost

import (
	"errors"
	"io"
	"os"

	"github.com/cardferry/cardferry/core/host"
)

var _ host.File = (*File)(nil)

// File is an open file of a profile.
type File struct {
	f    *os.File
	name string
}

// NewFile lends an opened file; name is what messages call it.
func NewFile(f *os.File, name string) *File { return &File{f: f, name: name} }

// ReadAt reads as io.ReaderAt does.
func (f *File) ReadAt(p []byte, off int64) (int, error) {
	n, err := f.f.ReadAt(p, off)
	if err == io.EOF {
		return n, err
	}
	return n, Convert(err, "read "+f.name)
}

// Write appends to the file.
func (f *File) Write(p []byte) (int, error) {
	n, err := f.f.Write(p)
	return n, Convert(err, "write "+f.name)
}

// Size returns the current size in bytes.
func (f *File) Size() (int64, error) {
	info, err := f.f.Stat()
	if err != nil {
		return 0, Convert(err, "find "+f.name)
	}
	return info.Size(), nil
}

// Sync makes what was written durable.
func (f *File) Sync() error { return Convert(f.f.Sync(), "flush "+f.name) }

// Close releases the file. It may be called more than once.
func (f *File) Close() error {
	err := f.f.Close()
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return Convert(err, "close "+f.name)
}
