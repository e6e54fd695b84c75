package collection

import (
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/wire"
)

// manyRows is how many rows of a table must have come before its indexes are dropped for those that are still to come. It is less than
// bulkRows: a sender that has sent so many without an end is likely to have many more.
const manyRows = 4_000

// incoming is what has come of a table in a session of which nobody knows how long it gets.
type incoming struct {
	table   string
	present int64 // rows that there were; -1: not counted yet
	seen    int64
	coming  int64 // of the slice at hand
	dropped []index
}

// Slice is Chunk for a server, which does not know how many slices come. Once they have brought most of a table, its indexes are dropped as
// Bulk does, until EndSlices; a rollback brings them back, too.
func (a *Applier) Slice(c *wire.Chunk) error {
	if err := a.TakeSlice(c); err != nil {
		return err
	}
	return a.StoreSlice()
}

// TakeSlice is the first half of Slice: it checks the rows, and keeps them for StoreSlice. c may be used again.
func (a *Applier) TakeSlice(c *wire.Chunk) (err error) {
	if a.incoming == nil {
		a.incoming = []incoming{{table: "revlog", present: -1}, {table: "cards", present: -1}, {table: "notes", present: -1}}
	}
	for i, n := range [...]int{len(c.Revlog), len(c.Cards), len(c.Notes)} {
		a.incoming[i].coming = int64(n)
	}
	return a.stage(c)
}

// StoreSlice is the other half.
func (a *Applier) StoreSlice() error {
	for i := range a.incoming {
		if err := a.expect(&a.incoming[i]); err != nil {
			return err
		}
	}
	return a.Staged(a.staged)
}

// expect counts rows that are about to be stored, and drops the table's indexes when it is time.
func (a *Applier) expect(t *incoming) (err error) {
	n, before := t.coming, t.seen
	t.seen += n
	if n == 0 || t.dropped != nil || before < manyRows {
		return nil
	}
	if t.present < 0 {
		if t.present, err = rows.IntOf(a.db, "SELECT count(*) FROM main."+t.table); err != nil {
			return err
		}
		t.present -= before
	}
	if before < t.present/2 {
		return nil
	}
	if t.dropped, err = droppable(a.db, t.table, ""); err != nil {
		return err
	}
	return dropIndexes(a.db, t.dropped)
}

// Long reports whether Slice has dropped indexes, which EndSlices will make again.
func (a *Applier) Long() bool {
	for i := range a.incoming {
		if len(a.incoming[i].dropped) > 0 {
			return true
		}
	}
	return false
}

// EndSlices makes the indexes again that Slice has dropped. It is called after the last slice, and before the session's transaction is
// committed.
func (a *Applier) EndSlices() error {
	for i := range a.incoming {
		t := &a.incoming[i]
		if err := makeIndexes(a.db, t.dropped); err != nil {
			return err
		}
		t.dropped = nil
	}
	return nil
}
