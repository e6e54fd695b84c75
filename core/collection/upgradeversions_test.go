package collection_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
)

// makeOld turns a file of schema 11 into one of schema 14 to 17, which only test versions have written: it is
// upgraded, and the steps beyond that version are undone (§9).
func makeOld(t testing.TB, db host.DB, ver int) {
	t.Helper()
	columns := map[string]string{}
	for _, name := range []string{"models", "decks", "dconf"} {
		columns[name] = listRows(t, db, "SELECT "+name+" FROM col")[0]
	}
	upgrade(t, db)
	sql := "ALTER TABLE graves RENAME TO x; CREATE TABLE graves (usn integer NOT NULL, oid integer NOT NULL, type integer NOT NULL);" +
		"INSERT INTO graves SELECT usn, oid, type FROM x; DROP TABLE x;"
	if ver < 17 {
		sql += "ALTER TABLE tags RENAME TO x; CREATE TABLE tags (tag text NOT NULL PRIMARY KEY COLLATE unicase, usn integer NOT NULL) WITHOUT ROWID;" +
			"INSERT INTO tags SELECT tag, usn FROM x; DROP TABLE x;"
	}
	if ver == 14 {
		sql += "DROP TABLE notetypes; DROP TABLE fields; DROP TABLE templates; DROP TABLE decks; DROP INDEX idx_notes_mid; DROP INDEX idx_cards_odid;"
	}
	if err := db.Exec(sql + fmt.Sprintf("UPDATE col SET ver = %d", ver)); err != nil {
		t.Fatal(err)
	}
	switch ver {
	case 14:
		putOldColumn(t, db, "models", columns["models"])
		putOldColumn(t, db, "decks", columns["decks"])
		var configs map[string]json.RawMessage
		if err := json.Unmarshal([]byte(columns["dconf"]), &configs); err != nil {
			t.Fatal(err)
		}
		for id, config := range configs {
			mustExec(t, db, "UPDATE deck_config SET config = ? WHERE id = CAST(? AS INTEGER)", []byte(config), id)
		}
	case 15:
		percent := map[int64][]byte{}
		for row, err := range rows.Query(db, "SELECT id, config FROM deck_config") {
			if err != nil {
				t.Fatal(err)
			}
			// An ease of 2.5, behind the field that is before it.
			percent[row[0].Int()] = bytes.Replace(row[1].Bytes, []byte("\x5d\x00\x00\x20\x40"), []byte("\x5d\x00\x00\x7a\x43"), 1)
		}
		for id, config := range percent {
			mustExec(t, db, "UPDATE deck_config SET config = ? WHERE id = ?", config, id)
		}
	}
}

func TestUpgradeOfEachVersion(t *testing.T) {
	t.Parallel()
	for _, ver := range []int{14, 15, 16, 17} {
		t.Run(fmt.Sprint(ver), func(t *testing.T) {
			t.Parallel()
			db := mergeDB(t, "schema11.anki2")
			makeOld(t, db, ver)
			if err := checkAll(db); err != nil {
				t.Fatal(err)
			}
			upgrade(t, db)
			compareStructure(t, db)
			got := dump(t, db)
			if changed, err := collection.Upgrade(db, noonClock(), coretest.NewRandom(3), coretest.Text{}); changed || err != nil {
				t.Errorf("again: %v, %v", changed, err)
			}
			compareDumps(t, got, dump(t, upgradedFixture(t)))
		})
	}
}

// upgradedFixture is what every version must become.
func upgradedFixture(t testing.TB) host.DB {
	db := mergeDB(t, "schema11.anki2")
	upgrade(t, db)
	return db
}
