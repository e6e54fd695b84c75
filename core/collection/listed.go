package collection

import (
	"fmt"

	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
)

// listed is the temporary table with the ids of a table's rows that a server has to send.
func (t *sentTable) listed() string { return "temp.listed_" + t.name }

// ListSince lists the cards, notes and revlog entries that a server has for a client which has all before minUSN, in TEMP
// tables of this connection, and returns a Slicer over them. Rows are read when they are sent, each with its own usn: what is
// stored after the listing is not sent, what is deleted after it is left out. A slice ends early when it has sliceBytes.
// It belongs into the sync's transaction; DropLists follows after that.
func ListSince(db host.DB, minUSN int32, size int) (*Slicer, error) {
	s := &Slicer{pick: changedSince(minUSN), size: size, limit: sliceBytes}
	for i := range sentTables {
		t := &sentTables[i]
		if err := s.list(db, i); err != nil {
			s.Close()
			return nil, fmt.Errorf("list %s to be sent: %w", t.name, err)
		}
	}
	return s, nil
}

// list lists the rows of a table, if there are any.
func (s *Slicer) list(db host.DB, part int) error {
	t := &sentTables[part]
	from := " FROM main." + t.name + " WHERE " + s.pick.where
	some, err := rows.IntOf(db, "SELECT EXISTS(SELECT 1"+from+")", s.pick.args...)
	if err != nil || some == 0 {
		return err
	}
	if err := emptyTable(db, t.listed(), ""); err != nil {
		return err
	}
	// Without an order: with one by id SQLite would read the whole table instead of the index on usn.
	if _, err := rows.Exec(db, "INSERT INTO "+t.listed()+" SELECT id"+from, s.pick.args...); err != nil {
		return err
	}
	return s.prepare(db, part, t.listed(), "SELECT m.id"+t.list(", m.")+", m.usn FROM "+t.listed()+" AS l CROSS JOIN main."+t.name+
		" AS m ON m.id = l.id WHERE l.id <= ? ORDER BY l.id DESC LIMIT +?")
}

// sliceBytes bounds the memory of a server's slice. Notes are a few hundred bytes on the whole, so only unusual ones reach it.
const sliceBytes = 8 << 20

// DropLists closes the Slicer and removes what was listed for it.
func (s *Slicer) DropLists(db host.DB) error {
	s.Close()
	for i := range s.parts {
		if t := s.parts[i].sentTable; t != nil {
			if err := emptyTable(db, t.listed(), ""); err != nil {
				return fmt.Errorf("drop the list of %s: %w", t.name, err)
			}
		}
	}
	return nil
}
