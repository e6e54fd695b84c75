package collection_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/wire"
)

const (
	insertCard = "INSERT INTO cards VALUES (?, 1, 1, 0, ?, ?, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, '{}')"
	insertNote = "INSERT INTO notes VALUES (?, 'old', (SELECT min(id) FROM notetypes), ?, ?, '', 'old' || char(31), 'old', 1, 7, 'x')"
)

// basicNotetype is the id of a notetype of two fields that empty.anki2 has.
func basicNotetype(t testing.TB, db host.DB) int64 {
	t.Helper()
	id, err := rows.IntOf(db, "SELECT min(id) FROM notetypes")
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// TestMergeOfRows has every case of §8 for cards and notes.
func TestMergeOfRows(t *testing.T) {
	t.Parallel()
	const mod = 1000
	for _, c := range []struct {
		name        string
		pendingFrom int64
		usn         int64 // of the row that is here; -2: no row
		mod         int64 // of the row that is here
		stored      bool
	}{
		{"client, absent", -1, -2, 0, true},
		{"client, pending, older", -1, -1, mod - 1, true},
		{"client, pending, equal", -1, -1, mod, false},
		{"client, pending, newer", -1, -1, mod + 1, false},
		{"client, synced, older", -1, 5, mod - 1, true},
		{"client, synced, equal", -1, 5, mod, true},
		{"client, synced, newer", -1, 5, mod + 1, true},
		{"client, synced at 0, newer", -1, 0, mod + 1, true},
		{"server, absent", 30, -2, 0, true},
		{"server, pending, older", 30, 30, mod - 1, true},
		{"server, pending, equal", 30, 30, mod, false},
		{"server, pending, newer", 30, 31, mod + 1, false},
		{"server, seen, older", 30, 29, mod - 1, true},
		{"server, seen, equal", 30, 29, mod, true},
		{"server, seen, newer", 30, 29, mod + 1, true},
		{"server that never synced, newer", 0, 0, mod + 1, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			db := mergeDB(t, "empty.anki2")
			if c.usn != -2 {
				mustExec(t, db, insertCard, 77, c.mod, c.usn)
				mustExec(t, db, insertNote, 77, c.mod, c.usn)
			}
			err := applyChunk(t, db, c.pendingFrom, &wire.Chunk{
				Cards: []wire.Card{{ID: 77, NoteID: 2, DeckID: 3, Mod: mod, USN: 39}},
				Notes: []wire.Note{{ID: 77, GUID: "new", NotetypeID: basicNotetype(t, db), Mod: mod, USN: 39, Fields: "new\x1f"}},
			})
			if err != nil {
				t.Fatal(err)
			}
			card, note := fmt.Sprintf("1|%d|%d", c.mod, c.usn), fmt.Sprintf("old|%d|%d", c.mod, c.usn)
			if c.stored {
				usn := storedUSN(c.pendingFrom, 39)
				card, note = fmt.Sprint("2|1000|", usn), fmt.Sprint("new|1000|", usn)
			}
			wantRows(t, db, "SELECT nid, mod, usn FROM cards", card)
			wantRows(t, db, "SELECT guid, mod, usn FROM notes", note)
		})
	}
}

// storedUSN is the usn under which an object is stored that carries usn: a server gives its own.
func storedUSN(pendingFrom, usn int64) int64 {
	if pendingFrom == -1 {
		return usn
	}
	return syncUSN
}

// TestCardIsStored compares every column.
func TestCardIsStored(t *testing.T) {
	t.Parallel()
	db := mergeDB(t, "empty.anki2")
	mustExec(t, db, insertCard, 2, 1, 0)
	full := wire.Card{NoteID: 11, DeckID: 12, Ord: 13, Mod: 14, USN: 15, Type: 2, Queue: -3, Due: -17, Interval: 18, Factor: 19,
		Reps: 20, Lapses: 21, Left: 22, ODue: 23, ODeckID: 24, Flags: 25, Data: `{"zz":1,"pos":5}`}
	a, b := full, full
	a.ID, b.ID = 1, 2
	if err := applyChunk(t, db, -1, &wire.Chunk{Cards: []wire.Card{a, b}}); err != nil {
		t.Fatal(err)
	}
	const want = `|11|12|13|14|15|2|-3|-17|18|19|20|21|22|23|24|25|{"pos":5}`
	wantRows(t, db, "SELECT * FROM cards ORDER BY id", "1"+want, "2"+want)
}

func TestRevlogIsNeverOverwritten(t *testing.T) {
	t.Parallel()
	db := mergeDB(t, "empty.anki2")
	mustExec(t, db, "INSERT INTO revlog VALUES (5, 1, -1, 2, 3, 4, 5, 6, 1)")
	mustExec(t, db, "INSERT INTO revlog VALUES (6, 1, 3, 2, 3, 4, 5, 6, 1)")
	e := wire.Revlog{CardID: 9, USN: 39, Ease: 4, Interval: -60, LastInterval: 1, Factor: 2500, Time: 1234, Type: 5}
	list := []wire.Revlog{e, e, e, e}
	for i := range list {
		list[i].ID = int64(5 + i)
	}
	list[3].ID = 7 // twice in one chunk
	list[3].CardID = 10
	if err := applyChunk(t, db, -1, &wire.Chunk{Revlog: list}); err != nil {
		t.Fatal(err)
	}
	wantRows(t, db, "SELECT * FROM revlog ORDER BY id", "5|1|-1|2|3|4|5|6|1", "6|1|3|2|3|4|5|6|1", "7|9|39|4|-60|1|2500|1234|5")
}

// TestNoteIsPrepared: what is stored of a received note (collection-format.md §5.1).
func TestNoteIsPrepared(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, fields, tags, want string }{
		{"plain", "dog\x1fcat", " a  b ", "dog\x1fcat|dog|text|3834974802| a b |0|"},
		{"control characters go", "do\x07g\r\x1fc\x00at\t\n", "", "dog\x1fcat\t\n|dog|text|3834974802||0|"},
		{"decomposed text stays", "e\u0301\x1f", "x\u3000y", "e\u0301\x1f|e\u0301|text|2118106353| x y |0|"},
		{"a number sorts as one", "0123\x1f", "", "0123\x1f|123|integer|3300247659||0|"},
		{"a real", " 1.50 \x1f", "", " 1.50 \x1f|1.5|real|3250738705||0|"},
		{"markup", "<b>1</b>\x1f", "", "<b>1</b>\x1f|1|integer|896145707||0|"},
		{"empty", "\x1f", "", "\x1f||text|3661210606||0|"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			db := mergeDB(t, "empty.anki2")
			mustExec(t, db, insertNote, 2, 1, 0)
			n := wire.Note{ID: 1, GUID: "g", NotetypeID: basicNotetype(t, db), Mod: 9, USN: 39, Tags: c.tags, Fields: c.fields}
			again := n
			again.ID = 2
			if err := applyChunk(t, db, -1, &wire.Chunk{Notes: []wire.Note{n, again}}); err != nil {
				t.Fatal(err)
			}
			wantRows(t, db, "SELECT flds, sfld, typeof(sfld), csum, tags, flags, data FROM notes ORDER BY id", c.want, c.want)
		})
	}
}

// TestSortFieldOfNotetype: the sort field of the notetype that was merged just before counts, and is looked up anew
// after it has changed.
func TestSortFieldOfNotetype(t *testing.T) {
	t.Parallel()
	db := mergeDB(t, "empty.anki2")
	two := notetypeJSON(5, "two", 1, 1, []string{"a", "b"}, []string{"c"})
	sorted := []byte(`"sortf":1`)
	other := []byte(string(two[:0]) + replaceOnce(string(two), `"sortf":0`, string(sorted)))
	note := wire.Note{ID: 1, NotetypeID: 5, Mod: 1, USN: 1, Fields: "x\x1fy"}
	err := applyTo(t, db, -1, func(a *collection.Applier) error {
		if err := a.Changes(&wire.Changes{Notetypes: raw(two)}); err != nil {
			return err
		}
		if err := a.Chunk(&wire.Chunk{Notes: []wire.Note{note}}); err != nil {
			return err
		}
		if err := a.Changes(&wire.Changes{Notetypes: raw(other)}); err != nil {
			return err
		}
		note.ID = 2
		return a.Chunk(&wire.Chunk{Notes: []wire.Note{note}})
	})
	if err != nil {
		t.Fatal(err)
	}
	wantRows(t, db, "SELECT id, sfld FROM notes ORDER BY id", "1|x", "2|y")
}

func TestRefusedChunks(t *testing.T) {
	t.Parallel()
	db := mergeDB(t, "empty.anki2")
	basic := basicNotetype(t, db)
	good := wire.Note{ID: 1, NotetypeID: basic, USN: 1, Fields: "a\x1fb"}
	for _, c := range []struct {
		name string
		c    wire.Chunk
		kind fault.Kind
	}{
		{"notetype missing", wire.Chunk{Notes: []wire.Note{good, {ID: 2, NotetypeID: 4711, USN: 1, Fields: "a\x1fb"}}}, fault.InvalidInput},
		{"too few fields", wire.Chunk{Notes: []wire.Note{good, {ID: 2, NotetypeID: basic, USN: 1, Fields: "a"}}}, fault.InvalidInput},
		{"too many fields", wire.Chunk{Notes: []wire.Note{good, {ID: 2, NotetypeID: basic, USN: 1, Fields: "a\x1fb\x1f"}}}, fault.InvalidInput},
		{"pending note", wire.Chunk{Notes: []wire.Note{good, {ID: 2, NotetypeID: basic, USN: -1, Fields: "a\x1fb"}}}, fault.DamagedDownload},
		{"pending card", wire.Chunk{Cards: []wire.Card{{ID: 1, USN: 1}, {ID: 2, USN: -1}}}, fault.DamagedDownload},
		{"pending revlog", wire.Chunk{Revlog: []wire.Revlog{{ID: 1, USN: 1}, {ID: 2, USN: -1}}}, fault.DamagedDownload},
	} {
		if err := applyChunk(t, db, -1, &c.c); !errors.Is(err, c.kind) {
			t.Errorf("%s: %v, want %v", c.name, err, c.kind)
		}
	}
	wantRows(t, db, "SELECT (SELECT count(*) FROM notes), (SELECT count(*) FROM cards), (SELECT count(*) FROM revlog)", "0|0|0")
}

// TestKeptNotesAreNotChecked, as in the reference: a note that loses against a pending one may be anything.
func TestKeptNotesAreNotChecked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		usn, mod int64
		kind     fault.Kind
	}{{-1, 5, 0}, {-1, 4, fault.InvalidInput}, {7, 5, fault.InvalidInput}} {
		db := mergeDB(t, "empty.anki2")
		mustExec(t, db, insertNote, 1, c.mod, c.usn)
		err := applyChunk(t, db, -1, &wire.Chunk{Notes: []wire.Note{{ID: 1, NotetypeID: 4711, Mod: 5, USN: 1}}})
		if fault.KindOf(err) != c.kind {
			t.Errorf("%+v: %v", c, err)
		}
		wantRows(t, db, "SELECT guid, mod FROM notes", fmt.Sprintf("old|%d", c.mod))
	}
}

// TestDuplicateIDs: of two rows with one id the second is merged with the first.
func TestDuplicateIDs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pendingFrom int64
		want        string
	}{
		{-1, "2|5"}, // on a client the first is stored as synced
		{30, "1|9"}, // on a server it counts as changed since the client's last sync
	} {
		db := mergeDB(t, "empty.anki2")
		err := applyChunk(t, db, c.pendingFrom, &wire.Chunk{Cards: []wire.Card{
			{ID: 1, NoteID: 1, Mod: 9, USN: 39}, {ID: 1, NoteID: 2, Mod: 5, USN: 39},
		}})
		if err != nil {
			t.Fatal(err)
		}
		wantRows(t, db, "SELECT nid, mod FROM cards", c.want)
	}
}

// TestDeletedWhileSyncing: an object with a pending grave is not stored, unless it is there again.
func TestDeletedWhileSyncing(t *testing.T) {
	t.Parallel()
	db := mergeDB(t, "empty.anki2")
	basic := basicNotetype(t, db)
	mustExec(t, db, "INSERT INTO graves VALUES (1, 0, -1), (1, 1, -1), (2, 0, 7), (2, 1, 7), (3, 0, -1), (3, 1, -1), (8, 2, -1), (9, 2, 7), (1, 2, -1)")
	mustExec(t, db, insertCard, 3, 5, 4)
	mustExec(t, db, insertNote, 3, 5, 4)
	var c wire.Chunk
	for id := int64(1); id <= 4; id++ {
		c.Cards = append(c.Cards, wire.Card{ID: id, NoteID: 50, Mod: 1, USN: 39})
		c.Notes = append(c.Notes, wire.Note{ID: id, GUID: "new", NotetypeID: basic, Mod: 1, USN: 39, Fields: "a\x1fb"})
	}
	err := applyTo(t, db, -1, func(a *collection.Applier) error {
		err := a.Changes(&wire.Changes{Decks: raw(deckJSON(8, "eight", 1, 39), deckJSON(9, "nine", 1, 39), deckJSON(1, "Renamed", 1<<40, 39))})
		if err != nil {
			return err
		}
		return a.Chunk(&c)
	})
	if err != nil {
		t.Fatal(err)
	}
	wantRows(t, db, "SELECT id, nid FROM cards ORDER BY id", "2|50", "3|50", "4|50")
	wantRows(t, db, "SELECT id, guid FROM notes ORDER BY id", "2|new", "3|new", "4|new")
	wantRows(t, db, "SELECT id, name FROM decks ORDER BY id", "1|Renamed", "9|nine")
}
