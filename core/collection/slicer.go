package collection

import (
	"fmt"
	"math"

	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/wire"
)

// Slicer cuts the copies that CopyPending made into slices to be sent. Between two calls none of its statements is
// running, so that the connection is free for anything but dropping the copies.
type Slicer struct {
	usn    int32
	size   int
	parts  [len(sentTables)]slicedTable
	packed []byte
	row    rows.Row
}

// slicedTable is where the slicer is in one of the copies: ids are taken from the end.
type slicedTable struct {
	*sentTable
	statement host.Stmt
	left      int64
	upTo      int64 // higher ids have been taken
}

// NewSlicer returns a Slicer over all that was copied. usn is put into the rows; size is the number of rows in a
// slice, which may exceed it by two (§7.6).
func NewSlicer(db host.DB, usn int64, size int) (*Slicer, error) {
	s := &Slicer{usn: int32(usn), size: size}
	for i := range s.parts {
		t := &sentTables[i]
		n, err := rows.IntOf(db, "SELECT count(*) FROM "+t.copy)
		var st host.Stmt
		if err == nil {
			st, err = db.Prepare("SELECT id" + t.list(", ") + " FROM " + t.copy + " WHERE id <= ? ORDER BY id DESC LIMIT ?")
		}
		if err != nil {
			s.Close()
			return nil, fmt.Errorf("read copies of %s: %w", t.name, err)
		}
		s.parts[i] = slicedTable{sentTable: t, statement: st, left: n, upTo: math.MaxInt64}
	}
	return s, nil
}

// Close releases the prepared statements. It may be called more than once.
func (s *Slicer) Close() {
	for i := range s.parts {
		if st := s.parts[i].statement; st != nil {
			st.Close()
		}
	}
}

// Left returns how many rows are still to be taken.
func (s *Slicer) Left() (n int64) {
	for i := range s.parts {
		n += s.parts[i].left
	}
	return n
}

// Next puts the next slice into c, reusing its memory. c.Done is set with the last slice, and again after it. A row
// that the protocol cannot express is fault.DamagedFile.
func (s *Slicer) Next(c *wire.Chunk) error {
	c.Revlog, c.Notes, c.Cards = c.Revlog[:0], c.Notes[:0], c.Cards[:0]
	var take [len(sentTables)]int64
	take, c.Done = s.share()
	err := s.read(0, take[0], func(id int64, row rows.Row) error {
		c.Revlog = append(c.Revlog, wire.Revlog{ID: id, USN: s.usn})
		return revlogFromRow(row, &c.Revlog[len(c.Revlog)-1])
	})
	if err != nil {
		return err
	}
	err = s.read(1, take[1], func(id int64, row rows.Row) error {
		c.Notes = append(c.Notes, wire.Note{ID: id, USN: s.usn})
		return noteFromRow(row, &c.Notes[len(c.Notes)-1])
	})
	if err != nil {
		return err
	}
	return s.read(2, take[2], func(id int64, row rows.Row) error {
		c.Cards = append(c.Cards, wire.Card{ID: id, USN: s.usn})
		return cardFromRow(row, &c.Cards[len(c.Cards)-1])
	})
}

// share says how many rows of each table the next slice takes: one of each in turn while the slice is not full,
// tested before each turn only. Room that is left over at the end tells the receiver that this was the last slice,
// so a set that exactly fills one is followed by an empty one.
func (s *Slicer) share() (take [len(sentTables)]int64, done bool) {
	room := s.size
	for room > 0 {
		before := room
		for i := range take {
			if take[i] < s.parts[i].left {
				take[i]++
				room--
			}
		}
		if room == before {
			return take, true
		}
	}
	return take, false
}

// read calls do for the n highest rows of a copy that were not taken yet. It keeps its buffers, where rows.Each
// would make 64 KiB of garbage for every slice and table.
func (s *Slicer) read(part int, n int64, do func(id int64, row rows.Row) error) error {
	if n == 0 {
		return nil
	}
	p := &s.parts[part]
	err := p.statement.Query(rows.Pack(nil, p.upTo, n))
	for done := false; !done && err == nil; {
		s.packed, done, err = p.statement.Next(s.packed[:0])
		for rest := s.packed; len(rest) > 0 && err == nil; {
			if s.row, rest, err = rows.Decode(rest, s.row); err != nil {
				break
			}
			id := s.row[0].Int()
			p.upTo = id - 1
			p.left--
			err = do(id, s.row[1:])
		}
	}
	if err != nil {
		return fmt.Errorf("read copies of %s: %w", p.name, err)
	}
	return nil
}
