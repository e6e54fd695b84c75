package sqlitehost_test

import (
	"os"
	"testing"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
)

// TestMemory: a collection file becomes a database in memory, which several connections share, and a file again.
func TestMemory(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile("testdata/stock.anki2")
	coretest.Must(t, err)
	sqlitehost.CreateMemory(t.Name(), file)
	db, err := sqlitehost.OpenMemory(t.Name(), host.ReadWrite)
	coretest.Must(t, err)
	defer db.Close()
	coretest.Must(t, collection.CheckIntegrity(db))
	coretest.Must(t, db.Exec("UPDATE col SET usn = 77"))
	reader, err := sqlitehost.OpenMemory(t.Name(), host.ReadOnly)
	coretest.Must(t, err)
	defer reader.Close()
	if n, err := rows.IntOf(reader, "SELECT usn FROM col"); err != nil || n != 77 {
		t.Fatalf("another connection reads %d, %v", n, err)
	}
	if reader.Exec("UPDATE col SET usn = 78") == nil {
		t.Fatal("a read-only connection wrote")
	}
	coretest.WantKind(t, db.CopyInto("copy.anki2", true), fault.InvalidInput)

	copied, err := reader.Bytes()
	coretest.Must(t, err)
	sqlitehost.DeleteMemory(t.Name())
	sqlitehost.CreateMemory(t.Name(), copied)
	defer sqlitehost.DeleteMemory(t.Name())
	again, err := sqlitehost.OpenMemory(t.Name(), host.ReadWrite)
	coretest.Must(t, err)
	defer again.Close()
	if n, err := rows.IntOf(again, "SELECT usn FROM col"); err != nil || n != 77 {
		t.Fatalf("the copy reads %d, %v", n, err)
	}
}

// TestMemoryRefuses: what is no database, or has no name, is an error.
func TestMemoryRefuses(t *testing.T) {
	t.Parallel()
	sqlitehost.CreateMemory(t.Name(), []byte("this is no database, but long enough to have a header of a hundred bytes if it were one, which it is not"))
	defer sqlitehost.DeleteMemory(t.Name())
	_, err := sqlitehost.OpenMemory(t.Name(), host.ReadWrite)
	coretest.WantKind(t, err, fault.DamagedFile)
	if _, err := sqlitehost.OpenMemory("no such name", host.ReadWrite); err == nil {
		t.Fatal("a name without a database was opened")
	}
}

// TestMemoryTempTable changes much of a TEMP table in one statement, of which SQLite keeps what was there before outside the table, to take
// the statement back.
func TestMemoryTempTable(t *testing.T) {
	t.Parallel()
	sqlitehost.CreateMemory(t.Name(), nil)
	defer sqlitehost.DeleteMemory(t.Name())
	db, err := sqlitehost.OpenMemory(t.Name(), host.ReadWrite)
	coretest.Must(t, err)
	defer db.Close()
	for _, sql := range []string{
		"CREATE TEMP TABLE copies (id INTEGER PRIMARY KEY, text)",
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) INSERT INTO copies SELECT i, hex(randomblob(100)) FROM n",
		"BEGIN; UPDATE copies SET text = 'before'",
		"INSERT OR ROLLBACK INTO copies SELECT -id, text FROM copies",
		"UPDATE copies SET text = hex(randomblob(100))",
	} {
		if err := db.Exec(sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	if err := db.Exec("UPDATE copies SET id = CASE WHEN id < 900 THEN id + 5000 ELSE 1 END"); err == nil {
		t.Error("two rows have one id")
	}
	if n, err := rows.IntOf(db, "SELECT count(*) FROM copies WHERE abs(id) <= 1000 AND length(text) = 200"); n != 2000 || err != nil {
		t.Errorf("%d rows are as they were: %v", n, err)
	}
}
