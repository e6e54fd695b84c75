package collection

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/wire"
)

// manyRows is how many rows of a table must have come before its indexes are dropped. It is less than bulkRows: that they are made anew is in
// any case a part of a long session.
const manyRows = 1_500

// longRows is how many rows of a table make a session long.
const longRows = 4_000

// waitingBytes is how much of a session waits to be stored. Senders begin with the highest ids, and SQLite appends to a table much faster than
// it puts rows in between: so the rows of many slices are stored at once, from the lowest id on.
const waitingBytes = 4 << 20

// Slices stores slices for a server, which does not know how many come. Their rows wait for others, and once they are most of a table, its indexes are
// dropped as Bulk does, until End; a rollback brings them back, too. It is no part of Applier, so that a client's program has nothing of it.
type Slices struct {
	a      *Applier
	tables [3]arriving // as a slice has them
	slice  [3]part     // at hand
	bytes  int         // of what waits
}

// arriving is what has come of a table.
type arriving struct {
	name    string
	present int64 // rows that there were; -1: not counted yet
	stored  int64
	dropped []index
	waiting []part // in the order in which they came
}

// NewSlices returns Slices that store with a.
func NewSlices(a *Applier) *Slices {
	return &Slices{a: a, tables: [...]arriving{{name: "revlog", present: -1}, {name: "cards", present: -1}, {name: "notes", present: -1}}}
}

// part is a slice's rows of a table.
type part struct {
	packed       []byte // parameters of the statement that stores them
	low, high, n int64  // ids, rows
	falling      bool   // each id was lower than the one before; packed, they rise
}

// Take checks the rows of a slice, and keeps them for Store. c may be used again.
func (s *Slices) Take(c *wire.Chunk) (err error) {
	s.slice = [...]part{
		partOf(c.Revlog, func(r *wire.Revlog) int64 { return r.ID }),
		partOf(c.Cards, func(c *wire.Card) int64 { return c.ID }),
		partOf(c.Notes, func(n *wire.Note) int64 { return n.ID }),
	}
	return s.a.stage(c)
}

func partOf[T any](list []T, id func(*T) int64) part {
	if len(list) == 0 {
		return part{}
	}
	p := part{low: id(&list[len(list)-1]), high: id(&list[0]), n: int64(len(list)), falling: true}
	for i := 1; i < len(list) && p.falling; i++ {
		p.falling = id(&list[i]) < id(&list[i-1])
	}
	return p
}

// Store stores what was taken. What is wrong with the rows is found now, though most of them wait.
func (s *Slices) Store() error {
	if err := s.unstage(); err != nil {
		return err
	}
	for i := range s.tables {
		t, p := &s.tables[i], s.slice[i]
		if p.n > 0 {
			t.waiting = append(t.waiting, p)
			s.bytes += len(p.packed)
		} else if err := s.store(t); err != nil { // no more of these will come
			return err
		}
	}
	if s.bytes < waitingBytes {
		return nil
	}
	return s.StoreAll()
}

// unstage packs the slice at hand.
func (s *Slices) unstage() error {
	cards := 8 + int(binary.LittleEndian.Uint32(s.a.staged))
	notes := cards + int(binary.LittleEndian.Uint32(s.a.staged[4:]))
	slice := &s.slice
	slice[0].packed, slice[1].packed = slices.Clone(s.a.staged[8:cards]), slices.Clone(s.a.staged[cards:notes])
	s.a.packed = make([]byte, 0, len(s.a.staged)-notes+64*int(slice[2].n))
	if err := s.packNotes(s.a.staged[notes:]); err != nil {
		return fmt.Errorf("apply notes: %w", err)
	}
	slice[2].packed, s.a.packed = s.a.packed, nil
	return nil
}

// packNotes packs staged notes as applyNotes does.
func (s *Slices) packNotes(staged []byte) (err error) {
	for len(staged) > 0 {
		var rest []byte
		if s.a.row, rest, err = rows.Decode(staged, s.a.row); err != nil {
			return fault.Wrap(fault.Internal, err, "read a staged note")
		}
		err = s.a.appendNote(s.a.row, staged[:len(staged)-len(rest)])
		if errors.Is(err, fault.InvalidInput) {
			err = s.a.unlessKept(s.a.row[0].Int(), s.a.row[3].Int(), err)
		}
		if err != nil {
			return err
		}
		staged = rest
	}
	return nil
}

// StoreAll stores the rows that wait. It comes before anything else is done with the collection.
func (s *Slices) StoreAll() error {
	for i := range s.tables {
		if err := s.store(&s.tables[i]); err != nil {
			return err
		}
	}
	return nil
}

// store stores the rows of a table that wait.
func (s *Slices) store(t *arriving) error {
	if len(t.waiting) == 0 {
		return nil
	}
	if err := s.expect(t); err != nil {
		return err
	}
	sql := revlogSQL
	switch t.name {
	case "cards":
		sql = s.a.cardSQL()
	case "notes":
		sql = s.a.noteSQL()
	}
	for _, p := range t.rising() {
		s.bytes -= len(p.packed)
		if err := s.a.runPacked(sql, p.packed); err != nil {
			return fmt.Errorf("apply %s: %w", t.name, err)
		}
	}
	t.waiting = nil
	return nil
}

// rising returns the parts that wait from the lowest id on, unless an id occurs twice: then it matters which came first.
func (t *arriving) rising() []part {
	list := slices.SortedFunc(slices.Values(t.waiting), func(p, q part) int { return cmp.Compare(p.low, q.low) })
	for i, p := range list {
		if !p.falling || i > 0 && list[i-1].high >= p.low {
			return t.waiting
		}
	}
	return list
}

// expect counts rows that are about to be stored, and drops the table's indexes when it is time.
func (s *Slices) expect(t *arriving) (err error) {
	before := t.stored
	for _, p := range t.waiting {
		t.stored += p.n
	}
	if t.dropped != nil || t.stored < manyRows {
		return nil
	}
	if t.present < 0 {
		if t.present, err = rows.IntOf(s.a.db, "SELECT count(*) FROM main."+t.name); err != nil {
			return err
		}
		t.present -= before
	}
	if t.stored < t.present/2 {
		return nil
	}
	if t.dropped, err = droppable(s.a.db, t.name, ""); err != nil {
		return err
	}
	return dropIndexes(s.a.db, t.dropped)
}

// Long reports whether indexes were dropped of a table with so many rows that it takes memory to make them again, as End will.
func (s *Slices) Long() bool {
	return slices.ContainsFunc(s.tables[:], func(t arriving) bool { return len(t.dropped) > 0 && t.present+t.stored >= longRows })
}

// End stores what waits, and makes the indexes again that were dropped. It is called after the last slice, and before the session's
// transaction is committed.
func (s *Slices) End() error {
	if err := s.StoreAll(); err != nil {
		return err
	}
	for i := range s.tables {
		t := &s.tables[i]
		if err := makeIndexes(s.a.db, t.dropped); err != nil {
			return err
		}
		t.dropped = nil
	}
	return nil
}
