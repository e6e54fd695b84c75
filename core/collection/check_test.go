package collection_test

import (
	"os"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
)

// checkAll runs the checks in the order in which files are opened.
func checkAll(db host.DB) error {
	if _, err := collection.CheckHeader(db); err != nil {
		return err
	}
	if err := collection.CheckStructure(db); err != nil {
		return err
	}
	return collection.CheckIntegrity(db)
}

// TestFixtures checks files of every kind without changing them.
func TestFixtures(t *testing.T) {
	t.Parallel()
	for fixture, want := range map[string]fault.Kind{
		"empty.anki2": 0, "stock.anki2": 0, "unicode.anki2": 0, "pending.anki2": 0, "plain-journal.anki2": 0,
		"schema11.anki2": 0, "schema11-2.1.49.anki2": 0,
		"damaged-index-order.anki2": fault.DamagedFile, "damaged-no-col-row.anki2": fault.DamagedFile,
		"damaged-not-a-database.anki2": fault.DamagedFile, "damaged-truncated.anki2": fault.DamagedFile,
		"damaged-zero-bytes.anki2": fault.DamagedFile,
		"unsupported-ver-12.anki2": fault.UnsupportedFile, "unsupported-ver-19.anki2": fault.UnsupportedFile,
	} {
		t.Run(fixture, func(t *testing.T) {
			t.Parallel()
			path := fixtureFile(t, fixture)
			db, err := sqlitehost.OpenFile(path, host.ReadOnly)
			if err == nil {
				err = checkAll(db)
				wantFault(t, err, want)
				closeFile(t, db)
			}
			if fault.KindOf(err) != want {
				t.Errorf("got %v, want kind %v", err, want)
			}
			before, _ := os.ReadFile("testdata/collections/" + fixture)
			if after, err := os.ReadFile(path); err != nil || string(before) != string(after) {
				t.Error("the file was changed", err)
			}
		})
	}
}

// wantFault checks the kind of an error, and that it says something to a user.
func wantFault(t testing.TB, err error, want fault.Kind) {
	t.Helper()
	if fault.KindOf(err) != want {
		t.Errorf("got %v (kind %v), want kind %v", err, fault.KindOf(err), want)
		return
	}
	if e, ok := err.(*fault.Error); want != 0 && (!ok || e.Hint == "" || e.Message == "") {
		t.Errorf("%v has no message or no hint", err)
	}
}

func TestRefusedFiles(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, sql string
		want      fault.Kind
		message   string
	}{
		{"old", "UPDATE col SET ver = 10", fault.UnsupportedFile, "too old"},
		{"zero", "UPDATE col SET ver = 0", fault.UnsupportedFile, "version 0"},
		{"negative", "UPDATE col SET ver = -1", fault.UnsupportedFile, "version -1"},
		{"13", "UPDATE col SET ver = 13", fault.UnsupportedFile, "version 13"},
		{"new", "UPDATE col SET ver = 19", fault.UnsupportedFile, "version 19"},
		{"huge", "UPDATE col SET ver = 9000000000000000000", fault.UnsupportedFile, "not supported"},
		{"version is text", "UPDATE col SET ver = 'x18'", fault.DamagedFile, "col.ver"},
		{"version is a fraction", "UPDATE col SET ver = 18.5", fault.DamagedFile, "col.ver"},
		{"mod is text", "UPDATE col SET mod = 'yesterday'", fault.DamagedFile, "col.mod"},
		{"scm is a blob", "UPDATE col SET scm = x'00'", fault.DamagedFile, "col.scm"},
		{"usn too large", "UPDATE col SET usn = 3000000000", fault.DamagedFile, "col.usn"},
		{"mod too large", "UPDATE col SET mod = 9223372036854775807", fault.DamagedFile, "out of range"},
		{"scm too large", "UPDATE col SET scm = 9223372036854775806", fault.DamagedFile, "out of range"},
		{"ls too large", "UPDATE col SET ls = 9223372036854775806", fault.DamagedFile, "out of range"},
		{"no row", "DELETE FROM col", fault.DamagedFile, "empty"},
		{"two rows", "INSERT INTO col SELECT 2, crt, mod, scm, ver, dty, usn, ls, conf, models, decks, dconf, tags FROM col", fault.DamagedFile, "2 rows"},
		{"no col", "DROP TABLE col", fault.DamagedFile, `"col"`},
		{"col without ls", "ALTER TABLE col DROP COLUMN ls", fault.DamagedFile, "ls"},
		{"col is a view", "ALTER TABLE col RENAME TO other; CREATE VIEW col AS SELECT * FROM other", fault.DamagedFile, `"col"`},
		{"no cards", "DROP TABLE cards", fault.DamagedFile, `"cards"`},
		{"no graves", "DROP TABLE graves", fault.DamagedFile, `"graves"`},
		{"no templates", "DROP TABLE templates", fault.DamagedFile, `"templates"`},
		{"no config", "DROP TABLE config", fault.DamagedFile, `"config"`},
		{"no column", "ALTER TABLE decks DROP COLUMN kind", fault.DamagedFile, `"kind"`},
		{"old tags", "ALTER TABLE tags DROP COLUMN collapsed", fault.DamagedFile, `"collapsed"`},
		{"schema 11 in name only", "UPDATE col SET ver = 11", fault.DamagedFile, `"deck_config" is newer`},
		{"schema 14 in name only", "UPDATE col SET ver = 14", fault.DamagedFile, `"fields" is newer`},
		{"schema 11 without notes", "UPDATE col SET ver = 11; DROP TABLE notes", fault.DamagedFile, `"notes"`},
		{"further things", "CREATE TABLE extra (x); ALTER TABLE cards ADD COLUMN y; DROP INDEX ix_cards_nid", 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			db := mergeDB(t, "stock.anki2")
			if err := db.Exec(c.sql); err != nil {
				t.Fatal(err)
			}
			before := dump(t, db)
			err := checkAll(db)
			wantFault(t, err, c.want)
			if err != nil && !strings.Contains(err.Error(), c.message) {
				t.Errorf("%v does not say %q", err, c.message)
			}
			if changed, _ := collection.Upgrade(db, noonClock(), coretest.NewRandom(1), coretest.Text{}); changed {
				t.Error("was upgraded")
			}
			compareDumps(t, dump(t, db), before)
		})
	}
}

func TestColRow(t *testing.T) {
	t.Parallel()
	db := mergeDB(t, "empty.anki2")
	want := collection.Col{Crt: 1, Mod: 2, Scm: 3, USN: 4, LS: 5, Ver: 18}
	if err := collection.WriteCol(db, want); err != nil {
		t.Fatal(err)
	}
	if got, err := collection.ReadCol(db); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	mustExec(t, db, "DELETE FROM col")
	if err := collection.WriteCol(db, want); fault.KindOf(err) != fault.DamagedFile {
		t.Error(err)
	}
}

func TestCounts(t *testing.T) {
	t.Parallel()
	db := mergeDB(t, "stock.anki2")
	c, err := collection.Counts(db)
	if err != nil {
		t.Fatal(err)
	}
	got := []int64{c.Cards, c.Notes, c.Revlog, c.Graves, c.Notetypes, c.Decks, c.DeckConfigs}
	for i, table := range []string{"cards", "notes", "revlog", "graves", "notetypes", "decks", "deck_config"} {
		if n := int64(len(listRows(t, db, "SELECT 1 FROM "+table))); n != got[i] || n == 0 {
			t.Errorf("%s: %d, want %d", table, got[i], n)
		}
	}
	if empty, err := collection.Empty(db); err != nil || empty {
		t.Error(empty, err)
	}
	mustExec(t, db, "DELETE FROM cards") // notes do not count
	if empty, err := collection.Empty(db); err != nil || !empty {
		t.Error(empty, err)
	}
}
