package sqlitehost_test

import (
	"fmt"
	"testing"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
)

// all returns the rows of a query.
func all(t testing.TB, db host.DB, sql string, args ...any) (list []string) {
	t.Helper()
	for row, err := range rows.Query(db, sql, args...) {
		coretest.Must(t, err)
		var values []any
		for _, v := range row {
			values = append(values, v.Any())
		}
		list = append(list, fmt.Sprint(values))
	}
	return list
}

// TestKeptStatements: a statement that is prepared again is as new: with the columns of now, without values, for as many as use it
// at once.
func TestKeptStatements(t *testing.T) {
	t.Parallel()
	db := openFile(t, newFile(t), host.ReadWrite)
	coretest.Must(t, db.Exec("CREATE TABLE u (a); INSERT INTO u VALUES (1), (2)"))
	const everything, add = "SELECT * FROM u ORDER BY a", "INSERT INTO u (a) VALUES (?)"
	if got := fmt.Sprint(all(t, db, everything)); got != "[[1] [2]]" {
		t.Error(got)
	}
	coretest.Must(t, db.Exec("ALTER TABLE u ADD b DEFAULT 7"))
	if got := fmt.Sprint(all(t, db, everything)); got != "[[1 7] [2 7]]" {
		t.Errorf("with another column: %s", got)
	}
	coretest.Must(t, db.Exec("CREATE TEMP TABLE u (a); INSERT INTO temp.u VALUES (5)"))
	if got := fmt.Sprint(all(t, db, everything)); got != "[[5]]" {
		t.Errorf("behind another table: %s", got)
	}
	coretest.Must(t, db.Exec("DROP TABLE temp.u"))
	for i := range 40 { // more texts than are kept
		if got := fmt.Sprint(all(t, db, fmt.Sprint("SELECT ", i, " + ?"), i)); got != fmt.Sprintf("[[%d]]", 2*i) {
			t.Error(got)
		}
	}
	first, err := db.Prepare(add)
	coretest.Must(t, err)
	second, err := db.Prepare(add)
	coretest.Must(t, err)
	for i, st := range []host.Stmt{first, second} {
		_, err = st.Run(rows.Pack(nil, 10+i))
		coretest.Must(t, err)
		coretest.Must(t, st.Close())
		coretest.Must(t, st.Close())
		if _, err := st.Run(rows.Pack(nil, 1)); fault.KindOf(err) != fault.Closed {
			t.Errorf("after the close: %v", err)
		}
	}
	if _, err := rows.Exec(db, add); err == nil {
		t.Error("the value of another use is still there")
	}
	if _, _, err := db.ReadOnlyQuery(add, int64(3)); fault.KindOf(err) != fault.InvalidInput {
		t.Errorf("writing in a query: %v", err)
	}
	if got := fmt.Sprint(all(t, db, "SELECT a FROM u WHERE a > 2")); got != "[[10] [11]]" {
		t.Error(got)
	}
	// A failed run, and one that was not read to its end, leave nothing behind, not even a lock.
	coretest.Must(t, db.Exec("CREATE UNIQUE INDEX ix_u ON u (a)"))
	if _, err := rows.Exec(db, add, 10); err == nil {
		t.Error("twice the same")
	}
	for range rows.Query(db, everything) {
		break
	}
	_, err = rows.Exec(db, add, 12)
	coretest.Must(t, err)
	coretest.Must(t, db.Exec("DROP TABLE u"))
	coretest.Must(t, db.Close())
}
