package sqlitehost_test

import (
	"fmt"
	"testing"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
)

func TestReadOnlyQuery(t *testing.T) {
	t.Parallel()
	db := openFile(t, newFile(t), host.ReadWrite)
	coretest.Must(t, db.Exec("CREATE INDEX ix ON t (a); INSERT INTO t VALUES ('x'), (NULL), (x'00'), (1.5)"))
	cols, got, err := db.ReadOnlyQuery("SELECT a, typeof(a) AS type FROM t WHERE a IS NOT ? ORDER BY rowid", int64(1))
	if err != nil || fmt.Sprint(cols, got) != "[a type] [[x text] [<nil> null] [[0] blob] [1.5 real]]" {
		t.Errorf("got %v %v, %v", cols, got, err)
	}
	for _, sql := range []string{
		"WITH n AS (SELECT 1 AS i) SELECT * FROM n", "VALUES (1), (2)", "SELECT value FROM json_each('[1,2]')",
		"PRAGMA table_info(t)", "SELECT * FROM pragma_table_info('t')", "PRAGMA user_version", "PRAGMA integrity_check", "EXPLAIN SELECT 1",
	} {
		if _, got, err := db.ReadOnlyQuery(sql); err != nil || len(got) == 0 {
			t.Errorf("%s: %v, %v", sql, got, err)
		}
	}
	for _, sql := range []string{
		"INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (1) RETURNING a", "UPDATE t SET a = 1", "DELETE FROM t", "REPLACE INTO t VALUES (1)",
		"CREATE TABLE u (a)", "CREATE TEMP TABLE u (a)", "DROP TABLE t", "ALTER TABLE t ADD b", "CREATE INDEX i ON t(a)",
		"ATTACH ':memory:' AS x", "ATTACH '/tmp/cardferry-attached.db' AS x", "DETACH main", "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT s", "RELEASE s",
		"VACUUM", "VACUUM INTO '/tmp/cardferry-vacuumed.db'", "REINDEX", "ANALYZE",
		"PRAGMA user_version = 3", "PRAGMA journal_mode = DELETE", "PRAGMA query_only = 1", "PRAGMA cache_size = 1", "PRAGMA writable_schema = 1",
		"PRAGMA wal_checkpoint", "PRAGMA optimize", "PRAGMA foreign_keys = ON", "PRAGMA temp_store_directory = '/'", "PRAGMA synchronous(0)",
		"SELECT 1; DELETE FROM t", "", "SELEC", "SELECT missing FROM t", "SELECT ?", "SELECT load_extension('x')",
	} {
		_, _, err := db.ReadOnlyQuery(sql)
		if fault.KindOf(err) != fault.InvalidInput {
			t.Errorf("%s: %v", sql, err)
		}
	}
	if _, _, err := db.ReadOnlyQuery("SELECT ?", struct{}{}); fault.KindOf(err) != fault.InvalidInput {
		t.Errorf("a struct: %v", err)
	}
	// Afterwards the connection does everything again.
	coretest.Must(t, db.Exec("CREATE TEMP TABLE v (a); INSERT INTO t VALUES (7)"))
}
