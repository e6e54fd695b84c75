package collection_test

import (
	"testing"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/wire"
)

// TestStampSentRows changes one column of one row after the copy; that row alone stays pending.
func TestStampSentRows(t *testing.T) {
	t.Parallel()
	db := mergeDB(t, "empty.anki2")
	for table, columns := range map[string][]string{
		"revlog": {"cid", "ease", "ivl", "lastIvl", "factor", "time", "type"},
		"notes":  {"guid", "mid", "mod", "tags", "flds", "sfld", "csum", "flags", "data"},
		"cards":  {"nid", "did", "ord", "mod", "type", "queue", "due", "ivl", "factor", "reps", "lapses", "left", "odue", "odid", "flags", "data"},
	} {
		for _, column := range columns {
			fillPending(t, db, 3, 3, 3)
			if _, err := collection.CopyPending(db); err != nil {
				t.Fatal(err)
			}
			mustExec(t, db, "UPDATE "+table+" SET "+column+" = 4711 WHERE id = 2")
			if err := collection.StampSent(db, syncUSN, false); err != nil {
				t.Fatal(err)
			}
			for _, other := range []string{"revlog", "notes", "cards"} {
				want := []string{"1|40", "2|40", "3|40"}
				if other == table {
					want[1] = "2|-1"
				}
				wantRows(t, db, "SELECT id, usn FROM "+other+" ORDER BY id", want...)
			}
			if t.Failed() {
				t.Fatalf("%s.%s", table, column)
			}
		}
	}
}

// TestStampOnlyWhatWasSent: rows that came later, and rows that another sync has stamped meanwhile, are left alone.
func TestStampOnlyWhatWasSent(t *testing.T) {
	t.Parallel()
	db := mergeDB(t, "empty.anki2")
	fillPending(t, db, 0, 0, 3)
	if _, err := collection.CopyPending(db); err != nil {
		t.Fatal(err)
	}
	mustExec(t, db, "UPDATE cards SET usn = 17 WHERE id = 1")
	mustExec(t, db, "DELETE FROM cards WHERE id = 2")
	mustExec(t, db, insertCard, 9, 1, -1)
	if err := collection.StampSent(db, syncUSN, false); err != nil {
		t.Fatal(err)
	}
	wantRows(t, db, "SELECT id, usn FROM cards ORDER BY id", "1|17", "3|40", "9|-1")
}

// TestStampNumberLikeTexts: texts which compare equal as numbers are different texts.
func TestStampNumberLikeTexts(t *testing.T) {
	t.Parallel()
	db := mergeDB(t, "empty.anki2")
	fillPending(t, db, 0, 2, 0)
	mustExec(t, db, "UPDATE notes SET guid = '1', flds = '1'")
	if _, err := collection.CopyPending(db); err != nil {
		t.Fatal(err)
	}
	mustExec(t, db, "UPDATE notes SET guid = '1.0', flds = '01' WHERE id = 1")
	if err := collection.StampSent(db, syncUSN, false); err != nil {
		t.Fatal(err)
	}
	wantRows(t, db, "SELECT id, usn FROM notes ORDER BY id", "1|-1", "2|40")
}

func TestStampGraves(t *testing.T) {
	t.Parallel()
	db := mergeDB(t, "empty.anki2")
	mustExec(t, db, "DELETE FROM graves")
	mustExec(t, db, "INSERT INTO graves VALUES (1, 0, -1), (1, 1, -1), (1, 2, -1), (2, 0, -1), (3, 1, 8), (4, 7, -1)")
	g, err := collection.PendingGraves(db)
	if err != nil || len(g.Cards) != 2 || len(g.Notes) != 1 || len(g.Decks) != 1 {
		t.Fatal(g, err)
	}
	mustExec(t, db, "INSERT INTO graves VALUES (5, 0, -1)")
	g.Notes = append(g.Notes, 3, 77)
	if err := collection.StampGraves(db, g, syncUSN); err != nil {
		t.Fatal(err)
	}
	wantRows(t, db, "SELECT oid, type, usn FROM graves ORDER BY oid, type",
		"1|0|40", "1|1|40", "1|2|40", "2|0|40", "3|1|8", "4|7|-1", "5|0|-1")
	if err := collection.StampGraves(db, wire.Graves{}, syncUSN); err != nil {
		t.Error(err)
	}
}

// TestStampChanges: objects that were touched in any part since they were listed stay pending.
func TestStampChanges(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, edit, pending string }{
		{"nothing", "", ""},
		{"notetype", "UPDATE notetypes SET mtime_secs = mtime_secs + 1 WHERE id = %N", "notetype"},
		{"notetype name", "UPDATE notetypes SET name = name || 'x' WHERE id = %N", "notetype"},
		{"field", "UPDATE fields SET name = name || 'x' WHERE ntid = %N AND ord = 0", "notetype"},
		{"field config", "UPDATE fields SET config = config || x'0801' WHERE ntid = %N AND ord = 0", "notetype"},
		{"field gone", "DELETE FROM fields WHERE ntid = %N AND ord = 1", "notetype"},
		{"template", "UPDATE templates SET config = x'0a0178' WHERE ntid = %N AND ord = 0", "notetype"},
		{"deck", "UPDATE decks SET name = 'x' WHERE id = 1", "deck"},
		{"deck counts", "UPDATE decks SET common = x'1805' WHERE id = 1", "deck"},
		{"deck config", "UPDATE deck_config SET mtime_secs = 5 WHERE id = 1", "deck_config"},
		{"tag spelling", "UPDATE tags SET tag = 'ANIMAL' WHERE tag = 'animal'", "tag"},
		{"config", "UPDATE config SET val = '2' WHERE key = 'mine'", "config"},
		{"config gone", "DELETE FROM config WHERE key = 'mine'", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			db := mergeDB(t, "empty.anki2")
			for _, table := range []string{"notetypes", "decks", "deck_config", "config"} {
				mustExec(t, db, "UPDATE "+table+" SET usn = -1")
			}
			mustExec(t, db, "INSERT INTO tags VALUES ('animal', -1, 0, NULL)")
			if err := collection.PutConfig(db, "mine", []byte("1"), -1, 5); err != nil {
				t.Fatal(err)
			}
			sent, err := collection.PendingChanges(db, syncUSN, nil, true)
			if err != nil {
				t.Fatal(err)
			}
			if c.edit != "" {
				mustExec(t, db, replaceOnce(c.edit, "%N", "(SELECT min(id) FROM notetypes)"))
			}
			if err := collection.StampChanges(db, sent, syncUSN); err != nil {
				t.Fatal(err)
			}
			pending := ""
			for kind, query := range map[string]string{
				"notetype":    "SELECT 1 FROM notetypes WHERE usn = -1 AND id = (SELECT min(id) FROM notetypes)",
				"deck":        "SELECT 1 FROM decks WHERE usn = -1",
				"deck_config": "SELECT 1 FROM deck_config WHERE usn = -1",
				"tag":         "SELECT 1 FROM tags WHERE usn = -1",
				"config":      "SELECT 1 FROM config WHERE usn = -1",
			} {
				if len(listRows(t, db, query)) > 0 {
					pending += kind
				}
			}
			if pending != c.pending {
				t.Errorf("pending: %q, want %q", pending, c.pending)
			}
			wantRows(t, db, "SELECT count(*) FROM notetypes WHERE usn = -1 AND id > (SELECT min(id) FROM notetypes)", "0")
			wantRows(t, db, "SELECT DISTINCT usn FROM config WHERE key <> 'mine'", "0")
		})
	}
}

// TestStampChangesLeavesOthers: what was not sent is not stamped.
func TestStampChangesLeavesOthers(t *testing.T) {
	t.Parallel()
	db := mergeDB(t, "pending.anki2")
	before, err := collection.PendingCounts(db)
	if err != nil {
		t.Fatal(err)
	}
	if err := collection.StampChanges(db, &wire.Changes{}, syncUSN); err != nil {
		t.Fatal(err)
	}
	after, err := collection.PendingCounts(db)
	if err != nil {
		t.Fatal(err)
	}
	for kind, n := range before {
		if after[kind] != n || n == 0 {
			t.Errorf("%s: %d before, %d after", kind, n, after[kind])
		}
	}
	wantRows(t, db, "SELECT count(*) FROM config WHERE usn <> -1", "0")
}

// TestMark: edits of this and of other connections are seen, reading and temporary tables are not.
func TestMark(t *testing.T) {
	t.Parallel()
	path := fixtureFile(t, "stock.anki2")
	db := openFile(t, path, host.ReadWrite)
	mark := func() collection.Mark {
		m, err := collection.ReadMark(db)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	before := mark()
	if _, err := collection.Counts(db); err != nil {
		t.Fatal(err)
	}
	if mark() != before {
		t.Error("reading changes the mark")
	}
	mustExec(t, db, "UPDATE cards SET flags = 1")
	own := mark()
	if own == before {
		t.Error("an edit of this connection is not seen")
	}
	other := openFile(t, path, host.ReadWrite)
	mustExec(t, other, "UPDATE cards SET flags = 2")
	if mark() == own {
		t.Error("an edit of another connection is not seen")
	}
}
