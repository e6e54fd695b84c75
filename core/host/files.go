package host

import (
	"context"
	"time"
)

// FileInfo describes a file of the profile.
type FileInfo struct {
	Name     string
	Size     int64
	Modified time.Time // zero where the host does not know
}

// Files stages whole files: an upload's compressed copy, a download before it is installed, backups. All methods
// are synchronous and fail with fault.NotFound, fault.NotWritable, fault.StorageFull or fault.Other. Names never
// leave the profile.
type Files interface {
	// Create makes an empty file, replacing one of that name, and opens it for writing and reading.
	Create(name string) (File, error)
	// Open opens an existing file for reading.
	Open(name string) (File, error)
	// Stat describes a file; fault.NotFound if there is none.
	Stat(name string) (FileInfo, error)
	// List returns the files whose names begin with prefix, sorted by name.
	List(prefix string) ([]FileInfo, error)
	// Remove deletes a database or plain file and the journals (-wal, -shm, -journal) beside it. A missing file is no error.
	Remove(name string) error
	// Replace makes the file staged the content of name in one atomic, durable step (flush, rename, flush the
	// folder; or a switched pointer), and removes name's old journals. No connection to either may be open.
	// After a crash either the old or the new content is there, whole.
	Replace(staged, name string) error
}

// Compressor is implemented by Files of hosts that compress faster than the core can in Wasm.
type Compressor interface {
	// Compress writes one zstd frame with the content of the file from to the file to. ok is false, without an error,
	// if the host leaves it to the core. It ends within a second when ctx does.
	Compress(ctx context.Context, from, to string) (ok bool, err error)
}

// File is an open staged file. It is used by one task at a time.
type File interface {
	// ReadAt reads as io.ReaderAt does.
	ReadAt(p []byte, off int64) (int, error)
	// Write appends to the file, as io.Writer does.
	Write(p []byte) (int, error)
	// Size returns the current size in bytes.
	Size() (int64, error)
	// Sync makes what was written durable.
	Sync() error
	// Close releases the file.
	Close() error
}
