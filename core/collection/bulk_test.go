package collection_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/wire"
)

const manyRows = 10_050 // more than enough for the indexes to be made anew

// TestBulk sends and receives so many rows that indexes are dropped on the way: they are all there afterwards, one with a
// strange name, too, and agree with the tables.
func TestBulk(t *testing.T) {
	t.Parallel()
	from, to := mergeDB(t, "empty.anki2"), mergeDB(t, "empty.anki2")
	const schema = "SELECT name, tbl_name, sql FROM sqlite_schema WHERE type IN ('table', 'index') ORDER BY type, name"
	fillPending(t, from, manyRows, manyRows, manyRows)
	fillPending(t, to, 3, 3, 3)
	mustExec(t, from, `CREATE INDEX "a ""strange"" name" ON revlog (usn, ease)`)
	mustExec(t, to, "CREATE UNIQUE INDEX stays ON revlog (id, usn)")
	before := [2][]string{listRows(t, from, schema), listRows(t, to, schema)}
	if _, err := collection.CopyPending(from); err != nil {
		t.Fatal(err)
	}
	err := applyTo(t, to, 0, func(a *collection.Applier) error {
		return a.Bulk(manyRows, manyRows, manyRows, func() error {
			if n, err := rows.IntOf(to, "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'ix_revlog_%' OR name = 'stays'"); n != 1 || err != nil {
				t.Errorf("%d indexes of revlog are left, want the unique one (%v)", n, err)
			}
			for _, c := range allSlices(t, from, 250) {
				if err := a.Chunk(&c); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := collection.StampSent(from, syncUSN, false); err != nil {
		t.Fatal(err)
	}
	wantRows(t, from, "SELECT count(*) FROM revlog INDEXED BY ix_revlog_usn WHERE usn = 40", "10050")
	wantRows(t, to, "SELECT count(*), sum(usn = 40) FROM cards INDEXED BY ix_cards_nid", "10050|10050")
	if err := errors.Join(collection.DropCopies(from), collection.CheckIntegrity(from), collection.CheckIntegrity(to)); err != nil {
		t.Error(err)
	}
	after := [2][]string{listRows(t, from, schema), listRows(t, to, schema)}
	for i := range after {
		if !slices.Equal(before[i], after[i]) {
			t.Errorf("the schema was\n%q\nand is\n%q", before[i], after[i])
		}
	}
}

// TestBulkFails: an error rolls the dropped indexes back as well.
func TestBulkFails(t *testing.T) {
	t.Parallel()
	db := mergeDB(t, "empty.anki2")
	const indexes = "SELECT count(*) FROM sqlite_schema WHERE type = 'index'"
	before := listRows(t, db, indexes)
	err := applyTo(t, db, -1, func(a *collection.Applier) error {
		return a.Bulk(manyRows, manyRows, manyRows, func() error {
			return a.Chunk(&wire.Chunk{Revlog: []wire.Revlog{{ID: 1, USN: -1}}})
		})
	})
	if err == nil {
		t.Fatal("no error")
	}
	wantRows(t, db, indexes, before...)
}
