package collection_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/rows"
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
			for _, slice := range allSlices(t, from, 250) {
				if err := a.Slice(&slice); err != nil {
					return err
				}
			}
			if now := listRows(t, to, indexes); slices.Equal(now, had) == c.dropped {
				t.Errorf("%s: %s indexes of %s are left before the end", name, now, had)
			}
			return errors.Join(a.EndSlices(), a.EndSlices())
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
