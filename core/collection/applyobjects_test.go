package collection_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/wire"
)

func raw(objects ...[]byte) [][]byte { return objects }

func replaceOnce(s, old, new string) string { return strings.Replace(s, old, new, 1) }

// TestMergeOfObjects: for notetypes, decks and deck configs equal times store, and pending is not asked for (§8).
func TestMergeOfObjects(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		usn    int64
		mod    int64
		stored bool
	}{
		{"pending, older", -1, 99, true},
		{"pending, equal", -1, 100, true},
		{"pending, newer", -1, 101, false},
		{"synced, older", 5, 99, true},
		{"synced, equal", 5, 100, true},
		{"synced, newer", 5, 101, false},
	} {
		for _, pendingFrom := range []int64{-1, 30} {
			t.Run(fmt.Sprintf("%s, from %d", c.name, pendingFrom), func(t *testing.T) {
				t.Parallel()
				db := mergeDB(t, "empty.anki2")
				object := func(mod, usn int64, name string) *wire.Changes {
					return &wire.Changes{
						Notetypes:   raw(notetypeJSON(7, name, mod, usn, []string{"F", "G"}, []string{"T"})),
						Decks:       raw(deckJSON(7, name, mod, usn)),
						DeckConfigs: raw(deckConfigJSON(7, name, mod, usn)),
					}
				}
				if err := applyChanges(t, db, -1, object(c.mod, 1, "old")); err != nil {
					t.Fatal(err)
				}
				for _, table := range []string{"notetypes", "decks", "deck_config"} {
					mustExec(t, db, "UPDATE "+table+" SET usn = ? WHERE id = 7", c.usn)
				}
				if err := applyChanges(t, db, pendingFrom, object(100, 39, "new")); err != nil {
					t.Fatal(err)
				}
				want := fmt.Sprintf("old|%d|%d", c.mod, c.usn)
				if c.stored {
					want = fmt.Sprint("new|100|", storedUSN(pendingFrom, 39))
				}
				for _, table := range []string{"notetypes", "decks", "deck_config"} {
					wantRows(t, db, "SELECT name, mtime_secs, usn FROM "+table+" WHERE id = 7", want)
				}
			})
		}
	}
}

// TestNotetypeParts: fields and templates are rewritten by position in the list, usn and mtime 0.
func TestNotetypeParts(t *testing.T) {
	t.Parallel()
	db := mergeDB(t, "empty.anki2")
	for _, fields := range [][]string{{"A", "B", "C"}, {"C", "A", "B"}} {
		err := applyChanges(t, db, -1, &wire.Changes{Notetypes: raw(notetypeJSON(7, "N", 5, 39, fields, []string{"T", "U"}))})
		if err != nil {
			t.Fatal(err)
		}
		for i, f := range fields {
			wantRows(t, db, fmt.Sprintf("SELECT name FROM fields WHERE ntid = 7 AND ord = %d", i), f)
		}
		wantRows(t, db, "SELECT ord, name, mtime_secs, usn FROM templates WHERE ntid = 7", "0|T|0|0", "1|U|0|0")
	}
}

func TestShapeMismatch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name              string
		mod               int64
		fields, templates []string
		kind              fault.Kind
	}{
		{"same", 100, []string{"X", "Y"}, []string{"Z"}, 0},
		{"more fields", 100, []string{"A", "B", "C"}, []string{"T"}, fault.Resync},
		{"fewer fields", 101, []string{"A"}, []string{"T"}, fault.Resync},
		{"more templates", 101, []string{"A", "B"}, []string{"T", "U"}, fault.Resync},
		{"no templates", 101, []string{"A", "B"}, nil, fault.Resync},
		{"older: not looked at", 99, []string{"A"}, nil, 0},
	} {
		db := mergeDB(t, "empty.anki2")
		err := applyChanges(t, db, -1, &wire.Changes{Notetypes: raw(notetypeJSON(7, "N", 100, 1, []string{"A", "B"}, []string{"T"}))})
		if err != nil {
			t.Fatal(err)
		}
		err = applyChanges(t, db, -1, &wire.Changes{Notetypes: raw(notetypeJSON(7, "N", c.mod, 1, c.fields, c.templates))})
		if fault.KindOf(err) != c.kind {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestNameClashes: the one that arrives is renamed, and counts as changed at this sync.
func TestNameClashes(t *testing.T) {
	t.Parallel()
	db := mergeDB(t, "empty.anki2")
	nt := func(id int64, name string) []byte { return notetypeJSON(id, name, 5, 39, []string{"A"}, []string{"T"}) }
	err := applyChanges(t, db, -1, &wire.Changes{
		Notetypes:   raw(nt(11, "Name"), nt(12, "NAME"), nt(13, "name"), nt(14, "name+"), nt(11, "name++")),
		Decks:       raw(deckJSON(11, "Straße", 5, 39), deckJSON(12, "STRASSE", 5, 39), deckJSON(13, "a::b", 5, 39), deckJSON(14, "A :: B", 5, 39)),
		DeckConfigs: raw(deckConfigJSON(11, "Same", 5, 39), deckConfigJSON(12, "same", 5, 39)),
	})
	if err != nil {
		t.Fatal(err)
	}
	// 14 finds its own name taken by 12; 11 gives its name up for one that 13 has taken meanwhile.
	wantRows(t, db, "SELECT id, name, mtime_secs, usn FROM notetypes WHERE id < 100 ORDER BY id",
		"11|name++++|1800000000|40", "12|NAME+|1800000000|40", "13|name++|1800000000|40", "14|name+++|1800000000|40")
	wantRows(t, db, "SELECT id, replace(name, char(31), '::'), mtime_secs, usn FROM decks WHERE id > 1 ORDER BY id",
		"11|Straße|5|39", "12|STRASSE+|1800000000|40", "13|a::b|5|39", "14|A::B+|1800000000|40")
	wantRows(t, db, "SELECT id, name, mtime_secs, usn FROM deck_config WHERE id > 1 ORDER BY id", "11|Same|5|39", "12|same|5|39")
}

// TestNameSwap: two objects that exchange their names arrive one after the other; neither may be lost.
func TestNameSwap(t *testing.T) {
	t.Parallel()
	db := mergeDB(t, "empty.anki2")
	for _, list := range [][][]byte{
		raw(deckJSON(11, "X", 5, 39), deckJSON(12, "Y", 5, 39)),
		raw(deckJSON(11, "Y", 6, 39), deckJSON(12, "X", 6, 39)),
	} {
		if err := applyChanges(t, db, -1, &wire.Changes{Decks: list}); err != nil {
			t.Fatal(err)
		}
	}
	wantRows(t, db, "SELECT id, name, usn FROM decks WHERE id > 1 ORDER BY id", "11|Y+|40", "12|X|39")
}

// TestManyOfOneName ends soon, and a name that became free in between is used.
func TestManyOfOneName(t *testing.T) {
	t.Parallel()
	db := mergeDB(t, "empty.anki2")
	var c wire.Changes
	for id := int64(10); id < 1010; id++ {
		c.Decks = append(c.Decks, deckJSON(id, "same", 5, 39))
	}
	c.Decks = append(c.Decks, deckJSON(15, "other", 1<<40, 39), deckJSON(2000, "SAME", 5, 39), deckJSON(2001, "SAME", 5, 39))
	if err := applyChanges(t, db, -1, &c); err != nil {
		t.Fatal(err)
	}
	wantRows(t, db, "SELECT id, name FROM decks WHERE id IN (10, 11, 15, 2000) ORDER BY id", "10|same", "11|same+", "15|other", "2000|SAME+++++")
	wantRows(t, db, "SELECT length(name) FROM decks WHERE id IN (1009, 2001) ORDER BY id", "1003", "1004")
}

func TestRefusedObjects(t *testing.T) {
	t.Parallel()
	db := mergeDB(t, "empty.anki2")
	for _, c := range []struct {
		name string
		c    wire.Changes
	}{
		{"two fields of one name", wire.Changes{Notetypes: raw(notetypeJSON(7, "N", 5, 39, []string{"Straße", "STRASSE"}, []string{"T"}))}},
		{"two templates of one name", wire.Changes{Notetypes: raw(notetypeJSON(7, "N", 5, 39, []string{"A"}, []string{"T", "t"}))}},
		{"pending notetype", wire.Changes{Notetypes: raw(notetypeJSON(7, "N", 5, -1, []string{"A"}, []string{"T"}))}},
		{"pending deck", wire.Changes{Decks: raw(deckJSON(7, "N", 5, -1))}},
		{"pending deck config", wire.Changes{DeckConfigs: raw(deckConfigJSON(7, "N", 5, -1))}},
		{"no notetype", wire.Changes{Notetypes: raw([]byte(`{"id":1}`))}},
		{"no deck", wire.Changes{Decks: raw([]byte(`null`))}},
		{"no deck config", wire.Changes{DeckConfigs: raw([]byte(`[]`))}},
	} {
		if err := applyChanges(t, db, -1, &c.c); !errors.Is(err, fault.DamagedDownload) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	wantRows(t, db, "SELECT count(*) FROM notetypes WHERE id = 7 UNION ALL SELECT count(*) FROM fields WHERE ntid = 7", "0", "0")
}

// TestNotetypeWithoutParts: a new notetype without templates is stored; without fields its notes have one (§7.8).
func TestNotetypeWithoutParts(t *testing.T) {
	t.Parallel()
	db := mergeDB(t, "empty.anki2")
	err := applyChanges(t, db, -1, &wire.Changes{Notetypes: raw(notetypeJSON(7, "N", 5, 39, nil, nil))})
	if err != nil {
		t.Fatal(err)
	}
	if err := applyChunk(t, db, -1, &wire.Chunk{Notes: []wire.Note{{ID: 1, NotetypeID: 7, Fields: "x"}}}); err != nil {
		t.Error(err)
	}
	err = applyChunk(t, db, -1, &wire.Chunk{Notes: []wire.Note{{ID: 2, NotetypeID: 7, Fields: "x\x1fy"}}})
	if !errors.Is(err, fault.InvalidInput) {
		t.Error(err)
	}
}

func TestGravesWin(t *testing.T) {
	t.Parallel()
	db := mergeDB(t, "empty.anki2")
	mustExec(t, db, insertCard, 1, 1<<40, -1)
	mustExec(t, db, insertCard, 2, 1<<40, 3)
	mustExec(t, db, insertNote, 1, 1<<40, -1)
	mustExec(t, db, "INSERT INTO decks SELECT 5, 'd', 1 << 40, -1, common, kind FROM decks")
	mustExec(t, db, "INSERT INTO graves VALUES (9, 0, -1), (9, 1, 2)")
	err := applyTo(t, db, -1, func(a *collection.Applier) error {
		return a.Graves(wire.Graves{Cards: []int64{1, 9, 1, 500}, Notes: []int64{1, 9}, Decks: []int64{1, 5}})
	})
	if err != nil {
		t.Fatal(err)
	}
	wantRows(t, db, "SELECT id FROM cards", "2")
	wantRows(t, db, "SELECT id FROM notes")
	wantRows(t, db, "SELECT id FROM decks")
	wantRows(t, db, "SELECT type, oid, usn FROM graves ORDER BY type, oid",
		"0|1|40", "0|9|-1", "0|500|40", "1|1|40", "1|9|40", "2|1|40", "2|5|40")
}

func TestCrtAndConfig(t *testing.T) {
	t.Parallel()
	db := mergeDB(t, "empty.anki2")
	crt := int64(1234)
	err := applyChanges(t, db, -1, &wire.Changes{Crt: &crt, Config: []wire.ConfigEntry{
		{Key: "big", Value: []byte("12345678901234567890")},
		{Key: "Big", Value: []byte("null")},
		{Key: "o", Value: []byte(`{"b":1.10,"a":[]}`)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	wantRows(t, db, "SELECT crt FROM col", "1234")
	wantRows(t, db, "SELECT key, usn, mtime_secs, typeof(val), CAST(val AS TEXT) FROM config ORDER BY key",
		"Big|40|1800000000|blob|null", "big|40|1800000000|blob|12345678901234567890", `o|40|1800000000|blob|{"b":1.10,"a":[]}`)
	if err := applyChanges(t, db, -1, &wire.Changes{}); err != nil {
		t.Fatal(err)
	}
	wantRows(t, db, "SELECT count(*) FROM config", "3")
	if err := applyChanges(t, db, -1, &wire.Changes{Config: []wire.ConfigEntry{}}); err != nil {
		t.Fatal(err)
	}
	wantRows(t, db, "SELECT count(*) FROM config", "0")
}
