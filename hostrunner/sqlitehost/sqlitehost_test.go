package sqlitehost_test

import (
	"testing"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/hostrunner/filehost"
	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
)

func TestContract(t *testing.T) {
	t.Parallel()
	coretest.TestSQL(t, func(t *testing.T) host.SQL { return sqlitehost.New(t.TempDir()) })
}

func TestStorage(t *testing.T) {
	t.Parallel()
	coretest.TestStorage(t, func(t *testing.T) (host.SQL, host.Files) {
		dir := t.TempDir()
		return sqlitehost.New(dir), filehost.New(dir, sqlitehost.Settle)
	})
}

// A log that the caller keeps grows past what SQLite would allow it, and is brought into the file when the caller says so: the next commit
// begins it anew.
func TestKeepLog(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	db := openFile(t, path, host.ReadWrite)
	db.KeepLog()
	coretest.Must(t, db.Exec("CREATE TABLE u (a)"))
	for range 3 {
		coretest.Must(t, db.Exec("INSERT INTO u SELECT randomblob(4000000)"))
	}
	if n := db.Logged(); n < 2000 {
		t.Errorf("after commits of 3,000 pages the log has %d", n)
	}
	coretest.Must(t, db.Checkpoint())
	coretest.Must(t, db.Exec("INSERT INTO t VALUES (4)"))
	if n := db.Logged(); n == 0 || n > 10 {
		t.Errorf("after the checkpoint and a small commit the log has %d pages", n)
	}
	coretest.Must(t, db.Close())
	if n := sum(t, openFile(t, path, host.ReadOnly)); n != 5 {
		t.Errorf("the sum is %d", n)
	}
}
