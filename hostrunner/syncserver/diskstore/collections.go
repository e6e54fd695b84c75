package diskstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/hostrunner/filehost"
	"github.com/cardferry/cardferry/hostrunner/profilelock"
	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

var _ store.Collections = (*Collections)(nil)

// Collections keeps the databases of accounts in files.
type Collections struct{ folder folder }

// NewCollections returns the collections of a data folder.
func NewCollections(dir string) *Collections { return &Collections{folder(dir)} }

// Open opens the collection (see store.Collections).
func (s *Collections) Open(_ context.Context, id store.AccountID) (host.DB, error) {
	dir, err := s.folder.of(id)
	if err != nil {
		return nil, err
	}
	db, err := open(filepath.Join(dir, host.Collection), host.ReadWrite)
	if err != nil {
		return nil, err
	}
	// A crash of the machine, or a full disk, can leave an empty file: nothing is lost with it, and nobody could sync again.
	if pages, err := rows.IntOf(db, "PRAGMA page_count"); err == nil && pages == 0 {
		return nil, errors.Join(fault.New(fault.NotFound, "the collection is an empty file"), db.Close())
	}
	return db, nil
}

// open opens a database; a nil *DB in an interface would not be nil. A folder, or a link to a disk that is not there now, is not taken for none.
func open(path string, mode host.OpenMode) (host.DB, error) {
	db, err := sqlitehost.OpenFile(path, mode)
	if err != nil {
		if _, lerr := os.Lstat(path); lerr == nil && fault.KindOf(err) == fault.NotFound {
			err = fault.Wrap(fault.UnsupportedFile, err, "what has the name of a file is none")
		}
		return nil, err
	}
	return db, nil
}

// Media opens the media state (see store.Collections).
func (s *Collections) Media(_ context.Context, id store.AccountID, mode host.OpenMode) (host.DB, error) {
	dir, err := s.folder.of(id)
	if err != nil {
		return nil, err
	}
	return open(filepath.Join(dir, mediaFile), mode)
}

// settle brings what a killed process has left in the log of a database into its main file. With the last connection's
// Close it is there already.
func settle(path string) error {
	if info, err := os.Stat(path + "-wal"); err != nil || info.Size() == 0 {
		return nil
	}
	db, err := open(path, host.ReadWrite)
	if err != nil {
		return err
	}
	if err := db.Close(); err != nil {
		return err
	}
	if info, err := os.Stat(path + "-wal"); err == nil && info.Size() > 0 {
		return fault.New(fault.Busy, "another program has the collection open")
	}
	return nil
}

// Snapshot copies the collection (see store.Collections); where the file system can, the copy shares the file's blocks.
func (s *Collections) Snapshot(_ context.Context, id store.AccountID) (store.File, error) {
	dir, err := s.folder.of(id)
	if err != nil {
		return nil, err
	}
	from := filepath.Join(dir, host.Collection)
	src, err := openFile(from, "the collection")
	if err != nil {
		return nil, err
	}
	defer src.Close()
	if err := settle(from); err != nil {
		return nil, err
	}
	to, err := s.folder.temporary(id)
	if err != nil {
		return nil, err
	}
	if _, err = io.Copy(to, src.File); err == nil {
		var info os.FileInfo
		if info, err = to.Stat(); err == nil {
			return &temporaryFile{file{to, info.Size()}}, nil
		}
	}
	to.Close()
	os.Remove(to.Name())
	return nil, filehost.Convert(err, "copy the collection")
}

// temporary makes a file in the account's folder for files that are being written.
func (f folder) temporary(id store.AccountID) (*os.File, error) {
	path, err := f.in(id, tmpFolder, rand.Text())
	if err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	return file, filehost.Convert(err, "create a file")
}

// temporaryFile is a file that goes away when it is closed.
type temporaryFile struct{ file }

// Close removes the file.
func (f *temporaryFile) Close() error {
	err := f.file.Close()
	os.Remove(f.Name())
	return err
}

// Backups lists the backups (see store.Collections).
func (s *Collections) Backups(_ context.Context, id store.AccountID) (list []store.Backup, err error) {
	dir, err := s.folder.of(id)
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(filepath.Join(dir, backupFolder))
	if missing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, filehost.Convert(err, "list backups")
	}
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".anki2")
		millis, _, _ := strings.Cut(name, "-")
		created, perr := strconv.ParseInt(millis, 10, 64)
		info, ierr := e.Info()
		if ok && perr == nil && ierr == nil && info.Mode().IsRegular() {
			list = append(list, store.Backup{ID: name, Created: time.UnixMilli(created), Bytes: info.Size()})
		}
	}
	slices.SortStableFunc(list, func(a, b store.Backup) int { return a.Created.Compare(b.Created) })
	return list, nil
}

// backupPath returns where a backup is. Names come from people, so they are checked.
func (s *Collections) backupPath(id store.AccountID, name string) (string, error) {
	dir, err := s.folder.of(id)
	if err == nil {
		if err = filehost.CheckName(name); err == nil && strings.Contains(name, "/") {
			err = fault.New(fault.InvalidInput, "not the id of a backup")
		}
	}
	return filepath.Join(dir, backupFolder, name+".anki2"), err
}

// OpenBackup opens a backup (see store.Collections).
func (s *Collections) OpenBackup(_ context.Context, id store.AccountID, name string) (store.File, error) {
	path, err := s.backupPath(id, name)
	if err != nil {
		return nil, err
	}
	f, err := openFile(path, "the backup")
	if err != nil {
		return nil, err
	}
	return f, nil
}

// RemoveBackup removes a backup (see store.Collections).
func (s *Collections) RemoveBackup(_ context.Context, id store.AccountID, name string) error {
	path, err := s.backupPath(id, name)
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !missing(err) {
		return filehost.Convert(err, "remove the backup")
	}
	return nil
}

// Remove removes everything of an account but its media content and its lease (see store.Collections).
func (s *Collections) Remove(_ context.Context, id store.AccountID) error {
	dir, err := s.folder.of(id)
	if err != nil {
		return err
	}
	for _, name := range []string{host.Collection, mediaFile} {
		for _, suffix := range []string{"", "-wal", "-shm", "-journal"} { // the main file first: without it a journal means nothing
			if err := os.Remove(filepath.Join(dir, name+suffix)); err != nil && !missing(err) {
				return filehost.Convert(err, "remove the account's files")
			}
		}
	}
	for _, name := range []string{backupFolder, tmpFolder} {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return filehost.Convert(err, "remove the account's files")
		}
	}
	return nil
}

// Owners returns the accounts that something is kept of (see store.Collections). The lease, which nobody can remove safely, does
// not count.
func (s *Collections) Owners(ctx context.Context) (list []store.AccountID, err error) {
	parent := filepath.Join(string(s.folder), accountsFolder)
	folders, err := os.ReadDir(parent)
	if err != nil && !missing(err) {
		return nil, filehost.Convert(err, "list the accounts' folders")
	}
	for _, f := range folders {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		id := store.AccountID(f.Name())
		if _, err := s.folder.of(id); err != nil {
			continue // none of ours
		}
		dir, err := os.Open(filepath.Join(parent, f.Name()))
		if err != nil {
			continue // what cannot be read cannot be used either
		}
		names, _ := dir.Readdirnames(2)
		dir.Close()
		if len(names) > 1 || len(names) == 1 && names[0] != profilelock.Name {
			list = append(list, id)
		}
	}
	return list, nil
}

// backup gives the collection a second name, under which it stays when it is replaced.
func (s *Collections) backup(id store.AccountID, collection string, at time.Time) error {
	path, err := s.folder.in(id, backupFolder, fmt.Sprintf("%013d-%s.anki2", at.UnixMilli(), strings.ToLower(rand.Text()[:6])))
	if err != nil {
		return err
	}
	err = os.Link(collection, path)
	if err != nil && !missing(err) { // a file system without links
		err = copyFile(collection, path)
	}
	if err == nil {
		err = syncFolder(filepath.Dir(path))
	}
	return filehost.Convert(err, "keep the collection")
}

func copyFile(from, to string) error {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	if err == nil {
		err = dst.Sync()
	}
	if cerr := dst.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		os.Remove(to)
	}
	return err
}
