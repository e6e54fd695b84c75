package store

import (
	"context"
	"io"
	"time"

	"github.com/cardferry/cardferry/core/host"
)

// Collections keeps the files of accounts: the collection, its backups, and the media state, which is a database as well.
//
// A caller sees to it that nobody else uses an account's collection while it calls Snapshot or Install (the server
// holds the account's lease and its lock, and has closed the collection); everything else may run beside an open
// collection. Databases have the settings of sqlitehost.
type Collections interface {
	// Open opens the account's collection. fault.NotFound if there is none yet, fault.Busy, fault.DamagedFile.
	Open(ctx context.Context, id AccountID) (host.DB, error)
	// Media opens the account's media state. With host.Create it is an empty database the first time, else fault.NotFound.
	Media(ctx context.Context, id AccountID, mode host.OpenMode) (host.DB, error)
	// Snapshot returns the collection's file as it is now. It does not change when the collection does.
	// fault.NotFound, fault.StorageFull.
	Snapshot(ctx context.Context, id AccountID) (File, error)
	// Stage begins a new file, which is not the account's collection until it is installed.
	Stage(ctx context.Context, id AccountID) (Staged, error)
	// Backups returns what Install has kept, oldest first.
	Backups(ctx context.Context, id AccountID) ([]Backup, error)
	// OpenBackup returns a backup for reading. fault.NotFound.
	OpenBackup(ctx context.Context, id AccountID, backup string) (File, error)
	// RemoveBackup removes a backup; a missing one is no error.
	RemoveBackup(ctx context.Context, id AccountID, backup string) error
	// Remove removes everything that is kept of an account, backups and media state included.
	Remove(ctx context.Context, id AccountID) error
	// Owners returns the accounts that something is kept of, in any order.
	Owners(ctx context.Context) ([]AccountID, error)
}

// Staged is a file that may become a collection. It is used by one goroutine at a time.
type Staged interface {
	io.Writer
	// DB opens what was written as a database; nothing is an empty one. Writing to the file ends with it. Its writes are not
	// flushed one by one. fault.DamagedFile if it is no database.
	DB(ctx context.Context, mode host.OpenMode) (host.DB, error)
	// Install makes the file the account's collection in one atomic, durable step, and ends it. What it replaces is kept
	// as a backup of that time, unless the time is zero. After a crash either the old or the new collection is there, whole.
	// The caller has closed what DB returned.
	Install(ctx context.Context, keepAs time.Time) error
	// Discard ends the file. It may be called more than once and after Install.
	Discard()
}

// File is a file that is being read. Closing it gives its place back.
type File interface {
	io.ReaderAt
	io.Closer
	// Size returns the length in bytes.
	Size() int64
}

// Backup is a collection that was replaced.
type Backup struct {
	ID      string
	Created time.Time // to the millisecond
	Bytes   int64
}
