package collection_test

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/host"
)

// newCollection makes a collection of our own at noon.
func newCollection(t testing.TB) (host.DB, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), host.Collection)
	db := openFile(t, path, host.Create)
	if err := collection.New(db, noonClock(), coretest.NewRandom(1)); err != nil {
		t.Fatal(err)
	}
	return db, path
}

// structure lists everything that PRAGMAs tell about tables and indexes, SQLite's own tables aside.
func structure(t testing.TB, db host.DB) []string {
	t.Helper()
	return slices.Concat(
		listRows(t, db, "SELECT type, name, tbl_name FROM sqlite_master WHERE name NOT LIKE 'sqlite_stat%' ORDER BY 1, 2"),
		listRows(t, db, "SELECT name, type, ncol, wr, strict FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite_%' ORDER BY 1"),
		listRows(t, db, `SELECT m.name, c.* FROM sqlite_master m, pragma_table_xinfo(m.name) c
			WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY 1, 2`),
		listRows(t, db, `SELECT m.name, i.name, i."unique", i.origin, i.partial FROM sqlite_master m, pragma_index_list(m.name) i
			WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY 1, 2`),
		listRows(t, db, `SELECT i.name, x.seqno, x.cid, x.name, x.desc, x.coll, x.key FROM sqlite_master m, pragma_index_list(m.name) i,
			pragma_index_xinfo(i.name) x WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY 1, 2`),
	)
}

// compareStructure compares with a new collection of the reference.
func compareStructure(t testing.TB, db host.DB) {
	t.Helper()
	got, want := structure(t, db), structure(t, mergeDB(t, "empty.anki2"))
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("unexpected: %s", line)
		}
	}
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("missing: %s", line)
		}
	}
}

func TestStructureOfNewCollection(t *testing.T) {
	t.Parallel()
	db, _ := newCollection(t)
	compareStructure(t, db)
	if len(structure(t, db)) < 150 {
		t.Error("the comparison looks at nothing")
	}
	// Of a partial index the PRAGMAs do not tell the condition.
	wantRows(t, db, "SELECT count(*) FROM sqlite_master WHERE name = 'idx_cards_odid' AND sql LIKE '% WHERE odid != 0'", "1")
}
