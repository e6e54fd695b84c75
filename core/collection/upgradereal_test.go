package collection_test

import (
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/legacy"
	"github.com/cardferry/cardferry/core/rows"
)

// TestUpgradeEqualsReal upgrades copies of one file here and with the real program, and compares all tables. What may
// differ:
//   - the text of JSON values in config (compared as values): the real program writes members and numbers anew;
//   - the member "other" of blobs (compared as values): the real program writes it in no particular order;
//   - times of renamed decks: each side's now.
func TestUpgradeEqualsReal(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, fixture string
		change        func(testing.TB, host.DB)
	}{
		{"schema11", "schema11.anki2", nil},
		{"2.1.49", "schema11-2.1.49.anki2", nil},
		{"eases", "schema11.anki2", oddEases},
		{"rest", "schema11.anki2", oddRest},
		{"14", "schema11.anki2", func(t testing.TB, db host.DB) { makeOld(t, db, 14) }},
		{"15", "schema11.anki2", func(t testing.TB, db host.DB) { makeOld(t, db, 15) }},
		{"16", "schema11.anki2", func(t testing.TB, db host.DB) { makeOld(t, db, 16) }},
		{"17", "schema11.anki2", func(t testing.TB, db host.DB) { makeOld(t, db, 17) }},
		{"names", "schema11.anki2", func(t testing.TB, db host.DB) {
			oddNames(t, db)
			withoutClashes(t, db)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ours, theirs := fixtureFile(t, c.fixture), fixtureFile(t, c.fixture)
			if c.change != nil {
				for _, path := range []string{ours, theirs} {
					db := openFile(t, path, host.ReadWrite)
					c.change(t, db)
					closeFile(t, db)
				}
			}
			var ok bool
			realAnki(t, &ok, "open", theirs)
			db, real := openFile(t, ours, host.ReadWrite), openFile(t, theirs, host.ReadWrite)
			upgrade(t, db)
			for _, file := range []host.DB{db, real} {
				compareStructure(t, file)
				mustExec(t, file, "UPDATE decks SET mtime_secs = 0 WHERE usn = -1 AND id < 1000") // renamed: each side's now
			}
			compareDumps(t, readable(t, db), readable(t, real))
			closeFile(t, db)
			closeFile(t, real)
			var report, want checkReport
			realAnki(t, &report, "check", ours)
			realAnki(t, &want, "check", theirs)
			if report != want || c.change == nil && !report.OK {
				t.Errorf("the database check finds %+v, in the real program's own file %+v", report, want)
			}
		})
	}
}

// withoutClashes takes out the objects of equal names: which of them is renamed is left to chance in the real program.
func withoutClashes(t testing.TB, db host.DB) {
	decks := oldColumn(t, db, "decks")
	for _, id := range []string{"103", "105", "107"} {
		delete(decks, id)
	}
	putOldColumn(t, db, "decks", decks)
	models := oldColumn(t, db, "models")
	delete(models, "202")
	putOldColumn(t, db, "models", models)
}

// readable is dump with blobs and config values decoded.
func readable(t *testing.T, db host.DB) map[string][]string {
	t.Helper()
	tables := dump(t, db)
	delete(tables, "sqlite_stat1")
	tables["config"] = nil
	for row, err := range rows.Query(db, "SELECT key, usn, mtime_secs, typeof(val), val FROM config ORDER BY key") {
		if err != nil {
			t.Fatal(err)
		}
		tables["config"] = append(tables["config"], rowText(row[:4])+"|"+plainJSON(t, row[4].Bytes))
	}
	for _, table := range []string{"decks", "deck_config", "notetypes"} {
		tables[table] = append(blobsWithoutOther(t, tables[table]), objects(t, db, table)...)
	}
	return tables
}

var jsonInBlob = regexp.MustCompile(`\\xfa\\x0f.*`)

// blobsWithoutOther cuts the last field, "other", off the blobs; its content is in the objects.
func blobsWithoutOther(t *testing.T, lines []string) []string {
	t.Helper()
	for i, line := range lines {
		lines[i] = jsonInBlob.ReplaceAllString(line, "other")
	}
	return lines
}

func plainJSON(t *testing.T, raw []byte) string {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%q: %v", raw, err)
	}
	b, err := json.Marshal(v) // sorts the members
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// objects lists the rows of a table as objects of the protocol.
func objects(t *testing.T, db host.DB, table string) (list []string) {
	t.Helper()
	for _, id := range listRows(t, db, "SELECT id FROM "+table+" ORDER BY id") {
		var object interface {
			AppendJSON(dst []byte) ([]byte, error)
		}
		switch table {
		case "notetypes":
			object = readNotetype(t, db, id)
		case "decks":
			row := oneRow(t, db, "SELECT id, name, mtime_secs, usn, common, kind FROM decks WHERE id = "+id)
			object = &legacy.Deck{ID: row[0].Int(), Name: row[1].String(), Mod: row[2].Int(), USN: int32(row[3].Int()), Common: row[4].Bytes, Kind: row[5].Bytes}
		case "deck_config":
			row := oneRow(t, db, "SELECT id, name, mtime_secs, usn, config FROM deck_config WHERE id = "+id)
			object = &legacy.DeckConfig{ID: row[0].Int(), Name: row[1].String(), Mod: row[2].Int(), USN: int32(row[3].Int()), Config: row[4].Bytes}
		}
		raw, err := object.AppendJSON(nil)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, plainJSON(t, raw))
	}
	return list
}

func oneRow(t *testing.T, db host.DB, sql string) rows.Row {
	t.Helper()
	row, err := rows.One(db, sql)
	if err != nil || reflect.DeepEqual(row, rows.Row(nil)) {
		t.Fatal(sql, err)
	}
	return row
}
