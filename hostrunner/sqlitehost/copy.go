package sqlitehost

import (
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/ncruces/go-sqlite3"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/filehost"
)

// CopyInto writes a copy to the named file of the profile (see host.DB). The copy has a rollback journal.
func (d *DB) CopyInto(name string, compact bool) (err error) {
	defer guard(&err)
	if d.conn == nil {
		return closedError()
	}
	if d.access.memory() {
		return fault.New(fault.InvalidInput, "copy database: it is in memory")
	}
	if err := filehost.CheckName(name); err != nil {
		return err
	}
	path := filepath.Join(d.profile, filepath.FromSlash(name))
	// SQLite accepts an empty file, and the permissions are ours to choose.
	if err := createFile(path, name, os.O_EXCL); err != nil {
		return fileError(err, name)
	}
	copied := false
	if !compact && d.access == writable && d.conn.GetAutocommit() {
		copied, err = d.copyPages(path)
	}
	if err == nil && !copied {
		err = d.vacuumInto(path)
	}
	if err != nil {
		_ = os.Remove(path)
		return d.fail(err, "copy database")
	}
	return nil
}

func (d *DB) vacuumInto(path string) error {
	if d.access == besideLog { // query_only forbids the copy as well
		if err := d.conn.Exec("PRAGMA query_only = OFF"); err != nil {
			return err
		}
		defer d.conn.Exec("PRAGMA query_only = ON")
	}
	st, _, err := d.conn.Prepare("VACUUM INTO ?")
	if err != nil {
		return err
	}
	defer st.Close()
	if err := st.BindText(1, path); err != nil {
		return err
	}
	return st.Exec()
}

// fewFree is the part of the pages that may be free in a copy of pages: more would be sent for nothing.
const fewFree = 16

// copyPages copies the main file as it is into an empty one. It reports false, and what is at path does not count, if somebody reads or
// writes beside us, if the log has what the file does not, or if too many pages are free.
func (d *DB) copyPages(path string) (bool, error) {
	if err := d.conn.BusyTimeout(0); err != nil {
		return false, err
	}
	defer d.conn.BusyTimeout(busyTimeout)
	// A commit of another connection after the checkpoint would be in the log only; the number tells of it.
	before, err := d.pragma("PRAGMA data_version")
	if err != nil {
		return false, unlessBusy(err)
	}
	if logged, moved, err := d.conn.WALCheckpoint("main", sqlite3.CHECKPOINT_PASSIVE); err != nil || logged != moved {
		return false, unlessBusy(err)
	}
	if err := d.conn.Exec("BEGIN IMMEDIATE"); err != nil {
		return false, unlessBusy(err)
	}
	defer d.Rollback()
	var n [3]int64
	for i, of := range []string{"page_size", "page_count", "freelist_count"} {
		text, err := d.pragma("PRAGMA " + of)
		if err != nil {
			return false, err
		}
		if n[i], err = strconv.ParseInt(text, 10, 64); err != nil {
			return false, err
		}
	}
	after, err := d.pragma("PRAGMA data_version")
	if err != nil || after != before || n[2] > n[1]/fewFree {
		return false, err
	}
	return d.copyBytes(path, n[0]*n[1])
}

// unlessBusy is nil if the lock is somebody else's.
func unlessBusy(err error) error {
	if code := sqliteCode(err); code == sqlite3.BUSY || code == sqlite3.LOCKED {
		return nil
	}
	return err
}

// copyBytes copies the first size bytes of the main file, and has the copy say that it has no log. It reports false, and leaves the copy
// empty, if the file cannot be read so. The locks that SQLite has on the file are those of its own open file (OFD): closing ours does not
// take them away.
func (d *DB) copyBytes(path string, size int64) (ok bool, err error) {
	from, err := os.Open(d.path)
	if err != nil {
		return false, nil
	}
	defer from.Close()
	to, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return false, filehost.Convert(err, "copy database")
	}
	defer func() {
		if cerr := to.Close(); err == nil {
			err = filehost.Convert(cerr, "copy database")
		}
	}()
	const block = 16 << 20 // few enough for a cancel to be soon
	for done := int64(0); done < size; done += block {
		if d.task.Err() != nil {
			return false, sqlite3.INTERRUPT
		}
		if _, err := io.CopyN(to, from, min(block, size-done)); err != nil {
			if filehost.KindOf(err) == fault.StorageFull {
				return false, filehost.Convert(err, "copy database")
			}
			return false, filehost.Convert(to.Truncate(0), "copy database")
		}
	}
	_, err = to.WriteAt([]byte{1, 1}, 18)
	return true, filehost.Convert(err, "copy database")
}
