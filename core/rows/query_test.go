package rows_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
)

// openTable opens a database with a table t of n rows (i, text of i).
func openTable(t *testing.T, n int) host.DB {
	t.Helper()
	db, err := sqlitehost.OpenFile(filepath.Join(t.TempDir(), "x.db"), host.Create)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if err := db.Exec("CREATE TABLE t (i INTEGER PRIMARY KEY, s TEXT)"); err != nil {
		t.Fatal(err)
	}
	if _, err := rows.Exec(db, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) "+
		"INSERT INTO t SELECT i, 'text ' || i FROM n WHERE i <= ?1", n); err != nil {
		t.Fatal(err)
	}
	return db
}

func TestQuery(t *testing.T) {
	t.Parallel()
	const n = 20_000 // several batches of 64 KiB
	db := openTable(t, n)
	next := int64(1)
	for row, err := range rows.Query(db, "SELECT i, s FROM t WHERE i > ? ORDER BY i", 0) {
		if err != nil {
			t.Fatal(err)
		}
		if row[0].Int() != next || row[1].String() != fmt.Sprint("text ", next) {
			t.Fatalf("row %d is %d %s", next, row[0].Int(), row[1])
		}
		next++
	}
	if next != n+1 {
		t.Errorf("%d rows", next-1)
	}
	for row, err := range rows.Query(db, "SELECT i FROM t ORDER BY i") {
		if err != nil || row[0].Int() != 1 {
			t.Fatal(row, err)
		}
		break // the statement is closed all the same: the table can be dropped
	}
	if err := db.Exec("DROP TABLE t"); err != nil {
		t.Error(err)
	}
	var got []error
	for row, err := range rows.Query(db, "SELECT i FROM t") {
		if row != nil {
			t.Error(row)
		}
		got = append(got, err)
	}
	if len(got) != 1 || got[0] == nil {
		t.Errorf("%v", got)
	}
}

func TestEachWithOneStatement(t *testing.T) {
	t.Parallel()
	db := openTable(t, 5)
	st, err := db.Prepare("SELECT s FROM t WHERE i >= ? ORDER BY i")
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	for _, from := range []int64{4, 1, 6} {
		var list []string
		for row, err := range rows.Each(st, rows.Pack(nil, from)) {
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, row[0].String())
		}
		if want := int(6 - from); len(list) != want {
			t.Errorf("from %d: %q", from, list)
		}
	}
}

func TestOne(t *testing.T) {
	t.Parallel()
	db := openTable(t, 3)
	row, err := rows.One(db, "SELECT s, i FROM t ORDER BY i DESC")
	if err != nil || row[0].String() != "text 3" || row[1].Int() != 3 {
		t.Error(row, err)
	}
	if row, err := rows.One(db, "SELECT s FROM t WHERE i = 9"); row != nil || err != nil {
		t.Error(row, err)
	}
	if _, err := rows.One(db, "SELECT nothing FROM t"); err == nil {
		t.Error("no error")
	}
	if n, err := rows.IntOf(db, "SELECT count(*) FROM t WHERE s LIKE ?", "text%"); n != 3 || err != nil {
		t.Error(n, err)
	}
	if n, err := rows.IntOf(db, "SELECT i FROM t WHERE i = 9"); n != 0 || err != nil {
		t.Error(n, err)
	}
}

func TestTransaction(t *testing.T) {
	t.Parallel()
	db := openTable(t, 3)
	left := func() (ids []int64) {
		for row, err := range rows.Query(db, "SELECT i FROM t ORDER BY i") {
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, row[0].Int())
		}
		return ids
	}
	remove := func(id int, err error) error {
		return rows.Transaction(db, func() error {
			if n, err := rows.Exec(db, "DELETE FROM t WHERE i = ?", id); n != 1 || err != nil {
				t.Errorf("%d rows, %v", n, err)
			}
			return err
		})
	}
	broken := errors.New("broken")
	if err := remove(1, broken); err != broken || !slices.Equal(left(), []int64{1, 2, 3}) {
		t.Error(err, left())
	}
	if err := remove(2, nil); err != nil || !slices.Equal(left(), []int64{1, 3}) {
		t.Error(err, left())
	}
	if err := db.Exec("PRAGMA foreign_keys = on; CREATE TABLE c (t REFERENCES t(i) DEFERRABLE INITIALLY DEFERRED)"); err != nil {
		t.Fatal(err)
	}
	err := rows.Transaction(db, func() error { return db.Exec("INSERT INTO c VALUES (99)") })
	if n, _ := rows.IntOf(db, "SELECT count(*) FROM c"); err == nil || n != 0 {
		t.Errorf("a commit that fails leaves %d rows, %v", n, err)
	}
	if err := rows.Transaction(db, func() error { return nil }); err != nil {
		t.Errorf("the next transaction: %v", err)
	}
}
