package collection

import (
	"math"
	"unicode/utf8"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/wire"
)

// A rowReader takes the values of a row one after the other and keeps the first complaint. How values of a wrong
// storage class read is laid down in collection-format.md §1.3; sending something else than the owner sees would
// be worse than refusing the row.
type rowReader struct {
	row   rows.Row
	table *sentTable
	next  int
	bad   string // column that cannot be read
}

func (r *rowReader) value() *rows.Value {
	r.next++
	return &r.row[r.next-1]
}

// reject complains of the value that was taken last.
func (r *rowReader) reject() {
	if r.bad == "" {
		r.bad = r.table.columns[r.next-1]
	}
}

// id reads a 64-bit integer, strictly.
func (r *rowReader) id() int64 {
	v := r.value()
	if v.Tag != rows.TagInt {
		r.reject()
		return 0
	}
	return int64(v.Bits)
}

// number reads an integer between lo and hi; a REAL is truncated, a text counts as 0.
func (r *rowReader) number(lo, hi int64) int64 {
	v := r.value()
	n := int64(v.Bits)
	if v.Tag != rows.TagInt {
		n = v.Int()
	}
	if n < lo || n > hi {
		r.reject()
		return 0
	}
	return n
}

// strict reads an integer between lo and hi; any other storage class is refused.
func (r *rowReader) strict(lo, hi int64) int64 {
	v := r.value()
	if n := int64(v.Bits); v.Tag == rows.TagInt && n >= lo && n <= hi {
		return n
	}
	r.reject()
	return 0
}

// lenient reads an integer between lo and hi; anything else counts as 0.
func (r *rowReader) lenient(lo, hi int64) int64 {
	v := r.value()
	if n := int64(v.Bits); v.Tag == rows.TagInt && n >= lo && n <= hi {
		return n
	}
	return 0
}

// text reads a TEXT that is UTF-8, which JSON needs. It shares the memory of the row.
func (r *rowReader) text() string {
	v := r.value()
	if v.Tag != rows.TagText || !utf8.Valid(v.Bytes) {
		r.reject()
		return ""
	}
	return v.Shared()
}

// data reads cards.data; what is not a text counts as empty.
func (r *rowReader) data() string {
	v := r.value()
	if v.Tag != rows.TagText {
		return wire.CardData("")
	}
	return wire.CardData(v.Shared())
}

// err returns the complaint about the row of the given object, if there is one.
func (r *rowReader) err(kind string, id int64) error {
	if r.bad == "" {
		return nil
	}
	return fault.New(fault.DamagedFile, "%s %d has an invalid value in column %s", kind, id, r.bad).
		WithHint("Use Check Database in Anki, then sync again.").With("id", id)
}

func revlogFromRow(row rows.Row, e *wire.Revlog) error {
	r := rowReader{row: row, table: &sentTables[0]}
	e.CardID = r.id()
	e.Ease = uint8(r.strict(0, math.MaxUint8))
	e.Interval = int32(r.number(math.MinInt32, math.MaxInt32))
	e.LastInterval = int32(r.number(math.MinInt32, math.MaxInt32))
	e.Factor = uint32(r.strict(0, math.MaxUint32))
	e.Time = uint32(r.lenient(0, math.MaxUint32))
	e.Type = uint8(r.lenient(0, 5))
	return r.err("revlog entry", e.ID)
}

func noteFromRow(row rows.Row, n *wire.Note) error {
	r := rowReader{row: row, table: &sentTables[1]}
	n.GUID = r.text()
	n.NotetypeID = r.id()
	n.Mod = r.id()
	n.Tags = r.text()
	n.Fields = r.text()
	return r.err("note", n.ID)
}

func cardFromRow(row rows.Row, c *wire.Card) error {
	r := rowReader{row: row, table: &sentTables[2]}
	c.NoteID = r.id()
	c.DeckID = r.id()
	c.Ord = uint16(r.strict(0, math.MaxUint16))
	c.Mod = r.number(math.MinInt64, math.MaxInt64)
	c.Type = uint8(r.strict(0, 3))
	c.Queue = int8(r.strict(-3, 4))
	c.Due = int32(r.lenient(math.MinInt32, math.MaxInt32))
	c.Interval = uint32(r.number(0, math.MaxUint32))
	c.Factor = uint16(r.strict(0, math.MaxUint16))
	c.Reps = uint32(r.strict(0, math.MaxUint32))
	c.Lapses = uint32(r.strict(0, math.MaxUint32))
	c.Left = uint32(r.strict(0, math.MaxUint32))
	c.ODue = int32(r.lenient(math.MinInt32, math.MaxInt32))
	c.ODeckID = r.id()
	c.Flags = uint8(r.strict(0, math.MaxUint8))
	c.Data = r.data()
	return r.err("card", c.ID)
}
