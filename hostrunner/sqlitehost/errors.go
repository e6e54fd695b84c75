package sqlitehost

import (
	"errors"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/filehost"
)

// convert gives an error of SQLite its kind. step says what was done, in lower case.
func convert(err error, step string) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*fault.Error](err); ok {
		return e
	}
	kind := kindOf(err)
	return &fault.Error{Kind: kind, Message: step, Err: &sqliteError{text: message(err, kind), err: err}}
}

// sqliteCode returns the primary result code, 0 if err is none of SQLite's.
func sqliteCode(err error) sqlite3.ErrorCode {
	var code sqlite3.ErrorCode
	errors.As(err, &code)
	return code
}

// badFormat is what SQLite says of a file whose header asks for a format (bytes 44 to 47) that there is not. It has no code of its own.
const badFormat = "sqlite3: SQL logic error: unsupported file format"

func kindOf(err error) fault.Kind {
	switch sqliteCode(err) {
	case 0:
		return fault.KindOf(err)
	case sqlite3.BUSY, sqlite3.LOCKED:
		return fault.Busy
	case sqlite3.FULL:
		return fault.StorageFull
	case sqlite3.CORRUPT, sqlite3.NOTADB:
		return fault.DamagedFile
	case sqlite3.ERROR:
		if err.Error() == badFormat {
			return fault.DamagedFile
		}
	case sqlite3.READONLY, sqlite3.PERM:
		return fault.NotWritable
	case sqlite3.INTERRUPT:
		return fault.Cancelled
	case sqlite3.CANTOPEN:
		if kind := filehost.KindOf(err); kind != fault.Other {
			return kind
		}
		return fault.NotWritable // a journal that cannot be created; the main file was there
	case sqlite3.IOERR:
		if errors.Is(err, sqlite3.IOERR_SHMSIZE) {
			return fault.StorageFull // the index of the log does not fit
		}
		return filehost.KindOf(err)
	}
	return fault.Other
}

// message returns a text for people: the plain words for what happens to healthy databases, SQLite's own for the rest.
func message(err error, kind fault.Kind) string {
	switch kind {
	case fault.Busy:
		return "another program has it open"
	case fault.StorageFull:
		return "no space left on the device"
	case fault.Cancelled:
		return "cancelled"
	}
	return strings.TrimPrefix(err.Error(), "sqlite3: ")
}

// sqliteError is an error of SQLite with a readable text.
type sqliteError struct {
	text string
	err  error
}

// Error returns the text.
func (e *sqliteError) Error() string { return e.text }

// Unwrap returns the error of go-sqlite3.
func (e *sqliteError) Unwrap() error { return e.err }

// guard turns a panic of go-sqlite3, which is how it reports that its memory is exhausted, into an error. A damaged
// or hostile database must not end the host.
func guard(err *error) {
	if r := recover(); r != nil {
		*err = fault.New(fault.Other, "database engine: %v", r)
	}
}

// closedError is what every method of a closed database or statement returns.
func closedError() error { return fault.New(fault.Closed, "the database is closed") }
