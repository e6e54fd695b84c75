package collection

import (
	"fmt"
	"math"

	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/wire"
)

// Slicer cuts rows into slices to be sent: the copies that CopyPending made, or those of a server that were listed. Between
// two calls none of its statements is running, so that the connection is free for anything but dropping copies and lists.
type Slicer struct {
	pick  pick
	size  int
	limit int // of the bytes of a slice, roughly; 0: none
	bytes int // of the slice at hand
	parts [len(sentTables)]slicedTable
	row   rows.Row
}

// slicedTable is where the slicer is in one of the copies: ids are taken from the end.
type slicedTable struct {
	*sentTable
	statement host.Stmt
	left      int64
	upTo      int64  // higher ids have been taken
	packed    []byte // the rows of the slice
}

// NewSlicer returns a Slicer over all that was copied. usn is put into the rows; size is the number of rows in a
// slice, which may exceed it by two (§7.6).
func NewSlicer(db host.DB, usn int64, size int) (*Slicer, error) {
	s := &Slicer{pick: pendingAs(usn), size: size}
	for i := range s.parts {
		t := &sentTables[i]
		if err := s.prepare(db, i, t.copy, "SELECT id"+t.list(", ")+", 0 FROM "+t.copy+" WHERE id <= ? ORDER BY id DESC LIMIT +?"); err != nil {
			s.Close()
			return nil, fmt.Errorf("read copies of %s: %w", t.name, err)
		}
	}
	return s, nil
}

// prepare sets a part up: ids is the table of what is to be sent, sql reads rows from the end. Its limit is "+?", as SQLite would look at the value
// of a bare one, and compile the statement again for each slice.
func (s *Slicer) prepare(db host.DB, part int, ids, sql string) error {
	n, err := rows.IntOf(db, "SELECT count(*) FROM "+ids)
	if err != nil || n == 0 {
		return err
	}
	st, err := db.Prepare(sql)
	if err != nil {
		return err
	}
	s.parts[part] = slicedTable{sentTable: &sentTables[part], statement: st, left: n, upTo: math.MaxInt64}
	return nil
}

// SetSize changes the number of rows in the slices to come.
func (s *Slicer) SetSize(size int) { s.size = size }

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

// Next puts the next slice into c, reusing its memory; its strings are valid until the next call. c.Done is set with the
// last slice, and again after it. A row that the protocol cannot express is fault.DamagedFile.
func (s *Slicer) Next(c *wire.Chunk) error {
	c.Revlog, c.Notes, c.Cards = c.Revlog[:0], c.Notes[:0], c.Cards[:0]
	var take [len(sentTables)]int64
	take, c.Done = s.share()
	s.bytes = 0
	err := s.fill(take, c)
	c.Done = c.Done && s.Left() == 0 // not if the slice ended early
	return err
}

func (s *Slicer) fill(take [len(sentTables)]int64, c *wire.Chunk) error {
	err := s.read(0, take[0], func(id int64, usn int32, row rows.Row) error {
		c.Revlog = append(c.Revlog, wire.Revlog{ID: id, USN: usn})
		return revlogFromRow(row, &c.Revlog[len(c.Revlog)-1])
	})
	if err != nil {
		return err
	}
	err = s.read(1, take[1], func(id int64, usn int32, row rows.Row) error {
		c.Notes = append(c.Notes, wire.Note{ID: id, USN: usn})
		return noteFromRow(row, &c.Notes[len(c.Notes)-1])
	})
	if err != nil {
		return err
	}
	return s.read(2, take[2], func(id int64, usn int32, row rows.Row) error {
		c.Cards = append(c.Cards, wire.Card{ID: id, USN: usn})
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

// read calls do for the n highest rows of a part that were not taken yet. It keeps its buffers, where rows.Each
// would make 64 KiB of garbage for every slice and table.
func (s *Slicer) read(part int, n int64, do func(id int64, usn int32, row rows.Row) error) error {
	p := &s.parts[part]
	if n == 0 || s.full() {
		return nil
	}
	taken := int64(0)
	err := p.statement.Query(rows.Pack(nil, p.upTo, n))
	done := false
	p.packed = p.packed[:0]
	for !done && err == nil && !s.full() {
		start := len(p.packed)
		p.packed, done, err = p.statement.Next(p.packed)
		for rest := p.packed[min(start, len(p.packed)):]; len(rest) > 0 && err == nil && !s.full(); {
			before := len(rest)
			if s.row, rest, err = rows.Decode(rest, s.row); err != nil {
				break
			}
			last := len(s.row) - 1
			id := s.row[0].Int()
			p.upTo = id - 1
			p.left--
			taken++
			s.bytes += before - len(rest)
			err = do(id, s.pick.usn(s.row[last]), s.row[1:last])
		}
	}
	switch {
	case err != nil:
		return fmt.Errorf("read rows of %s to be sent: %w", p.name, err)
	case s.full() && taken < n:
		return p.stop()
	case taken < n:
		p.left = 0 // rows that were listed are not there any more
	}
	return nil
}

// full reports whether the slice has enough bytes, though not all its rows.
func (s *Slicer) full() bool { return s.limit > 0 && s.bytes >= s.limit }

// stop ends a running statement, by starting it anew with nothing to do.
func (p *slicedTable) stop() error {
	err := p.statement.Query(rows.Pack(nil, int64(math.MinInt64), int64(0)))
	if err == nil {
		_, _, err = p.statement.Next(nil)
	}
	return err
}
