package collection_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/wire"
)

// TestListSince: a server sends what has changed since minUSN with its own usn; what is stored after the listing is not sent,
// what is deleted after it is left out, what is changed after it is sent as it is then.
func TestListSince(t *testing.T) {
	t.Parallel()
	db := mergeDB(t, "empty.anki2")
	fillPending(t, db, 40, 40, 40)
	for _, table := range []string{"revlog", "notes", "cards"} {
		mustExec(t, db, "UPDATE "+table+" SET usn = 10 + id")
	}
	var got []wire.Chunk
	var s *collection.Slicer
	err := rows.Transaction(db, func() error {
		var err error
		if s, err = collection.ListSince(db, 31, 25); err != nil { // 20 of each
			return err
		}
		for i := 0; ; i++ {
			var c wire.Chunk
			if err := s.Next(&c); err != nil {
				return err
			}
			got = append(got, c)
			if i == 0 {
				mustExec(t, db, "DELETE FROM cards WHERE id BETWEEN 25 AND 29")
				mustExec(t, db, "UPDATE notes SET flds = 'changed', usn = 99 WHERE id = 21")
				mustExec(t, db, "INSERT INTO revlog VALUES (1000, 1, 99, 3, 10, 5, 2500, 4000, 1)")
				s.SetSize(1000)
			}
			if c.Done {
				break
			}
		}
		return nil
	})
	coretest.Must(t, err)
	coretest.Must(t, s.DropLists(db))
	if len(got) != 2 || got[0].Len() != 27 || len(got[0].Cards) != 9 {
		t.Fatalf("%d slices, the first with %d rows", len(got), got[0].Len())
	}
	var ids [3][]int64
	for _, c := range got {
		for _, r := range c.Revlog {
			ids[0] = append(ids[0], r.ID)
		}
		for _, n := range c.Notes {
			ids[1] = append(ids[1], n.ID)
			if want := map[bool]int32{true: 99, false: int32(10 + n.ID)}[n.ID == 21]; n.USN != want {
				t.Errorf("note %d has usn %d", n.ID, n.USN)
			}
		}
		for _, r := range c.Cards {
			ids[2] = append(ids[2], r.ID)
		}
	}
	whole := descending(40, 21)
	if !slices.Equal(ids[0], whole) || !slices.Equal(ids[1], whole) || !slices.Equal(ids[2], append(descending(40, 30), descending(24, 21)...)) {
		t.Errorf("ids: %v", ids)
	}
	if last := got[1].Notes[len(got[1].Notes)-1]; last.Fields != "changed" {
		t.Errorf("the last note: %+v", last)
	}
}

func descending(from, to int64) (ids []int64) {
	for ; from >= to; from-- {
		ids = append(ids, from)
	}
	return ids
}

// TestListedSlicesEndEarly: notes of a megabyte make small slices, and none is lost.
func TestListedSlicesEndEarly(t *testing.T) {
	t.Parallel()
	db := mergeDB(t, "empty.anki2")
	fillPending(t, db, 100, 30, 30)
	mustExec(t, db, "UPDATE notes SET flds = ?, usn = 5", strings.Repeat("x", 1<<20))
	mustExec(t, db, "UPDATE cards SET usn = 5")
	mustExec(t, db, "UPDATE revlog SET usn = 5")
	s, err := collection.ListSince(db, 5, 250)
	coretest.Must(t, err)
	defer s.Close()
	slices, total := 0, 0
	for c := (wire.Chunk{}); !c.Done; slices++ {
		coretest.Must(t, s.Next(&c))
		if len(c.Notes) > 9 {
			t.Errorf("%d notes in a slice", len(c.Notes))
		}
		total += c.Len()
	}
	if total != 160 || slices < 4 {
		t.Errorf("%d rows in %d slices", total, slices)
	}
}

// TestSince: the graves and objects of a server, each with its own usn.
func TestSince(t *testing.T) {
	t.Parallel()
	db := mergeDB(t, "stock.anki2")
	coretest.Must(t, collection.SettlePending(db, 7))
	if pending, err := collection.AnyPending(db); err != nil || pending {
		t.Fatal(pending, err)
	}
	mustExec(t, db, "DELETE FROM graves")
	mustExec(t, db, "INSERT INTO graves VALUES (1, 0, 7), (2, 1, 8), (3, 2, 9), (4, 5, 9)")
	g, err := collection.GravesSince(db, 8)
	coretest.Must(t, err)
	if fmt.Sprint(g) != "{[] [2] [3]}" {
		t.Errorf("graves: %v", g)
	}
	mustExec(t, db, "UPDATE decks SET usn = 9 WHERE id = 1")
	mustExec(t, db, "UPDATE tags SET usn = 3")
	c, err := collection.ChangesSince(db, 8, false)
	coretest.Must(t, err)
	if len(c.Decks) != 1 || !strings.Contains(string(c.Decks[0]), `"usn":9`) || len(c.Notetypes)+len(c.DeckConfigs)+len(c.Tags) > 0 || c.Config != nil || c.Crt != nil {
		t.Errorf("changes: %+v", c)
	}
	if c, err = collection.ChangesSince(db, 0, true); err != nil {
		t.Fatal(err)
	}
	if n := listRows(t, db, "SELECT count(*) FROM notetypes")[0]; fmt.Sprint(len(c.Notetypes)) != n || c.Config == nil || c.Crt == nil || len(c.Tags) == 0 {
		t.Errorf("everything: %d notetypes, config %v", len(c.Notetypes), c.Config)
	}
	mustExec(t, db, "UPDATE tags SET usn = -1 WHERE tag = (SELECT min(tag) FROM tags)")
	if pending, err := collection.AnyPending(db); err != nil || !pending {
		t.Fatal(pending, err)
	}
}
