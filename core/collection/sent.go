package collection

import (
	"fmt"

	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
)

// A sentTable is a table whose pending rows are copied before they are sent. The copy has every column but usn.
type sentTable struct {
	name, copy string
	columns    []string // without id and usn
}

// sentTables lists the tables in the order in which a slice takes from them (§7.6).
var sentTables = [...]sentTable{
	{"revlog", "temp.sent_revlog", []string{"cid", "ease", "ivl", "lastIvl", "factor", "time", "type"}},
	{"notes", "temp.sent_notes", []string{"guid", "mid", "mod", "tags", "flds", "sfld", "csum", "flags", "data"}},
	{"cards", "temp.sent_cards", []string{"nid", "did", "ord", "mod", "type", "queue", "due", "ivl", "factor",
		"reps", "lapses", "left", "odue", "odid", "flags", "data"}},
}

// CopyPending copies the pending cards, notes and revlog entries into TEMP tables of this connection and returns
// their number, so that they can be sent outside a transaction and compared later (StampSent). Older copies are
// dropped. It belongs into the transaction in which the sanity counts are taken.
func CopyPending(db host.DB) (n int64, err error) {
	if err := DropCopies(db); err != nil {
		return 0, err
	}
	for _, t := range sentTables {
		copied, err := rows.Exec(db, "INSERT INTO "+t.copy+" SELECT id"+t.list(", ")+" FROM main."+t.name+" WHERE usn = -1 ORDER BY id")
		if err != nil {
			return 0, fmt.Errorf("copy pending %s: %w", t.name, err)
		}
		n += copied
	}
	return n, nil
}

// Mark tells whether a database was written to. It is of use on one connection only.
type Mark struct{ others, own int64 }

// ReadMark returns the present mark. Two are equal if no other connection has committed and this one has changed no row
// between them.
func ReadMark(db host.DB) (m Mark, err error) {
	if m.others, err = rows.IntOf(db, "PRAGMA main.data_version"); err == nil {
		m.own, err = rows.IntOf(db, "SELECT total_changes()")
	}
	return m, err
}

// DropCopies removes what was copied.
func DropCopies(db host.DB) error {
	for _, t := range sentTables {
		// No types: the columns take the values as they are.
		if err := emptyTable(db, t.copy, t.list(", ")); err != nil {
			return fmt.Errorf("drop copy of %s: %w", t.name, err)
		}
	}
	return nil
}

// emptyTable makes a TEMP table with an id and columns, or empties the one that is there. To drop it and make it again would have SQLite
// compile every other statement of the connection again, which takes longer than a small sync.
func emptyTable(db host.DB, name, columns string) error {
	err := db.Exec("CREATE TEMP TABLE IF NOT EXISTS " + name[len("temp."):] + " (id INTEGER PRIMARY KEY" + columns + ")")
	if err == nil {
		_, err = rows.Exec(db, "DELETE FROM "+name)
	}
	return err
}

// list returns the columns, each with the prefix in front.
func (t *sentTable) list(prefix string) string {
	s := ""
	for _, c := range t.columns {
		s += prefix + c
	}
	return s
}

// matches returns the SQL condition that the row of the table equals the row of its copy, named s.
func (t *sentTable) matches() string {
	s := ""
	for _, c := range t.columns {
		s += " AND s." + c + " IS " + t.name + "." + c
	}
	return s
}
