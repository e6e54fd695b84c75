package sqlitehost_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/hostrunner/filehost"
	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
)

// openFile opens a database that is closed with the test.
func openFile(t testing.TB, path string, mode host.OpenMode) *sqlitehost.DB {
	t.Helper()
	db, err := sqlitehost.OpenFile(path, mode)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// newFile returns a closed database in WAL mode with one row in t.
func newFile(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.db")
	db := openFile(t, path, host.Create)
	coretest.Must(t, db.Exec("CREATE TABLE t (a); INSERT INTO t VALUES (1)"))
	coretest.Must(t, db.Close())
	return path
}

// folder returns the content of all files of a folder.
func folder(t testing.TB, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	entries, err := os.ReadDir(dir)
	coretest.Must(t, err)
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		coretest.Must(t, err)
		files[e.Name()] = string(b)
	}
	return files
}

func sum(t testing.TB, db host.DB) int64 {
	t.Helper()
	n, err := rows.IntOf(db, "SELECT sum(a) FROM t")
	coretest.Must(t, err)
	return n
}

func python(t testing.TB, script string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3 to be the other program")
	}
	out, err := exec.Command(path, append([]string{"-c", script}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("python: %v\n%s", err, out)
	}
	return string(bytes.TrimSpace(out))
}

func TestOtherProgramsReadAndWrite(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	db := openFile(t, path, host.ReadWrite)
	coretest.Must(t, db.Exec("INSERT INTO t VALUES (10)"))
	const script = `
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)
print(db.execute("select sum(a) from t").fetchone()[0])
try:
    db.execute("insert into t values (100)")
    print("written")
except sqlite3.OperationalError as e:
    print(e)
`
	if got := python(t, script, path); got != "11\nwritten" {
		t.Errorf("python said %q", got)
	}
	if n := sum(t, db); n != 111 {
		t.Errorf("we see %d", n)
	}
	coretest.Must(t, db.Exec("BEGIN IMMEDIATE; INSERT INTO t VALUES (1000)"))
	if got := python(t, script, path); got != "111\ndatabase is locked" {
		t.Errorf("python said %q while we wrote", got)
	}
	coretest.Must(t, db.Exec("COMMIT"))
	coretest.Must(t, db.Close())
	if names := slices.Collect(maps.Keys(folder(t, filepath.Dir(path)))); len(names) != 1 {
		t.Errorf("left after the last close: %q", names)
	}
}

func TestExclusiveHolderIsBusy(t *testing.T) {
	t.Parallel()
	for _, holder := range []string{
		"PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE",                                     // a rollback journal
		"PRAGMA journal_mode = DELETE; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; INSERT INTO t VALUES (2)", // as the desktop program does
	} {
		path := newFile(t)
		other := openFile(t, path, host.ReadWrite)
		coretest.Must(t, other.Exec(holder))
		for _, mode := range []host.OpenMode{host.ReadWrite, host.ReadOnly, host.Create} {
			start := time.Now()
			db, err := sqlitehost.OpenFile(path, mode)
			if err == nil {
				db.Close()
			}
			if fault.KindOf(err) != fault.Busy {
				t.Errorf("mode %d: %v", mode, err)
			}
			if d := time.Since(start); d > 4*time.Second {
				t.Errorf("mode %d: took %v", mode, d)
			}
		}
		if err := sqlitehost.Settle(path); fault.KindOf(err) != fault.Busy {
			t.Errorf("settle: %v", err)
		}
	}
}

// TestReadOnlyLeavesNothing covers every state that a program can leave a file in.
func TestReadOnlyLeavesNothing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		files []string
		want  int64
	}{
		{"closed", []string{""}, 1},
		{"killed", []string{"", "-wal"}, 3},
		{"killed, with index", []string{"", "-wal", "-shm"}, 3},
		{"log removed", []string{"", "-shm"}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := newFile(t)
			running := openFile(t, path, host.ReadWrite)
			coretest.Must(t, running.Exec("INSERT INTO t VALUES (2)"))
			dir := t.TempDir()
			for _, suffix := range c.files { // a copy of the files of a running program is what a killed one leaves
				b, err := os.ReadFile(path + suffix)
				coretest.Must(t, err)
				coretest.Must(t, os.WriteFile(filepath.Join(dir, "x.db"+suffix), b, 0o600))
			}
			before := folder(t, dir)
			db := openFile(t, filepath.Join(dir, "x.db"), host.ReadOnly)
			if n := sum(t, db); n != c.want {
				t.Errorf("sum is %d, want %d", n, c.want)
			}
			coretest.WantKind(t, db.Exec("INSERT INTO t VALUES (5)"), fault.NotWritable)
			coretest.Must(t, db.CopyInto("copy.db", true))
			coretest.WantKind(t, db.Exec("INSERT INTO t VALUES (5)"), fault.NotWritable)
			coretest.Must(t, db.Close())
			cp := openFile(t, filepath.Join(dir, "copy.db"), host.ReadOnly)
			if n := sum(t, cp); n != c.want {
				t.Errorf("sum of the copy is %d, want %d", n, c.want)
			}
			coretest.Must(t, cp.Close())
			coretest.Must(t, os.Remove(filepath.Join(dir, "copy.db")))
			after := folder(t, dir)
			delete(before, "x.db-shm") // its locks and marks change with every reader
			delete(after, "x.db-shm")
			if !maps.Equal(before, after) {
				t.Errorf("files before: %q, after: %q", slices.Collect(maps.Keys(before)), slices.Collect(maps.Keys(after)))
			}
		})
	}
}

func TestReadOnlyBesideWriter(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	writer := openFile(t, path, host.ReadWrite)
	reader := openFile(t, path, host.ReadOnly)
	coretest.Must(t, writer.Exec("INSERT INTO t VALUES (2)"))
	if n := sum(t, reader); n != 3 {
		t.Errorf("the reader sees %d", n)
	}
	coretest.Must(t, reader.Close())
	coretest.Must(t, writer.Exec("INSERT INTO t VALUES (3)"))
}

func TestOpeningChangesNothing(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]fault.Kind{
		"damaged-truncated": fault.DamagedFile, "damaged-not-a-database": fault.DamagedFile, "damaged-format": fault.DamagedFile,
		"damaged-zero-bytes": 0, "plain-journal": 0, "stock": 0, "unsupported-ver-19": 0,
	} {
		for _, mode := range []host.OpenMode{host.ReadOnly, host.ReadWrite, host.Create} {
			dir := t.TempDir()
			b, err := os.ReadFile(filepath.Join("testdata", name+".anki2"))
			coretest.Must(t, err)
			path := filepath.Join(dir, host.Collection)
			coretest.Must(t, os.WriteFile(path, b, 0o644))
			before := folder(t, dir)
			db, err := sqlitehost.OpenFile(path, mode)
			if fault.KindOf(err) != kind {
				t.Errorf("%s, mode %d: %v", name, mode, err)
			}
			if err == nil {
				coretest.Must(t, db.Exec("SELECT * FROM sqlite_schema; BEGIN; SELECT 1; COMMIT"))
				coretest.Must(t, db.Close())
			}
			if after := folder(t, dir); !maps.Equal(before, after) {
				t.Errorf("%s, mode %d: the file has changed; there are %q", name, mode, slices.Collect(maps.Keys(after)))
			}
		}
	}
}

func TestWritingSwitchesToLog(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("testdata/plain-journal.anki2")
	coretest.Must(t, err)
	path := filepath.Join(t.TempDir(), host.Collection)
	coretest.Must(t, os.WriteFile(path, b, 0o644))
	db := openFile(t, path, host.ReadWrite)
	coretest.Must(t, db.Exec("BEGIN IMMEDIATE; UPDATE col SET mod = mod; COMMIT"))
	row, err := rows.One(db, "PRAGMA journal_mode")
	coretest.Must(t, err)
	if got := row[0].String(); got != "wal" {
		t.Errorf("journal mode is %s", got)
	}
	coretest.Must(t, db.Close())
	if b, err := os.ReadFile(path); err != nil || b[18] != 2 {
		t.Errorf("the header says %d, %v", b[18], err)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	db := openFile(t, newFile(t), host.ReadWrite)
	for pragma, want := range map[string]string{
		"synchronous": "2", "temp_store": "1", "cache_size": "-16000", "busy_timeout": "5000", "locking_mode": "normal", "foreign_keys": "0",
	} {
		row, err := rows.One(db, "PRAGMA "+pragma)
		coretest.Must(t, err)
		if got := fmt.Sprint(row[0].Any()); got != want {
			t.Errorf("%s is %s, want %s", pragma, got, want)
		}
	}
}

const endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"

func TestCancel(t *testing.T) {
	t.Parallel()
	s := sqlitehost.New(t.TempDir())
	db := coretest.OpenDB(t, s, host.Collection, host.Create)
	coretest.Must(t, db.Exec("CREATE TABLE t (a); BEGIN IMMEDIATE; INSERT INTO t VALUES (1)"))
	ctx, cancel := context.WithCancel(context.Background())
	s.SetContext(ctx)
	time.AfterFunc(20*time.Millisecond, cancel)
	start := time.Now()
	_, err := rows.One(db, endless)
	coretest.WantKind(t, err, fault.Cancelled)
	coretest.WantKind(t, db.Exec("INSERT INTO t VALUES (2)"), fault.Cancelled)
	_, err = db.Prepare("SELECT 1")
	coretest.WantKind(t, err, fault.Cancelled)
	if d := time.Since(start); d > 10*time.Second {
		t.Errorf("cancelling took %v", d)
	}
	coretest.Must(t, db.Rollback())
	s.SetContext(context.Background())
	if n, err := rows.IntOf(db, "SELECT count(*) FROM t"); n != 0 || err != nil {
		t.Errorf("after the rollback: %d, %v", n, err)
	}
}

func TestCancelledDatabaseCloses(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	db := openFile(t, path, host.ReadWrite)
	coretest.Must(t, db.Exec("INSERT INTO t VALUES (2); BEGIN; INSERT INTO t VALUES (3)"))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	db.SetContext(ctx)
	coretest.Must(t, db.Close())
	if files := folder(t, filepath.Dir(path)); len(files) != 1 {
		t.Errorf("%d files are left", len(files))
	}
	if n := sum(t, openFile(t, path, host.ReadOnly)); n != 3 {
		t.Errorf("sum is %d", n)
	}
}

// TestCancelWaiting: waiting for a lock ends with the task as well.
func TestCancelWaiting(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	holder, waiting := openFile(t, path, host.ReadWrite), openFile(t, path, host.ReadWrite)
	coretest.Must(t, holder.Exec("BEGIN IMMEDIATE"))
	ctx, cancel := context.WithCancel(context.Background())
	waiting.SetContext(ctx)
	time.AfterFunc(20*time.Millisecond, cancel)
	start := time.Now()
	coretest.WantKind(t, waiting.Exec("BEGIN IMMEDIATE"), fault.Cancelled)
	if d := time.Since(start); d > 10*time.Second {
		t.Errorf("took %v", d)
	}
}

func TestSettle(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	running := openFile(t, path, host.ReadWrite)
	coretest.Must(t, running.Exec("INSERT INTO t VALUES (2)"))
	coretest.WantKind(t, sqlitehost.Settle(path), fault.Busy)
	dir := t.TempDir()
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(path + suffix)
		coretest.Must(t, err)
		coretest.Must(t, os.WriteFile(filepath.Join(dir, "x.db"+suffix), b, 0o600))
	}
	coretest.Must(t, sqlitehost.Settle(filepath.Join(dir, "x.db")))
	if files := folder(t, dir); len(files) != 1 {
		t.Errorf("%d files are left", len(files))
	}
	if n := sum(t, openFile(t, filepath.Join(dir, "x.db"), host.ReadOnly)); n != 3 {
		t.Errorf("sum is %d", n)
	}
}

// What a program that was killed while it wrote has left is rolled back, also by who only reads.
func TestReadOnlyAfterKill(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	python(t, `
import os, sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("pragma journal_mode = delete")
db.execute("begin")
db.executemany("insert into t values (?)", [(i,) for i in range(2000)])
db.execute("commit")
db.execute("pragma cache_size = 2")
db.execute("begin")
db.execute("update t set a = a + 1000000")
os._exit(0)
`, path)
	left := folder(t, filepath.Dir(path))
	if left["x.db-journal"] == "" {
		t.Fatalf("no journal was left: %q", slices.Collect(maps.Keys(left)))
	}
	if n := sum(t, openFile(t, path, host.ReadOnly)); n != 1+1999*1000 {
		t.Errorf("sum is %d", n)
	}
	if files := folder(t, filepath.Dir(path)); len(files) != 1 {
		t.Errorf("left: %q", slices.Collect(maps.Keys(files)))
	}
}

// TestReplaceAfterKill replaces a database whose program was killed with commits in its log, and looks at the folder at
// every step: what a loss of power would leave is the whole old or the whole new database.
func TestReplaceAfterKill(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	running := openFile(t, path, host.ReadWrite)
	coretest.Must(t, running.Exec("INSERT INTO t VALUES (2)"))
	dir := t.TempDir()
	target := filepath.Join(dir, host.Collection)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		b, err := os.ReadFile(path + suffix)
		coretest.Must(t, err)
		coretest.Must(t, os.WriteFile(target+suffix, b, 0o600))
	}
	staged := openFile(t, filepath.Join(dir, "cardferry.tmp", "new"), host.Create)
	coretest.Must(t, staged.Exec("CREATE TABLE t (a); INSERT INTO t VALUES (100)"))
	coretest.Must(t, staged.Close())

	look := func(step string, want int64) {
		t.Helper()
		at := t.TempDir()
		for name, content := range folder(t, dir) {
			coretest.Must(t, os.WriteFile(filepath.Join(at, name), []byte(content), 0o600))
		}
		if n := sum(t, openFile(t, filepath.Join(at, host.Collection), host.ReadWrite)); n != want {
			t.Errorf("%s: sum is %d, want %d", step, n, want)
		}
	}
	files := filehost.New(dir, func(path string) error {
		look("before", 3)
		err := sqlitehost.Settle(path)
		look("settled", 3)
		return err
	})
	coretest.Must(t, files.Replace("cardferry.tmp/new", host.Collection))
	look("replaced", 100)
	if n := len(folder(t, dir)); n != 1 {
		t.Errorf("%d files are left", n)
	}
}
