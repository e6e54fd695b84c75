package sqlitehost_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/hostrunner/hosttest"
	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
)

// A copy need not be compact, and is then one of the pages, with what a deletion has left in them, unless many are free.
func TestCopyOfPages(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	db := openFile(t, path, host.ReadWrite)
	coretest.Must(t, db.Exec("CREATE TABLE u (a); INSERT INTO u SELECT zeroblob(1000000); CREATE TABLE v (a); INSERT INTO v VALUES ('left behind'); DELETE FROM v"))
	left := func(name string, compact bool) bool {
		t.Helper()
		coretest.Must(t, db.CopyInto(name, compact))
		b, err := os.ReadFile(filepath.Join(filepath.Dir(path), name))
		coretest.Must(t, err)
		if b[18] != 1 || b[19] != 1 {
			t.Errorf("%s says that it has a log", name)
		}
		return bytes.Contains(b, []byte("left behind"))
	}
	if left("compact.db", true) || !left("pages.db", false) {
		t.Error("compact copies keep what was deleted, or the others are compact")
	}
	coretest.Must(t, db.Exec("DELETE FROM u"))
	if left("much free.db", false) {
		t.Error("free pages were copied")
	}
}

// What is in the log only, as somebody reads an older state, is in the copy.
func TestCopyBesideReader(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	db := openFile(t, path, host.ReadWrite)
	coretest.Must(t, db.Exec("INSERT INTO t VALUES (2)"))
	reader := openFile(t, path, host.ReadWrite)
	coretest.Must(t, reader.Exec("BEGIN; SELECT count(*) FROM t"))
	coretest.Must(t, db.Exec("INSERT INTO t VALUES (4)"))
	coretest.Must(t, db.CopyInto("copy.db", false))
	if n := sum(t, openFile(t, filepath.Join(filepath.Dir(path), "copy.db"), host.ReadOnly)); n != 7 {
		t.Errorf("sum of the copy is %d", n)
	}
	coretest.Must(t, reader.Rollback())
}

// A writer that is in a transaction does not keep a copy from being made.
func TestCopyBesideWriter(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	db := openFile(t, path, host.ReadWrite)
	writer := openFile(t, path, host.ReadWrite)
	coretest.Must(t, writer.Exec("BEGIN IMMEDIATE; INSERT INTO t VALUES (2)"))
	coretest.Must(t, db.CopyInto("copy.db", false))
	coretest.Must(t, writer.Exec("COMMIT"))
	if n := sum(t, openFile(t, filepath.Join(filepath.Dir(path), "copy.db"), host.ReadOnly)); n != 1 {
		t.Errorf("sum of the copy is %d", n)
	}
}

// A program that is just committing to a file with a rollback journal, which nobody can read meanwhile, is waited for.
func TestCopyBesideCommit(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	coretest.Must(t, sqlitehost.Settle(path)) // no log
	db, writer := openFile(t, path, host.ReadWrite), openFile(t, path, host.ReadWrite)
	coretest.Must(t, writer.Exec("PRAGMA journal_mode = DELETE"))
	coretest.Must(t, writer.Exec("BEGIN EXCLUSIVE"))
	committed := make(chan error)
	go func() {
		time.Sleep(300 * time.Millisecond)
		committed <- writer.Exec("COMMIT")
	}()
	err := db.CopyInto("copy.db", false)
	coretest.Must(t, errors.Join(err, <-committed))
}

// Copies are made while others commit: each is one state, and sound.
func TestCopyBesideCommits(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	db := openFile(t, path, host.ReadWrite)
	coretest.Must(t, db.Exec("CREATE TABLE u (a, b); CREATE INDEX i ON u (b)"))
	stop, failed := make(chan struct{}), make(chan error, 2)
	var writers sync.WaitGroup
	for range 2 {
		writer := openFile(t, path, host.ReadWrite)
		writers.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(time.Duration(rand.IntN(20)) * time.Millisecond): // sometimes a copy of pages is possible, sometimes not
				}
				err := writer.Exec("BEGIN IMMEDIATE; INSERT INTO t VALUES (1); INSERT INTO u VALUES (1, hex(randomblob(2000))); COMMIT")
				if err != nil {
					failed <- errors.Join(err, writer.Rollback())
					return
				}
			}
		})
	}
	for i := range 60 {
		name := fmt.Sprint("copy ", i, ".db")
		coretest.Must(t, db.CopyInto(name, false))
		cp := openFile(t, filepath.Join(filepath.Dir(path), name), host.ReadOnly)
		if lines, err := cp.CheckIntegrity(3); err != nil || len(lines) > 0 {
			t.Fatal(lines, err)
		}
		if n, err := rows.IntOf(cp, "SELECT (SELECT sum(a) FROM t) - (SELECT count(*) FROM u)"); n != 1 || err != nil {
			t.Fatalf("the copy has two states: %d, %v", n, err)
		}
		coretest.Must(t, cp.Close())
	}
	close(stop)
	writers.Wait()
	select {
	case err := <-failed:
		t.Error(err)
	default:
	}
}

// A full disk leaves nothing under the name.
func TestCopyWithoutRoom(t *testing.T) {
	t.Parallel()
	dir := hosttest.TinyDisk(t, 4<<20)
	db := openFile(t, filepath.Join(dir, "x.db"), host.Create)
	coretest.Must(t, db.Exec("CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(1500000)); PRAGMA wal_checkpoint(TRUNCATE)"))
	fillUp(t, filepath.Join(dir, "ballast"))
	for _, compact := range []bool{true, false} {
		coretest.WantKind(t, db.CopyInto("copy.db", compact), fault.StorageFull)
		if _, err := os.Stat(filepath.Join(dir, "copy.db")); !os.IsNotExist(err) {
			t.Error("something is left:", err)
		}
	}
}
