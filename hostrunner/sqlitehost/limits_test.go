package sqlitehost_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/hostrunner/hosttest"
	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
)

func TestFullDisk(t *testing.T) {
	t.Parallel()
	path := filepath.Join(hosttest.TinyDisk(t, 1<<20), "x.db")
	db := openFile(t, path, host.Create)
	coretest.Must(t, db.Exec("CREATE TABLE t (a); INSERT INTO t VALUES (1)"))
	const fill = "INSERT INTO t SELECT zeroblob(100000) FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 50) SELECT * FROM n)"
	coretest.WantKind(t, db.Exec(fill), fault.StorageFull)
	coretest.WantKind(t, rows.Transaction(db, func() error { return db.Exec(fill) }), fault.StorageFull)
	coretest.WantKind(t, db.CopyInto("../x/copy.db", true), fault.InvalidInput)
	if n, err := rows.IntOf(db, "SELECT count(*) FROM t"); n != 1 || err != nil {
		t.Errorf("%d rows, %v", n, err)
	}
	_ = db.Close() // may have no room for the checkpoint; the log then stays
	db = openFile(t, path, host.ReadOnly)
	if row, err := rows.One(db, "PRAGMA integrity_check"); err != nil || row[0].String() != "ok" {
		t.Errorf("integrity: %v, %v", row, err)
	}
	if n, err := rows.IntOf(db, "SELECT count(*) FROM t"); n != 1 || err != nil {
		t.Errorf("%d rows, %v", n, err)
	}
}

// TestDiskFullFromTheStart: not even the log's index fits.
func TestDiskFullFromTheStart(t *testing.T) {
	t.Parallel()
	dir := hosttest.TinyDisk(t, 256<<10)
	path := filepath.Join(dir, "x.db")
	db := openFile(t, path, host.Create)
	coretest.Must(t, db.Exec("CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(30000))"))
	coretest.Must(t, db.Close())
	fillUp(t, filepath.Join(dir, "ballast"))
	db, err := sqlitehost.OpenFile(path, host.ReadWrite)
	if err == nil {
		err = db.Exec("INSERT INTO t VALUES (zeroblob(30000))")
		db.Close()
	}
	coretest.WantKind(t, err, fault.StorageFull)
	ro := openFile(t, path, host.ReadOnly)
	coretest.WantKind(t, ro.CopyInto("copy.db", true), fault.StorageFull)
	if _, err := os.Stat(filepath.Join(dir, "copy.db")); err == nil {
		t.Error("half a copy is left")
	}
}

// fillUp writes a file until the disk is full.
func fillUp(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	coretest.Must(t, err)
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
}

func TestReadOnlyFolder(t *testing.T) {
	if !hosttest.Unprivileged(t) {
		return
	}
	path := newFile(t)
	running := openFile(t, path, host.ReadWrite)
	coretest.Must(t, running.Exec("INSERT INTO t VALUES (2)"))
	for _, c := range []struct {
		name  string
		files []string
		mode  os.FileMode // of the file
		want  int64
	}{
		{"closed", []string{""}, 0o644, 1},
		{"closed, file read-only", []string{""}, 0o444, 1},
		{"killed, with index", []string{"", "-wal", "-shm"}, 0o644, 3},
		{"killed", []string{"", "-wal"}, 0o644, 3},
	} {
		dir := t.TempDir()
		for _, suffix := range c.files {
			b, err := os.ReadFile(path + suffix)
			coretest.Must(t, err)
			coretest.Must(t, os.WriteFile(filepath.Join(dir, "x.db"+suffix), b, c.mode))
		}
		coretest.Must(t, os.Chmod(dir, 0o555))
		t.Cleanup(func() { os.Chmod(dir, 0o755) })

		db, err := sqlitehost.OpenFile(filepath.Join(dir, "x.db"), host.ReadOnly)
		if err != nil {
			t.Errorf("%s: read only: %v", c.name, err)
		} else {
			if n := sum(t, db); n != c.want {
				t.Errorf("%s: sum is %d", c.name, n)
			}
			coretest.WantKind(t, db.CopyInto("copy.db", true), fault.NotWritable)
			coretest.Must(t, db.Close())
		}
		db, err = sqlitehost.OpenFile(filepath.Join(dir, "x.db"), host.ReadWrite)
		if err == nil {
			err = db.Exec("INSERT INTO t VALUES (5)")
			db.Close()
		}
		if len(c.files) < 3 && fault.KindOf(err) != fault.NotWritable {
			t.Errorf("%s: read and write: %v", c.name, err)
		}
		_, err = sqlitehost.OpenFile(filepath.Join(dir, "new.db"), host.Create)
		coretest.WantKind(t, err, fault.NotWritable)
		_, err = sqlitehost.OpenFile(filepath.Join(dir, "sub/new.db"), host.Create)
		coretest.WantKind(t, err, fault.NotWritable)
	}
}

func TestUnreadableFile(t *testing.T) {
	if !hosttest.Unprivileged(t) {
		return
	}
	path := newFile(t)
	coretest.Must(t, os.Chmod(path, 0))
	for _, mode := range []host.OpenMode{host.ReadOnly, host.ReadWrite, host.Create} {
		_, err := sqlitehost.OpenFile(path, mode)
		coretest.WantKind(t, err, fault.NotWritable)
	}
}

func TestFolderAndLinks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, err := sqlitehost.OpenFile(dir, host.ReadWrite)
	coretest.WantKind(t, err, fault.NotFound)
	pipe := filepath.Join(t.TempDir(), "pipe")
	if exec.Command("mkfifo", pipe).Run() == nil {
		for _, mode := range []host.OpenMode{host.ReadOnly, host.ReadWrite, host.Create} {
			_, err := sqlitehost.OpenFile(pipe, mode)
			coretest.WantKind(t, err, fault.UnsupportedFile)
		}
	}

	// A user's link to a collection elsewhere is followed, with its journals beside the file it leads to.
	path := newFile(t)
	link := filepath.Join(dir, host.Collection)
	if err := os.Symlink(path, link); err != nil {
		t.Skip(err)
	}
	db := openFile(t, link, host.ReadWrite)
	coretest.Must(t, db.Exec("INSERT INTO t VALUES (2)"))
	ro := openFile(t, link, host.ReadOnly)
	if n := sum(t, ro); n != 3 {
		t.Errorf("sum is %d", n)
	}
	coretest.Must(t, ro.Close())
	coretest.Must(t, db.Close())
	if files := folder(t, dir); len(files) != 1 {
		t.Errorf("%d files beside the link", len(files))
	}
}

// SQLite's limit for paths is lower than the system's.
func TestLongPath(t *testing.T) {
	t.Parallel()
	for length, want := range map[int]fault.Kind{1016: 0, 1017: fault.InvalidInput, 2000: fault.InvalidInput} {
		dir := t.TempDir()
		for rest := length - len("/x.db") - len(dir); rest > 0; rest = length - len("/x.db") - len(dir) {
			part := min(rest-1, 100)
			if rest-1-part == 1 { // a separator needs a name after it
				part--
			}
			dir += "/" + strings.Repeat("d", part)
		}
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Skip(err)
		}
		db, err := sqlitehost.OpenFile(filepath.Join(dir, "x.db"), host.Create)
		if want != 0 {
			coretest.WantKind(t, err, want)
			continue
		}
		coretest.Must(t, err)
		coretest.Must(t, db.Exec("CREATE TABLE t (a)"))
		coretest.Must(t, db.Close())
	}
}
