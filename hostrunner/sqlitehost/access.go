package sqlitehost

import (
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/cardferry/cardferry/core/host"
)

// access is how a file is opened.
//
// A plain read-only connection of a file in WAL mode creates -wal and -shm beside it and leaves them there, so it
// does not do for host.ReadOnly, and what does depends on what is beside the file.
type access uint8

const (
	// writable: reading and writing.
	writable access = iota
	// shared: read only, the way other programs read it. For files with a rollback journal, which need no help files
	// to be read, and for those whose -wal and -shm are there already, because a program has the file open.
	shared
	// frozen: SQLite's immutable, which reads no log and takes no locks. For files in WAL mode without a -wal: nobody has such a
	// file open and all of it is in the main file. A program that opens and changes it while we read would
	// confuse us; nobody does that to the staged files and backups that are opened this way, and the collection is read
	// only for moments.
	frozen
	// besideLog: for a -wal without a -shm, which a killed program leaves behind. (A program with locking_mode exclusive
	// has its files like this too, and then this is fault.Busy.) Immutable would miss what is in the log. An exclusive
	// connection keeps the log's index in memory, and one without a checkpoint on close leaves the log in place.
	besideLog
	// inMemory, inMemoryReadOnly: a database of this process without a file (OpenMemory).
	inMemory
	inMemoryReadOnly
)

func (a access) readOnly() bool { return a != writable && a != inMemory }

// memory reports whether there is no file.
func (a access) memory() bool { return a == inMemory || a == inMemoryReadOnly }

// accessOf finds out how to open path.
func accessOf(path string, mode host.OpenMode) (access, error) {
	if mode != host.ReadOnly {
		return writable, nil
	}
	if wal, err := hasLogFormat(path); err != nil || !wal {
		return shared, err
	}
	// SQLite names the journals after the file that a link leads to.
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return shared, err
	}
	if size, err := sizeOf(path + "-wal"); err != nil || size < 0 {
		return frozen, err
	}
	if size, err := sizeOf(path + "-shm"); err != nil || size <= 0 { // 0: its program found the disk full
		return besideLog, err
	}
	return shared, nil
}

// hasLogFormat reports whether the header says that the file is in WAL mode.
func hasLogFormat(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	var head [20]byte
	n, _ := f.ReadAt(head[:], 0) // what cannot be read is left to SQLite
	return n == len(head) && strings.HasPrefix(string(head[:]), "SQLite format 3\x00") && head[18] == 2 && head[19] == 2, nil
}

// sizeOf returns the size of a file, -1 if there is none.
func sizeOf(path string) (int64, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return -1, nil
	}
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// uriOf returns the URI under which SQLite opens path.
func uriOf(path string, how access) string {
	query, vfs := "mode=ro", vfsName
	switch how {
	case writable:
		// A log has in it what the file has: it gets the same permissions. SQLite takes "+" for itself.
		query = "mode=rw&modeof=" + strings.ReplaceAll(url.QueryEscape(path), "+", "%20")
	case besideLog, inMemory:
		query = "mode=rw"
	case frozen:
		query = "immutable=1&mode=ro"
	}
	if how.memory() {
		vfs = "memdb"
	}
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: query + "&vfs=" + vfs}
	if !strings.HasPrefix(u.Path, "/") {
		u.Path = "/" + u.Path // C:/…
	}
	return u.String()
}
