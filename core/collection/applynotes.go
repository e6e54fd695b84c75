package collection

import (
	"errors"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/legacy"
	"github.com/cardferry/cardferry/core/notetext"
	"github.com/cardferry/cardferry/core/rows"
)

// shape is what storing a note needs to know of its notetype.
type shape struct {
	fields    int
	sortField int
}

// stagedNote is how many values a staged note has: id, guid, mid, mod, usn, tags, flds, as they are stored
// (collection-format.md §5.1): cleaned fields, but not normalised ones.
const stagedNote = 7

// applyNotes stores staged notes.
func (a *Applier) applyNotes(staged []byte) (err error) {
	a.packed = a.packed[:0]
	for len(staged) > 0 {
		var rest []byte
		if a.row, rest, err = rows.Decode(staged, a.row); err != nil {
			return fault.Wrap(fault.Internal, err, "read a staged note")
		}
		err = a.appendNote(a.row, staged[:len(staged)-len(rest)])
		if errors.Is(err, fault.InvalidInput) {
			err = a.unlessKept(a.row[0].Int(), a.row[3].Int(), err)
		}
		if err != nil {
			return err
		}
		staged = rest
	}
	return a.run(a.noteSQL())
}

// unlessKept returns invalid, what is wrong with a note, but nil if ours stays anyway: the reference looks only at
// notes that it stores.
func (a *Applier) unlessKept(id, mod int64, invalid error) error {
	ours, err := a.one("SELECT usn FROM notes WHERE id = ? AND mod >= ?", id, mod)
	if err != nil {
		return err
	}
	if ours != nil && a.pending(ours[0].Int()) {
		return nil
	}
	return invalid
}

// appendNote packs a note as parameters of noteSQL. Sort field and checksum are computed here, whatever the sender says.
func (a *Applier) appendNote(note rows.Row, packed []byte) error {
	id, notetype, flds := note[0].Int(), note[2].Int(), note[6].Shared()
	s, err := a.shape(id, notetype)
	if err != nil {
		return err
	}
	if n := notetext.CountFields(flds); n != s.fields {
		return fault.New(fault.InvalidInput, "note %d has %d fields, its notetype %d has %d", id, n, notetype, s.fields)
	}
	sfld, csum := notetext.SortFieldAndChecksum(flds, s.sortField)
	n := stagedNote + 2
	if a.pendingFrom != -1 {
		n++
	}
	b := rows.Extend(a.packed, packed, n)
	// The column's affinity makes a number of what looks like one; that is SQLite's business, not ours (trap 31).
	b = rows.Text(b, sfld)
	if b = rows.Int(b, int64(csum)); a.pendingFrom != -1 {
		b = rows.Int(b, a.pendingFrom)
	}
	a.packed = b
	return nil
}

// shape returns the shape of a note's notetype as it is stored now.
func (a *Applier) shape(note, notetype int64) (shape, error) {
	if s, ok := a.shapes[notetype]; ok {
		return s, nil
	}
	row, err := a.one("SELECT config, (SELECT count(*) FROM fields WHERE ntid = ?1) FROM notetypes WHERE id = ?1", notetype)
	if err != nil {
		return shape{}, err
	}
	if row == nil {
		return shape{}, fault.New(fault.InvalidInput, "note %d has a notetype that is missing: %d", note, notetype)
	}
	s := shape{fields: max(1, int(row[1].Int())), sortField: legacy.SortField(row[0].Bytes)}
	a.shapes[notetype] = s
	return s, nil
}

func (a *Applier) noteSQL() string {
	return "INSERT INTO notes (id, guid, mid, mod, usn, tags, flds, sfld, csum, flags, data) " +
		a.source("?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, ''", "notes", graveNote) +
		" ON CONFLICT(id) DO UPDATE SET guid = excluded.guid, mid = excluded.mid, mod = excluded.mod, usn = excluded.usn," +
		" tags = excluded.tags, flds = excluded.flds, sfld = excluded.sfld, csum = excluded.csum, flags = 0, data = '' WHERE " +
		a.overwritable("notes", "?10")
}
