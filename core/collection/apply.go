package collection

import (
	"fmt"
	"strconv"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/unicase"
	"github.com/cardferry/cardferry/core/wire"
)

// The codes of graves.type.
const (
	graveCard = 0
	graveNote = 1
	graveDeck = 2
)

// Applier stores received objects by the merge rules (sync spec §8), inside the caller's transaction. After an
// error the caller rolls back: some of the objects of the failing call may have been stored.
type Applier struct {
	db          host.DB
	text        host.Text
	usn         int64 // for graves, tags, config and renamed objects
	pendingFrom int64
	now         time.Time
	statements  map[string]host.Stmt
	packed      []byte   // parameters of the statement at hand
	staged      []byte   // Chunk's slice
	row         rows.Row // a staged note
	shapes      map[int64]shape
	ancestors   map[string]string // folded tag → stored spelling, "" if there is no such row
	taken       map[string]int    // table and folded name → how many "+" it took to find a free one
	// deletedHere says that there are graves of ours which the server has not got yet: only then can something
	// arrive that was deleted while the sync runs.
	deletedHere bool
}

// NewApplier returns an Applier. usn is the server's usn of this sync. pendingFrom tells which existing rows are
// pending: with -1 (a client) those whose usn is -1, otherwise (a server) those whose usn is at least pendingFrom.
// A server's Applier gives usn to everything that it stores: a client that got to know it before another device has synced would
// use a smaller one, and third devices would miss its rows (§6.3).
func NewApplier(db host.DB, text host.Text, usn int64, pendingFrom int64, now time.Time) (*Applier, error) {
	a := &Applier{
		db: db, text: text, usn: usn, pendingFrom: pendingFrom, now: now,
		statements: map[string]host.Stmt{},
		shapes:     map[int64]shape{},
		ancestors:  map[string]string{},
		taken:      map[string]int{},
	}
	if pendingFrom == -1 {
		n, err := rows.IntOf(db, "SELECT EXISTS(SELECT 1 FROM graves WHERE usn = -1)")
		if err != nil {
			return nil, fmt.Errorf("look for pending graves: %w", err)
		}
		a.deletedHere = n != 0
	}
	return a, nil
}

// Close releases the prepared statements.
func (a *Applier) Close() {
	for _, st := range a.statements {
		st.Close()
	}
	clear(a.statements)
}

// Graves deletes the given objects, whatever their state here, and records their graves (§7.4). A grave that
// exists already gets the new usn, unless it is pending: the reference keeps the old one, so that devices which have seen the object come back
// between two deletions never hear of the second.
func (a *Applier) Graves(g wire.Graves) error {
	for _, part := range []struct {
		table string
		kind  int64
		ids   []int64
	}{{"notes", graveNote, g.Notes}, {"cards", graveCard, g.Cards}, {"decks", graveDeck, g.Decks}} {
		if err := a.bury(part.table, part.kind, part.ids); err != nil {
			return fmt.Errorf("apply graves of %s: %w", part.table, err)
		}
	}
	return nil
}

func (a *Applier) bury(table string, kind int64, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	clear(a.taken)
	a.packed = a.packed[:0]
	for _, id := range ids {
		a.packed = rows.Int(rows.Begin(a.packed, 1), id)
	}
	if err := a.run("DELETE FROM " + table + " WHERE id = ?"); err != nil {
		return err
	}
	a.packed = a.packed[:0]
	for _, id := range ids {
		a.packed = rows.Pack(a.packed, id, kind, a.usn)
	}
	return a.run("INSERT INTO graves (oid, type, usn) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET usn = excluded.usn WHERE usn >= 0")
}

// Bulk runs do, which stores about that many rows of chunks. If they are many, it is quicker than by itself.
func (a *Applier) Bulk(revlog, cards, notes int64, do func() error) error {
	return bulk(a.db, "revlog", "", revlog, func() error {
		return bulk(a.db, "cards", "", cards, func() error {
			return bulk(a.db, "notes", "", notes, do)
		})
	})
}

// statement returns the prepared form of sql, which lives as long as the Applier.
func (a *Applier) statement(sql string) (host.Stmt, error) {
	if st := a.statements[sql]; st != nil {
		return st, nil
	}
	st, err := a.db.Prepare(sql)
	if err != nil {
		return nil, err
	}
	a.statements[sql] = st
	return st, nil
}

// run executes sql for each row in a.packed.
func (a *Applier) run(sql string) error { return a.runPacked(sql, a.packed) }

// runPacked executes sql for each packed row.
func (a *Applier) runPacked(sql string, packed []byte) error {
	if len(packed) == 0 {
		return nil // no rows, where no parameters would mean one execution
	}
	st, err := a.statement(sql)
	if err != nil {
		return err
	}
	_, err = st.Run(packed)
	return err
}

// one returns the first row of a query, nil if there is none. It is valid until the next statement.
func (a *Applier) one(sql string, args ...any) (rows.Row, error) {
	st, err := a.statement(sql)
	if err != nil {
		return nil, err
	}
	for row, err := range rows.Each(st, rows.Pack(nil, args...)) {
		if err != nil {
			return nil, err
		}
		return row.Clone(), nil
	}
	return nil, nil
}

// pending reports whether a row with this usn is pending (§6.2).
func (a *Applier) pending(usn int64) bool {
	if a.pendingFrom == -1 {
		return usn == -1
	}
	return usn >= a.pendingFrom
}

// overwritable is the SQL condition under which a card or note that arrives replaces the one that is here: ours is
// not pending, or older. Equal times keep ours (§8; trap 18). With from, the last parameter, all sessions of a server have the
// same statement.
func (a *Applier) overwritable(table, from string) string {
	pending := ".usn = -1"
	if a.pendingFrom != -1 {
		pending = ".usn >= " + from
	}
	return "NOT (" + table + pending + ") OR " + table + ".mod < excluded.mod"
}

// source is what a row with the given values is inserted from; the first value is the id. An object that was deleted
// here while the sync runs is left out: its grave has not reached the server yet, and storing the object would bring
// it back to life here, and delete it everywhere else.
func (a *Applier) source(values, table string, grave int) string {
	if !a.deletedHere {
		return "VALUES (" + values + ")"
	}
	return "SELECT " + values + " WHERE NOT EXISTS (SELECT 1 FROM graves WHERE oid = ?1 AND type = " + strconv.Itoa(grave) +
		" AND usn = -1) OR EXISTS (SELECT 1 FROM " + table + " WHERE id = ?1)"
}

// restamp sets the usn of an object that a server stores.
func (a *Applier) restamp(usn *int32) {
	if a.pendingFrom != -1 {
		*usn = int32(a.usn)
	}
}

// checkUSN refuses the usn with which clients mark pending rows: stored here it would be sent back as ours.
func checkUSN(usn int32, kind string, id int64) error {
	if usn == -1 {
		return fault.New(fault.DamagedDownload, "%s %d carries usn -1", kind, id)
	}
	return nil
}

// uniqueWithin refuses names of which two are equal under the collation: the index over them is unique.
func uniqueWithin(names []string) (clash string, ok bool) {
	seen := make(map[string]bool, len(names))
	for _, n := range names {
		folded := unicase.Fold(n)
		if seen[folded] {
			return n, false
		}
		seen[folded] = true
	}
	return "", true
}
