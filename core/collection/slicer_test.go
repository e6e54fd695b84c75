package collection_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/wire"
)

// fillPending empties the row tables and stores the given numbers of pending rows, ids from 1.
func fillPending(t testing.TB, db host.DB, revlog, notes, cards int) {
	t.Helper()
	mustExec(t, db, "DELETE FROM revlog")
	mustExec(t, db, "DELETE FROM notes")
	mustExec(t, db, "DELETE FROM cards")
	const ids = "WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < ?) "
	if revlog > 0 {
		mustExec(t, db, "INSERT INTO revlog "+ids+"SELECT id, 1, -1, 3, 10, 5, 2500, 4000, 1 FROM n", revlog)
	}
	if notes > 0 {
		mustExec(t, db, "INSERT INTO notes "+ids+"SELECT id, 'guid' || id, (SELECT min(id) FROM notetypes), 1000, -1, ' a b ', "+
			"'front of the note ' || id || char(31) || 'back of it', 'front of the note ' || id, 123456789, 0, '' FROM n", notes)
	}
	if cards > 0 {
		mustExec(t, db, "INSERT INTO cards "+ids+"SELECT id, id, 1, 0, 1000, -1, 2, 2, 500, 10, 2500, 7, 0, 0, 0, 0, 0, '{}' FROM n", cards)
	}
}

func allSlices(t testing.TB, db host.DB, size int) (list []wire.Chunk) {
	t.Helper()
	s, err := collection.NewSlicer(db, syncUSN, size)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for {
		var c wire.Chunk
		if err := s.Next(&c); err != nil {
			t.Fatal(err)
		}
		list = append(list, keep(c))
		if c.Done {
			if s.Left() != 0 {
				t.Errorf("%d rows are left", s.Left())
			}
			return list
		}
	}
}

// keep makes the strings of a slice outlast the next one.
func keep(c wire.Chunk) wire.Chunk {
	for i := range c.Notes {
		n := &c.Notes[i]
		n.GUID, n.Tags, n.Fields = strings.Clone(n.GUID), strings.Clone(n.Tags), strings.Clone(n.Fields)
	}
	for i := range c.Cards {
		c.Cards[i].Data = strings.Clone(c.Cards[i].Data)
	}
	return c
}

// TestSlices has the sizes of the slices (§7.6): revlog, notes, cards in turn, at most two over the limit, and an empty
// slice after a set that fills the last one exactly.
func TestSlices(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		revlog, notes, cards, size int
		want                       []string
	}{
		{0, 0, 0, 250, []string{"0 0 0 true"}},
		{1, 0, 0, 250, []string{"1 0 0 true"}},
		{249, 0, 0, 250, []string{"249 0 0 true"}},
		{250, 0, 0, 250, []string{"250 0 0 false", "0 0 0 true"}},
		{251, 0, 0, 250, []string{"250 0 0 false", "1 0 0 true"}},
		{0, 0, 500, 250, []string{"0 0 250 false", "0 0 250 false", "0 0 0 true"}},
		{100, 100, 100, 250, []string{"84 84 84 false", "16 16 16 true"}},
		{60, 300, 300, 250, []string{"60 95 95 false", "0 125 125 false", "0 80 80 true"}},
		{0, 126, 126, 250, []string{"0 125 125 false", "0 1 1 true"}},
		{0, 0, 10, 3, []string{"0 0 3 false", "0 0 3 false", "0 0 3 false", "0 0 1 true"}},
		{2, 2, 2, 1, []string{"1 1 1 false", "1 1 1 false", "0 0 0 true"}},
		{300, 300, 300, 10_000, []string{"300 300 300 true"}},
	} {
		t.Run(fmt.Sprint(c.revlog, c.notes, c.cards, c.size), func(t *testing.T) {
			t.Parallel()
			db := mergeDB(t, "empty.anki2")
			fillPending(t, db, c.revlog, c.notes, c.cards)
			n, err := collection.CopyPending(db)
			if err != nil || n != int64(c.revlog+c.notes+c.cards) {
				t.Fatal(n, err)
			}
			var got []string
			next := [3]int{c.revlog, c.notes, c.cards} // ids descend through all slices
			for _, s := range allSlices(t, db, c.size) {
				got = append(got, fmt.Sprint(len(s.Revlog), len(s.Notes), len(s.Cards), s.Done))
				for _, r := range s.Revlog {
					descend(t, r.ID, r.USN, &next[0])
				}
				for _, n := range s.Notes {
					descend(t, n.ID, n.USN, &next[1])
				}
				for _, c := range s.Cards {
					descend(t, c.ID, c.USN, &next[2])
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func descend(t *testing.T, id int64, usn int32, next *int) {
	t.Helper()
	if id != int64(*next) || usn != syncUSN {
		t.Errorf("id %d with usn %d, want id %d", id, usn, *next)
	}
	*next--
}

// TestSlicerAfterEnd: more calls give more empty last slices; a slice reuses the memory of the one before.
func TestSlicerAfterEnd(t *testing.T) {
	t.Parallel()
	db := mergeDB(t, "empty.anki2")
	fillPending(t, db, 3, 0, 0)
	if _, err := collection.CopyPending(db); err != nil {
		t.Fatal(err)
	}
	s, err := collection.NewSlicer(db, 1, 250)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var c wire.Chunk
	for _, want := range []int{3, 0, 0} {
		if err := s.Next(&c); err != nil || len(c.Revlog) != want || !c.Done {
			t.Errorf("%d rows, done %v, %v", len(c.Revlog), c.Done, err)
		}
	}
}

// TestSlicedRows compares every value; only pending rows are copied, the highest and lowest ids among them.
func TestSlicedRows(t *testing.T) {
	t.Parallel()
	db := mergeDB(t, "empty.anki2")
	mustExec(t, db, "INSERT INTO revlog VALUES (?, -7, -1, 4, -600, 2147483647, 4294967295, 60000, 5)", int64(math.MaxInt64))
	mustExec(t, db, "INSERT INTO revlog VALUES (?, 1, -1, 4, 1.9, -1.9, 1, 'x', 9)", int64(math.MinInt64))
	mustExec(t, db, "INSERT INTO revlog VALUES (5, 1, 3, 4, 1, 1, 1, 1, 1)")
	mustExec(t, db, "INSERT INTO notes VALUES (1, 'g', 2, 3, -1, ' t ', 'a' || char(31) || 'b', '0012', 99, 8, 'd'), (2, 'g', 2, 3, 0, '', '', '', 0, 0, '')")
	mustExec(t, db, "INSERT INTO cards VALUES (1, 11, 12, 65535, 14, -1, 3, -3, -17, 4294967295, 65535, 20, 21, 22, -23, -24, 255, '{\"pos\":1,\"x\":2}')")
	mustExec(t, db, "INSERT INTO cards VALUES (2, 11, 12, 0, 14.7, -1, 0, 4, 'x', 3.9, 0, 0, 0, 0, 1.5, 0, 0, x'00')")
	if n, err := collection.CopyPending(db); n != 5 || err != nil {
		t.Fatal(n, err)
	}
	list := allSlices(t, db, 250)
	got := fmt.Sprintf("%+v", list[0])
	want := fmt.Sprintf("%+v", wire.Chunk{
		Done: true,
		Revlog: []wire.Revlog{
			{ID: math.MaxInt64, CardID: -7, USN: 40, Ease: 4, Interval: -600, LastInterval: math.MaxInt32, Factor: math.MaxUint32, Time: 60000, Type: 5},
			{ID: math.MinInt64, CardID: 1, USN: 40, Ease: 4, Interval: 1, LastInterval: -1, Factor: 1},
		},
		Notes: []wire.Note{{ID: 1, GUID: "g", NotetypeID: 2, Mod: 3, USN: 40, Tags: " t ", Fields: "a\x1fb"}},
		Cards: []wire.Card{
			{ID: 2, NoteID: 11, DeckID: 12, Mod: 14, USN: 40, Queue: 4, Interval: 3, Data: "{}"},
			{ID: 1, NoteID: 11, DeckID: 12, Ord: 65535, Mod: 14, USN: 40, Type: 3, Queue: -3, Due: -17, Interval: math.MaxUint32, Factor: 65535,
				Reps: 20, Lapses: 21, Left: 22, ODue: -23, ODeckID: -24, Flags: 255, Data: `{"pos":1}`},
		},
	})
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestUnsendableRows: values that the protocol cannot express name the row.
func TestUnsendableRows(t *testing.T) {
	t.Parallel()
	db := mergeDB(t, "empty.anki2")
	for _, c := range []struct{ table, set string }{
		{"cards", "nid = 'x'"}, {"cards", "did = 1.5"}, {"cards", "ord = -1"}, {"cards", "ord = 65536"},
		{"cards", "type = 4"}, {"cards", "type = -1"}, {"cards", "queue = 5"}, {"cards", "queue = -4"},
		{"cards", "ivl = -1"}, {"cards", "ivl = 4294967296"}, {"cards", "factor = 65536"}, {"cards", "factor = -1"},
		{"cards", "reps = -1"}, {"cards", "lapses = 4294967296"}, {"cards", "left = -1"}, {"cards", "odid = 'x'"},
		{"cards", "flags = 256"}, {"cards", "flags = -1"},
		{"revlog", "cid = 'x'"}, {"revlog", "ease = 256"}, {"revlog", "factor = -1"}, {"revlog", "ivl = 2147483648"},
		{"notes", "guid = x'00'"}, {"notes", "mid = 'x'"}, {"notes", "mod = 1.5"}, {"notes", "flds = CAST(x'ff' AS TEXT)"}, {"notes", "tags = x'41'"},
	} {
		fillPending(t, db, 3, 3, 3)
		mustExec(t, db, "UPDATE "+c.table+" SET "+c.set+" WHERE id = 2")
		if _, err := collection.CopyPending(db); err != nil {
			t.Fatal(err)
		}
		s, err := collection.NewSlicer(db, 1, 250)
		if err != nil {
			t.Fatal(err)
		}
		err = s.Next(&wire.Chunk{})
		s.Close()
		var e *fault.Error
		if !errors.As(err, &e) || e.Kind != fault.DamagedFile || e.Details["id"] != int64(2) {
			t.Errorf("%s, %s: %v", c.table, c.set, err)
		}
	}
}

// TestCopiesStayBehind: what is sliced is what was there at the copy; edits, and rows that came since, do not matter.
func TestCopiesStayBehind(t *testing.T) {
	t.Parallel()
	db := mergeDB(t, "empty.anki2")
	fillPending(t, db, 1, 1, 1)
	if _, err := collection.CopyPending(db); err != nil {
		t.Fatal(err)
	}
	mustExec(t, db, "DELETE FROM revlog")
	mustExec(t, db, "UPDATE notes SET guid = 'edited'")
	mustExec(t, db, insertCard, 9, 1, -1)
	c := allSlices(t, db, 250)[0]
	if len(c.Revlog) != 1 || len(c.Cards) != 1 || c.Notes[0].GUID != "guid1" {
		t.Errorf("%+v", c)
	}
	if n, err := collection.CopyPending(db); n != 3 || err != nil { // replaces the first copies
		t.Error(n, err)
	}
	for range 2 {
		if err := collection.DropCopies(db); err != nil {
			t.Error(err)
		}
	}
	if c := allSlices(t, db, 250); len(c) != 1 || !c[0].Done || len(c[0].Notes)+len(c[0].Cards)+len(c[0].Revlog) > 0 {
		t.Errorf("copies after they were dropped: %+v", c)
	}
}

// TestCopyRolledBack: a rolled back transaction leaves no copies.
func TestCopyRolledBack(t *testing.T) {
	t.Parallel()
	db := mergeDB(t, "empty.anki2")
	fillPending(t, db, 1, 1, 1)
	err := rows.Transaction(db, func() error {
		if _, err := collection.CopyPending(db); err != nil {
			t.Fatal(err)
		}
		return errors.New("no")
	})
	if err == nil {
		t.Fatal("committed")
	}
	wantRows(t, db, "SELECT name FROM temp.sqlite_master")
}
