package store

import (
	"context"
	"io"
)

// SHA1 is the hash by which content is found.
type SHA1 [20]byte

// Blobs keeps the content of media files by its SHA-1. Names, and which content is still needed, are the business of
// the media state (Collections.Media).
//
// Each account has its own blobs: content that collides with another user's cannot be slipped into that user's
// files, and removing an account is removing its blobs.
type Blobs interface {
	// Create begins new content. fault.StorageFull, fault.NotWritable.
	Create(ctx context.Context, id AccountID) (Draft, error)
	// Flush makes everything that drafts of the account have committed before durable. A caller must not say that it has
	// content before. It may be called once for many blobs, which costs less than making each one durable.
	Flush(ctx context.Context, id AccountID) error
	// Open returns content for reading. fault.NotFound; fault.DamagedFile if what is kept cannot be it, since it is empty.
	Open(ctx context.Context, id AccountID, sum SHA1) (Blob, error)
	// Remove removes content; what is missing is no error. Open blobs stay readable.
	Remove(ctx context.Context, id AccountID, sums ...SHA1) error
	// List returns all content of an account, in any order. What is committed or removed meanwhile may be missing or there.
	List(ctx context.Context, id AccountID) ([]SHA1, error)
	// RemoveAll removes all content of an account.
	RemoveAll(ctx context.Context, id AccountID) error
	// Close ends the use.
	Close() error
}

// Draft is content that is being written. It is used by one goroutine at a time.
type Draft interface {
	io.Writer
	// Commit adds what was written to the blobs under its SHA-1 and ends the draft. Content that is there already is kept,
	// unless it is damaged. Empty content is fault.InvalidInput.
	Commit(ctx context.Context) (sum SHA1, size int64, err error)
	// Discard ends the draft. It may be called more than once and after Commit.
	Discard()
}

// Blob is content that is being read.
type Blob interface {
	io.ReaderAt
	io.Closer
	// Size returns the length in bytes.
	Size() int64
}
