// Package sqlitehost lends SQLite to the core: host.SQL on the databases of a profile folder, with go-sqlite3.
//
// Native databases use a write-ahead log with normal locking, so other programs can read and write them while we
// have them open. A file that still has a rollback journal is switched when we first write to it: opening alone
// never changes a file, so one that turns out to be damaged or unsupported stays as it was.
package sqlitehost

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/hostrunner/filehost"
)

var _ host.SQL = (*SQL)(nil)

// busyTimeout is how long a statement waits for a lock; openTimeout how long Open does: a program that has the file
// open exclusively (the desktop program) will not let go within seconds, and a user should be told at once.
const (
	busyTimeout = 5 * time.Second
	openTimeout = 500 * time.Millisecond
)

// longestPath is what SQLite takes: go-sqlite3 has room for 1,024 bytes, with the journal's ending.
const longestPath = 1024 - len("-journal")

// SQL opens the databases of one profile folder.
type SQL struct {
	dir  string
	task *task
}

// New returns the databases of the profile folder dir. The folder is created with the first database that is.
func New(dir string) *SQL { return &SQL{dir: dir, task: newTask()} }

// SetContext makes the end of ctx interrupt the statements of all databases that s opened, until the next call.
// A runner calls it when it starts a task and again, with context.Background, after it. It may be called while a
// statement is running.
func (s *SQL) SetContext(ctx context.Context) { s.task.set(ctx) }

// Open opens the named database of the profile (see host.SQL).
func (s *SQL) Open(ctx context.Context, name string, mode host.OpenMode) (host.DB, error) {
	if err := filehost.CheckName(name); err != nil {
		return nil, err
	}
	db, err := open(ctx, s.dir, name, mode, s.task)
	if err != nil {
		return nil, err
	}
	return db, nil
}

// OpenFile opens the database at path; its folder counts as the profile.
func OpenFile(path string, mode host.OpenMode) (*DB, error) {
	return open(context.Background(), filepath.Dir(path), filepath.Base(path), mode, newTask())
}

func open(ctx context.Context, dir, name string, mode host.OpenMode, t *task) (db *DB, err error) {
	defer guard(&err)
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, fault.Wrap(fault.Other, err, "open database")
	}
	path := filepath.Join(dir, filepath.FromSlash(name))
	if len(path) > longestPath {
		return nil, fault.New(fault.InvalidInput, "open %s: the path of the folder is too long", name).WithHint("Use a folder with a shorter path.")
	}
	if err := prepareFile(path, name, mode); err != nil {
		return nil, fileError(err, name)
	}
	how, err := accessOf(path, mode)
	if err != nil {
		return nil, fileError(err, name)
	}
	db, err = connect(ctx, path, how, t)
	switch {
	case how == besideLog && fault.KindOf(err) == fault.NotWritable:
		db, err = connect(ctx, path, shared, t)
	case how == shared && errors.Is(err, sqlite3.READONLY_ROLLBACK):
		if err = rollBack(ctx, path, t); err == nil {
			db, err = connect(ctx, path, shared, t)
		}
	}
	if err != nil {
		return nil, convert(err, "open "+name)
	}
	db.profile = dir
	return db, nil
}

func connect(ctx context.Context, path string, how access, t *task) (*DB, error) {
	registerVFS()
	conn, err := sqlite3.OpenContext(ctx, uriOf(path, how))
	if err != nil {
		return nil, convert(err, "open "+filepath.Base(path))
	}
	db := &DB{conn: conn, task: t, path: path, access: how}
	if err := db.configure(ctx); err != nil {
		_ = db.discard()
		return nil, convert(err, "open "+filepath.Base(path))
	}
	return db, nil
}

// prepareFile makes sure that SQLite finds a file, and creates one for Create: the permissions are ours to choose,
// and SQLite's own error does not tell a missing file from a missing permission.
func prepareFile(path, name string, mode host.OpenMode) error {
	for _, suffix := range []string{"-wal", "-shm", "-journal"} {
		if info, err := os.Stat(path + suffix); err == nil && !info.Mode().IsRegular() {
			return notAFile(name + suffix)
		}
	}
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return &fs.PathError{Op: "open", Path: path, Err: errIsFolder}
	case err == nil && !info.Mode().IsRegular():
		return notAFile(name)
	case err == nil || mode != host.Create || !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return createFile(path, name, 0)
}

// notAFile refuses what is no file: reading a pipe would wait for its other end.
func notAFile(name string) error {
	return fault.New(fault.UnsupportedFile, "%s is not a file", name).WithHint("Move it away.")
}

// createFile makes an empty file with the permissions that its name asks for.
func createFile(path, name string, flags int) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, flags|os.O_CREATE|os.O_RDWR, filehost.Mode(name))
	if err != nil {
		return err
	}
	return f.Close()
}

var errIsFolder = errors.New("is a folder")

// task is the context of the task that uses the databases of a profile. It is handed to go-sqlite3 once, as the
// interrupt of each connection, and asked between virtual machine steps.
type task struct {
	context.Context
	current atomic.Pointer[context.Context]
}

func newTask() *task { return &task{Context: context.Background()} }

func (t *task) set(ctx context.Context) { t.current.Store(&ctx) }

// Err returns the current task's error.
func (t *task) Err() error {
	if ctx := t.current.Load(); ctx != nil {
		return (*ctx).Err()
	}
	return nil
}

// fileError gives an operating system error of a database file its kind.
func fileError(err error, name string) error {
	if errors.Is(err, errIsFolder) {
		return fault.New(fault.NotFound, "open %s: it is a folder", name)
	}
	if e, ok := errors.AsType[*fault.Error](err); ok {
		return e
	}
	return filehost.Convert(err, "open "+name)
}
