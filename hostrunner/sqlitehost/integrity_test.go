package sqlitehost_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
)

// TestIndexOfOtherRows: an index that is a sound tree, but of other rows than its table, is found out in whatever way it differs.
// Such an index is made by giving the table that of another one.
func TestIndexOfOtherRows(t *testing.T) {
	t.Parallel()
	const fill = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) INSERT INTO %[1]s SELECT i, i * 7 %% 50, iif(i %% 9, i %% 3, -i), 'x' || i FROM n;"
	for _, c := range []struct{ name, index, change string }{
		{"the same rows", "a", ""},
		{"the same rows, two columns", "a, b", ""},
		{"the same rows, partial", "b WHERE b != 0", ""},
		{"the same rows, text", "c", ""},
		{"the same rows, descending", "a DESC", ""},
		{"the same rows, an expression", "a + b", ""},
		{"another value", "a", "UPDATE other SET a = 51 WHERE id = 1000"},
		{"another value of the second column", "a, b", "UPDATE other SET b = 51 WHERE id = 1000"},
		{"no value", "a", "UPDATE other SET a = NULL WHERE id = 1000"},
		{"two values exchanged", "a", "UPDATE other SET a = iif(id = 1, 14, 7) WHERE id IN (1, 2)"},
		{"a row less", "a", "DELETE FROM other WHERE id = 2000"},
		{"a row more", "a", "INSERT INTO other VALUES (-5, 1, 1, '')"},
		{"another row", "a", "UPDATE other SET id = 2001 WHERE id = 7"},
		{"no rows", "a", "DELETE FROM other"},
		{"a text", "c", "UPDATE other SET c = 'y' WHERE id = 1000"},
		{"partial", "b WHERE b != 0", "UPDATE other SET b = 0 WHERE id = 1000"},
		{"descending", "a DESC", "UPDATE other SET a = 51 WHERE id = 1000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "x.db")
			db := openFile(t, path, host.Create)
			columns, where, partial := strings.Cut(c.index, " WHERE ")
			if partial {
				where = " WHERE " + where
			}
			for _, table := range []string{"t", "other"} {
				coretest.Must(t, db.Exec(fmt.Sprintf("CREATE TABLE %[1]s (id INTEGER PRIMARY KEY, a INTEGER, b INTEGER, c TEXT); "+fill, table)))
			}
			coretest.Must(t, db.Exec(c.change))
			for _, table := range []string{"t", "other"} {
				coretest.Must(t, db.Exec(fmt.Sprintf("CREATE INDEX i_%s ON %s (%s)%s", table, table, columns, where)))
			}
			coretest.Must(t, db.Exec(`PRAGMA writable_schema = ON;
				UPDATE sqlite_schema SET rootpage = (SELECT sum(rootpage) FROM sqlite_schema WHERE name IN ('i_t', 'i_other')) - rootpage WHERE name IN ('i_t', 'i_other')`))
			coretest.Must(t, db.Close())

			db = openFile(t, path, host.ReadOnly)
			for range 2 { // with another connection, then without
				lines, err := db.CheckIntegrity(5)
				if err != nil || (len(lines) > 0) != (c.change != "") || len(lines) > 5 {
					t.Errorf("%d complaints: %q, %v", len(lines), lines, err)
				}
				db.Alone()
			}
			row, err := rows.One(db, "PRAGMA integrity_check(5)")
			if err != nil || (row[0].String() != "ok") != (c.change != "") {
				t.Errorf("SQLite's own check: %s, %v", row[0].String(), err)
			}
		})
	}
}

// TestTableOfAnyCase: SQLite takes a table whose entry in the schema says so in other letters, and so does the check.
func TestTableOfAnyCase(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	db := openFile(t, path, host.Create)
	coretest.Must(t, db.Exec("CREATE TABLE t (a INTEGER); CREATE TABLE other (a INTEGER); CREATE TABLE c (a INTEGER); CREATE TABLE d (a INTEGER); INSERT INTO t VALUES (1), (2); INSERT INTO other VALUES (3), (4); CREATE INDEX i ON t (a); CREATE INDEX j ON other (a)"))
	coretest.Must(t, db.Exec(`PRAGMA writable_schema = ON;
		UPDATE sqlite_schema SET rootpage = (SELECT sum(rootpage) FROM sqlite_schema WHERE name IN ('i', 'j')) - rootpage WHERE name IN ('i', 'j');
		UPDATE sqlite_schema SET type = 'Table' WHERE name IN ('t', 'other')`))
	coretest.Must(t, db.Close())
	db = openFile(t, path, host.ReadOnly)
	if lines, err := db.CheckIntegrity(5); err != nil || len(lines) == 0 {
		t.Errorf("complaints: %q, %v", lines, err)
	}
}

// TestNotOfAnki: what would make the check in parts hard is checked as a whole.
func TestNotOfAnki(t *testing.T) {
	t.Parallel()
	var many strings.Builder
	for i := range 60 {
		fmt.Fprintf(&many, "CREATE TABLE t%[1]d (a INTEGER); CREATE INDEX i%[1]d ON t%[1]d (a);", i)
	}
	for name, sql := range map[string]string{
		"many tables":             "BEGIN; " + many.String() + " COMMIT",
		"a name with a zero byte": "CREATE TABLE t (a UNIQUE); CREATE TABLE u (a UNIQUE); PRAGMA writable_schema = ON; UPDATE sqlite_schema SET name = name || char(0) || 'x' WHERE type = 'table'",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.db")
			db := openFile(t, path, host.Create)
			coretest.Must(t, db.Exec(sql))
			coretest.Must(t, db.Close())
			db = openFile(t, path, host.ReadOnly)
			if lines, err := db.CheckIntegrity(5); err != nil || len(lines) > 0 {
				t.Errorf("complaints: %q, %v", lines, err)
			}
			if parts, err := db.Parts(); err != nil || len(parts) > 0 {
				t.Errorf("%d parts, %v", len(parts), err)
			}
		})
	}
}
