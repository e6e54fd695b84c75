package host

import "context"

// OpenMode says how SQL.Open treats the file.
type OpenMode uint8

// The open modes.
const (
	ReadWrite OpenMode = iota // the file must exist
	Create                    // created, empty, if it does not exist
	ReadOnly                  // the file must exist; nothing beside it is written
)

// SQL opens databases of a profile.
type SQL interface {
	// Open opens the database in the named file with the collation "unicase" (core/unicase) registered, a busy
	// timeout of 5 s and the host's journal mode (WAL natively, truncate in a page; a ReadOnly database is left as it is).
	// It reads the header, so that a file which is not a database fails here.
	// Errors: fault.NotFound, fault.Busy (locked by another program), fault.DamagedFile, fault.NotWritable,
	// fault.StorageFull.
	Open(ctx context.Context, name string, mode OpenMode) (DB, error)
}

// DB is one database connection. It is used by one task at a time. Every method may fail with fault.Busy,
// fault.StorageFull, fault.DamagedFile, fault.NotWritable, fault.Cancelled (the host interrupts a running statement
// when the calling task is cancelled) or fault.Other.
type DB interface {
	// Exec runs one or more statements without parameters, discarding rows.
	Exec(sql string) error
	// Prepare compiles exactly one statement; trailing text other than white space is an error.
	Prepare(sql string) (Stmt, error)
	// CopyInto writes a copy of the database to the named file of the profile, which must not exist. It may not run inside a
	// transaction; it sees one consistent state. A compact copy is written anew (VACUUM INTO), without free pages and what
	// deleted rows have left in the others. For any other a host may copy the pages as they are, which takes a fraction of the time.
	CopyInto(name string, compact bool) error
	// CheckIntegrity runs SQLite's integrity check and returns up to limit complaints, none if the file is sound. It
	// reads the whole file; a host may use more connections or a larger cache for it. Not inside a transaction.
	CheckIntegrity(limit int) ([]string, error)
	// Rollback ends an open transaction, even after a cancel; without a transaction it does nothing.
	Rollback() error
	// Close finalizes the statements, checkpoints a write-ahead log and closes.
	Close() error
}

// Stmt is a prepared statement. Parameters and rows cross as packed rows (package rows): bytes, so that nothing is
// converted twice on the way through a Wasm boundary.
type Stmt interface {
	// Run executes the statement once for each packed row in params (bind all, step to the end, reset), in order,
	// and stops at the first error. No params at all (nil) means one execution without parameters. Result rows
	// are discarded. It returns the number of rows changed by all executions.
	Run(params []byte) (int64, error)
	// Query binds one packed row (nil: none) and starts the statement anew; rows follow with Next.
	Query(params []byte) error
	// Next appends packed result rows to buf, whole rows only, until about 64 KiB were appended or the
	// statement is done, and returns the extended slice and whether it is done. Rows may be read ahead of what the
	// caller has looked at: do not modify a table while reading it with Next.
	Next(buf []byte) (rows []byte, done bool, err error)
	// Close finalizes the statement. It may be called more than once.
	Close() error
}
