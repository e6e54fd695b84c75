package collection_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/wire"
)

// TestSlicesUnannounced stores slices whose number nobody has told: their indexes go on the way, and are back in the end, in a collection that had few
// rows. One that has many keeps them.
func TestSlicesUnannounced(t *testing.T) {
	t.Parallel()
	const schema = "SELECT name, tbl_name, sql FROM sqlite_schema WHERE type IN ('table', 'index') ORDER BY type, name"
	const indexes = "SELECT count(*) FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'revlog' AND sql IS NOT NULL"
	for name, c := range map[string]struct {
		present int
		dropped bool
	}{"few": {3, true}, "many": {3 * manyRows, false}} {
		from, to := mergeDB(t, "empty.anki2"), mergeDB(t, "empty.anki2")
		fillPending(t, from, manyRows, manyRows, manyRows)
		fillPending(t, to, c.present, 3, 3)
		mustExec(t, to, "UPDATE revlog SET id = -id")
		before, had := listRows(t, to, schema), listRows(t, to, indexes)
		if _, err := collection.CopyPending(from); err != nil {
			t.Fatal(err)
		}
		err := applyTo(t, to, 0, func(a *collection.Applier) error {
			s := collection.NewSlices(a)
			for _, slice := range allSlices(t, from, 250) {
				if err := errors.Join(s.Take(&slice), s.Store()); err != nil {
					return err
				}
			}
			if err := s.StoreAll(); err != nil {
				return err
			}
			if now := listRows(t, to, indexes); slices.Equal(now, had) == c.dropped {
				t.Errorf("%s: %s indexes of %s are left before the end", name, now, had)
			}
			return errors.Join(s.End(), s.End())
		})
		if err != nil {
			t.Fatal(err)
		}
		if after := listRows(t, to, schema); !slices.Equal(before, after) {
			t.Errorf("%s: the schema was\n%q\nand is\n%q", name, before, after)
		}
		if n, err := rows.IntOf(to, "SELECT count(*) FROM revlog INDEXED BY ix_revlog_usn WHERE usn >= -1"); err != nil || n != int64(manyRows+c.present) {
			t.Errorf("%s: %d rows, %v", name, n, err)
		}
		if err := collection.CheckIntegrity(to); err != nil {
			t.Error(name, err)
		}
	}
}

// TestSlicesInAnyOrder: slices that wait for others are stored from the lowest id on, which makes no difference: not for slices that overtook each
// other, and not for rows that occur again.
func TestSlicesInAnyOrder(t *testing.T) {
	t.Parallel()
	from := mergeDB(t, "empty.anki2")
	fillPending(t, from, 700, 300, 300)
	if _, err := collection.CopyPending(from); err != nil {
		t.Fatal(err)
	}
	list := allSlices(t, from, 50)
	mixed := slices.Clone(list)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
	again := slices.Clone(list)
	for i, s := range list {
		again = append(again, changedSlice(s, int64(i%3-1)))
	}
	for name, list := range map[string][]wire.Chunk{"as sent": list, "mixed": mixed, "again": again, "rising": {reversed(list[0]), reversed(list[1])}} {
		one, other := mergeDB(t, "empty.anki2"), mergeDB(t, "empty.anki2")
		err := applyTo(t, one, 3, func(a *collection.Applier) error {
			for i := range list {
				if err := a.Chunk(&list[i]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(name, err)
		}
		err = applyTo(t, other, 3, func(a *collection.Applier) error {
			s := collection.NewSlices(a)
			for i := range list {
				if err := errors.Join(s.Take(&list[i]), s.Store()); err != nil {
					return err
				}
			}
			return s.End()
		})
		if err != nil {
			t.Fatal(name, err)
		}
		compareDumps(t, dump(t, other), dump(t, one))
	}
}

// changedSlice returns a slice with the same ids and other contents, which are that much newer.
func changedSlice(c wire.Chunk, newer int64) wire.Chunk {
	c.Revlog, c.Cards, c.Notes = slices.Clone(c.Revlog), slices.Clone(c.Cards), slices.Clone(c.Notes)
	for i := range c.Revlog {
		c.Revlog[i].Time++
	}
	for i := range c.Cards {
		c.Cards[i].Mod += newer
		c.Cards[i].Reps++
	}
	for i := range c.Notes {
		c.Notes[i].Mod += newer
		c.Notes[i].GUID += "+"
	}
	return c
}

func reversed(c wire.Chunk) wire.Chunk {
	c.Revlog, c.Cards, c.Notes = slices.Clone(c.Revlog), slices.Clone(c.Cards), slices.Clone(c.Notes)
	slices.Reverse(c.Revlog)
	slices.Reverse(c.Cards)
	slices.Reverse(c.Notes)
	return c
}

// TestSliceRefused: what is wrong with a slice is found with it, although its rows would wait.
func TestSliceRefused(t *testing.T) {
	t.Parallel()
	db := mergeDB(t, "empty.anki2")
	note := wire.Note{ID: 1, GUID: "g", NotetypeID: 4711, Mod: 1, Fields: "a\x1fb"}
	err := applyTo(t, db, 0, func(a *collection.Applier) error {
		s := collection.NewSlices(a)
		return errors.Join(s.Take(&wire.Chunk{Notes: []wire.Note{note}}), s.Store())
	})
	if !errors.Is(err, fault.InvalidInput) {
		t.Errorf("a note without a notetype: %v", err)
	}
	if n := fmt.Sprint(listRows(t, db, "SELECT count(*) FROM notes")); n != "[0]" {
		t.Errorf("%s notes", n)
	}
}
