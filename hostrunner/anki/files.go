package anki

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ncruces/go-sqlite3"

	"github.com/cardferry/cardferry/core/unicase"
)

// CopyFile copies a collection file with its write-ahead log into the folder dir, which is made, and returns the path of the
// copy. The real client and server lock their file for themselves while they have it open, but whatever they have
// committed is in these two files.
func CopyFile(path, dir string) (string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	to := filepath.Join(dir, "collection.anki2")
	if err := copyOne(path, to); err != nil {
		return "", err
	}
	err := copyOne(path+"-wal", to+"-wal")
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return to, err
}

func copyOne(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err == nil {
		err = out.Sync() // not the business of who is measured next
	}
	return errors.Join(err, out.Close())
}

// OpenSQL opens a collection file with SQLite alone: the caller is an app that edits it by itself.
func OpenSQL(path string) (*sqlite3.Conn, error) {
	db, err := sqlite3.Open(path)
	if err != nil {
		return nil, err
	}
	err = db.CreateCollation("unicase", unicase.Compare)
	if err == nil {
		err = db.Exec("PRAGMA busy_timeout = 10000")
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}
