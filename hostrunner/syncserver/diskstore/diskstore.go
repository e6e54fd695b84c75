// Package diskstore keeps what a sync server keeps in a folder: SQLite databases and plain files.
//
//	accounts.db                              accounts and devices
//	accounts/<id>/cardferry.lock             the lease: locked by the process that serves the account, with its address in it
//	accounts/<id>/collection.anki2           the collection
//	accounts/<id>/media.db                   the media state
//	accounts/<id>/media/<2 digits>/<sha1>    media content
//	accounts/<id>/media.log-<random>         media content of the last seconds, which goes to media/ later
//	accounts/<id>/backups/<ms>-<random>.anki2  collections that were replaced
//	accounts/<id>/tmp/                       files that are being written
//
// An account that has never synced has nothing but its row. The folders are open to their owner only.
package diskstore

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/filehost"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// Names in the data folder.
const (
	// AccountsFile is the database of accounts and devices.
	AccountsFile   = "accounts.db"
	accountsFolder = "accounts"
	mediaFile      = "media.db"
	mediaFolder    = "media"
	backupFolder   = "backups"
	tmpFolder      = "tmp"
)

// folder is the data folder.
type folder string

// of returns the folder of an account. The check keeps any id from leading elsewhere, whoever made it.
func (f folder) of(id store.AccountID) (string, error) {
	if id == "" || len(id) > 64 {
		return "", fault.New(fault.InvalidInput, "not the id of an account")
	}
	for _, c := range id {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return "", fault.New(fault.InvalidInput, "not the id of an account")
		}
	}
	return filepath.Join(string(f), accountsFolder, string(id)), nil
}

// in returns a path in an account's folder and makes the folders on the way to it.
func (f folder) in(id store.AccountID, names ...string) (string, error) {
	dir, err := f.of(id)
	if err != nil {
		return "", err
	}
	path := filepath.Join(append([]string{dir}, names...)...)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", filehost.Convert(err, "create a folder")
	}
	return path, nil
}

// syncFolder makes the names in a folder durable.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); filehost.KindOf(err) == fault.StorageFull {
		return err
	}
	return nil // not every system can flush a folder
}

// missing reports whether err says that there is no such file.
func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// openFile opens a file for reading.
func openFile(path, what string) (*file, error) {
	f, size, err := openRegular(path)
	if err != nil {
		return nil, filehost.Convert(err, "open "+what)
	}
	return &file{f, size}, nil
}

// openRegular opens a file for reading. What is none counts as missing; opening a pipe would wait for its other end.
func openRegular(path string) (f *os.File, size int64, err error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = fs.ErrNotExist
	}
	if err == nil {
		f, err = os.Open(path)
	}
	if err != nil {
		return nil, 0, err
	}
	if info, err = f.Stat(); err != nil { // it may be another file by now
		f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// file is a file that is being read.
type file struct {
	*os.File
	size int64
}

// Size returns the length that the file had when it was opened.
func (f *file) Size() int64 { return f.size }
