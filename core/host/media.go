package host

import (
	"context"
	"time"
)

// MediaFile is a media file as a store sees it. Two of them are equal if, as far as the store can tell without reading
// it, the content is the same.
type MediaFile struct {
	Size     int64
	Modified int64 // Unix nanoseconds, or any number that changes with the content
}

// MediaSum is what reading a whole media file tells about its content.
type MediaSum struct {
	SHA1 [20]byte
	CRC  uint32 // IEEE, as in zip archives
}

// Media is the store of a profile's media files: a flat set of files by name. Names are handed over as they are, valid
// UTF-8, and never lead out of the store: one that the store cannot hold (empty, ".", "..", with a separator or NUL, too
// long, reserved by the system) fails with fault.InvalidInput.
//
// Each change says what the caller has last seen under the name (nil: nothing), and is not made if there is something
// else by now: changed is true then, without an error. That is how an edit by another program is not overwritten.
//
// Methods fail with fault.NotFound (no such file), fault.NotWritable (not allowed to read or to write),
// fault.StorageFull, fault.InvalidInput, fault.Cancelled or fault.Other.
type Media interface {
	// Scan lists the store. fault.NotFound if the store itself is gone (a folder that was removed, or not made yet: the
	// first Install makes it), fault.NotWritable if it cannot be listed.
	Scan(ctx context.Context) (MediaScan, error)
	// Stat describes a regular file; fault.NotFound if there is none under the name.
	Stat(name string) (MediaFile, error)
	// Hash reads a regular file and returns its content's sums and the file as it was before and after; a file
	// that keeps changing fails with fault.Busy. It ends within a second when ctx does.
	Hash(ctx context.Context, name string) (MediaFile, MediaSum, error)
	// Open opens a file for reading.
	Open(name string) (File, error)
	// Create begins a new file, outside of what Scan lists.
	Create() (MediaDraft, error)
	// Copy is Create with the content of an existing file, or changed.
	Copy(name string, seen MediaFile) (draft MediaDraft, changed bool, err error)
	// Trash moves a file to the trash, where it stays until Expire.
	Trash(name string, seen MediaFile) (changed bool, err error)
	// Expire deletes for good what was put into the trash before t; a store may count in days, and so keep it for up to one
	// day longer.
	Expire(t time.Time) error
	// Flush makes everything that was installed and trashed before durable, and the files that Hash has read, which another
	// program may have written a moment ago.
	Flush(ctx context.Context) error
}

// MediaScan is a listing that is being read.
type MediaScan interface {
	// Next appends packed rows (package rows) of name, size, modified, regular (1 or 0) to buf, in ascending byte order
	// of the names, whole rows only, until about 64 KiB were appended or the listing is done. Folders are left
	// out; links and other special files are listed as not regular, and so is a file that may not be read. Names
	// that are not valid UTF-8 are left out.
	Next(buf []byte) (rows []byte, done bool, err error)
	// Close ends the listing. It may be called more than once.
	Close() error
}

// MediaDraft is a media file that is being written. It is used by one task at a time.
type MediaDraft interface {
	// Write appends.
	Write(p []byte) (int, error)
	// Sum returns the size and the sums of what was written.
	Sum() (int64, MediaSum, error)
	// Install makes the draft the content of name, in one atomic step, and ends it, unless changed. Content that it
	// replaces goes to the trash. It is durable after Media.Flush only: a power cut before that may leave nothing, or an empty
	// file, but never an empty one in the place of content that was replaced.
	Install(name string, seen *MediaFile) (now MediaFile, changed bool, err error)
	// Discard ends the draft. It may be called more than once and after Install.
	Discard()
}

// BodyPart is a piece of a request's body: bytes or, if Media is set, a range of a media file. A host takes the
// range from the store without handing it to the core.
type BodyPart struct {
	Bytes []byte
	// Media names the file, Seen is how it was seen. If it is not so any more when it is sent, the call fails with
	// fault.NotFound, and the server does not get the whole body.
	Media       string
	Seen        MediaFile
	Offset, Len int64
}
