package collection_test

import (
	"testing"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
)

func TestPrepareUpload(t *testing.T) {
	t.Parallel()
	for name, run := range map[string]func(host.DB, func() error) error{
		"alone":            func(_ host.DB, do func() error) error { return do() },
		"in a transaction": rows.Transaction,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := mergeDB(t, "pending.anki2")
			mustExec(t, db, "UPDATE col SET usn = 9, ls = 3")
			mustExec(t, db, "UPDATE decks SET usn = 5 WHERE id = 1")
			mustExec(t, db, "UPDATE cards SET usn = 5 WHERE id = (SELECT min(id) FROM cards)")
			config := listRows(t, db, "SELECT * FROM config")
			mods := listRows(t, db, "SELECT id, mod FROM cards UNION ALL SELECT id, mtime_secs FROM decks UNION ALL SELECT id, mod FROM notes")
			crt := listRows(t, db, "SELECT crt FROM col")[0]
			if err := run(db, func() error { return collection.PrepareUpload(db, 1_800_000_000_000) }); err != nil {
				t.Fatal(err)
			}
			wantRows(t, db, "SELECT crt, mod, scm, usn, ls, ver FROM col", crt+"|1800000000000|1800000000000|10|1800000000000|18")
			wantRows(t, db, "SELECT count(*) FROM graves", "0")
			wantRows(t, db, "SELECT DISTINCT usn FROM cards ORDER BY 1", "0", "5")
			for _, table := range []string{"notes", "revlog", "decks", "deck_config", "notetypes", "tags"} {
				wantRows(t, db, "SELECT DISTINCT usn FROM "+table, "0")
			}
			wantRows(t, db, "SELECT * FROM config", config...)
			wantRows(t, db, "SELECT id, mod FROM cards UNION ALL SELECT id, mtime_secs FROM decks UNION ALL SELECT id, mod FROM notes", mods...)
		})
	}
}

// TestPrepareUploadOfOddUSN: a server, or a package, may have left the largest number; with the next one the file could not be opened any more.
func TestPrepareUploadOfOddUSN(t *testing.T) {
	t.Parallel()
	for _, usn := range []string{"-5", "2147483646", "2147483647"} {
		db := mergeDB(t, "stock.anki2")
		mustExec(t, db, "UPDATE col SET usn = "+usn)
		if err := collection.PrepareUpload(db, 1_800_000_000_000); err != nil {
			t.Fatal(err)
		}
		wantRows(t, db, "SELECT usn FROM col", "1")
		if _, err := collection.ReadCol(db); err != nil {
			t.Error(err)
		}
	}
}

func TestPrepareUploadIsAtomic(t *testing.T) {
	t.Parallel()
	db := mergeDB(t, "pending.anki2")
	mustExec(t, db, "CREATE TRIGGER refuse BEFORE UPDATE ON notetypes BEGIN SELECT raise(FAIL, 'no'); END")
	before := dump(t, db)
	if err := collection.PrepareUpload(db, 1_800_000_000_000); err == nil {
		t.Fatal("no error")
	}
	compareDumps(t, dump(t, db), before)
	mustExec(t, db, "BEGIN IMMEDIATE") // no savepoint is left open
	if err := collection.PrepareUpload(db, 1_800_000_000_000); err == nil {
		t.Fatal("no error")
	}
	mustExec(t, db, "UPDATE col SET mod = 7")
	mustExec(t, db, "COMMIT") // the caller's transaction is intact
	wantRows(t, db, "SELECT mod FROM col", "7")
	wantRows(t, db, "SELECT count(*) FROM graves", "3")
}
