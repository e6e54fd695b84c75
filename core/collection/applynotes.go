package collection

import (
	"errors"
	"strings"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/legacy"
	"github.com/cardferry/cardferry/core/notetext"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/wire"
)

// shape is what storing a note needs to know of its notetype.
type shape struct {
	fields    int
	sortField int
}

func (a *Applier) applyNotes(list []wire.Note) error {
	a.packed = a.packed[:0]
	for i := range list {
		n := &list[i]
		err := a.appendNote(n)
		if errors.Is(err, fault.InvalidInput) {
			err = a.unlessKept(n, err)
		}
		if err != nil {
			return err
		}
	}
	return a.run(a.noteSQL())
}

// unlessKept returns invalid, what is wrong with a note, but nil if ours stays anyway: the reference looks only at
// notes that it stores.
func (a *Applier) unlessKept(n *wire.Note, invalid error) error {
	kept, err := a.one("SELECT 1 FROM notes WHERE id = ? AND mod >= ? AND "+a.pending("notes"), n.ID, n.Mod)
	if err != nil {
		return err
	}
	if kept != nil {
		return nil
	}
	return invalid
}

// appendNote packs a note as it is stored (collection-format.md §5.1): cleaned fields, but not normalised ones; sort
// field and checksum are computed here, whatever the sender says.
func (a *Applier) appendNote(n *wire.Note) error {
	s, err := a.shape(n)
	if err != nil {
		return err
	}
	fields := notetext.SplitFields(n.Fields)
	if len(fields) != s.fields {
		return fault.New(fault.InvalidInput, "note %d has %d fields, its notetype %d has %d", n.ID, len(fields), n.NotetypeID, s.fields)
	}
	for i, f := range fields {
		fields[i] = notetext.CleanField(f)
	}
	sfld, csum := notetext.SortFieldAndChecksum(fields, s.sortField)
	b := rows.Begin(a.packed, 9)
	b = rows.Int(b, n.ID)
	b = rows.Text(b, n.GUID)
	b = rows.Int(b, n.NotetypeID)
	b = rows.Int(b, n.Mod)
	b = rows.Int(b, int64(n.USN))
	b = rows.Text(b, notetext.JoinTags(n.Tags))
	b = rows.Text(b, strings.Join(fields, "\x1f"))
	// The column's affinity makes a number of what looks like one; that is SQLite's business, not ours (trap 31).
	b = rows.Text(b, sfld)
	a.packed = rows.Int(b, int64(csum))
	return nil
}

// shape returns the shape of a note's notetype as it is stored now.
func (a *Applier) shape(n *wire.Note) (shape, error) {
	if s, ok := a.shapes[n.NotetypeID]; ok {
		return s, nil
	}
	row, err := a.one("SELECT config, (SELECT count(*) FROM fields WHERE ntid = ?1) FROM notetypes WHERE id = ?1", n.NotetypeID)
	if err != nil {
		return shape{}, err
	}
	if row == nil {
		return shape{}, fault.New(fault.InvalidInput, "note %d has a notetype that is missing: %d", n.ID, n.NotetypeID)
	}
	s := shape{fields: max(1, int(row[1].Int())), sortField: legacy.SortField(row[0].Bytes)}
	a.shapes[n.NotetypeID] = s
	return s, nil
}

func (a *Applier) noteSQL() string {
	return "INSERT INTO notes (id, guid, mid, mod, usn, tags, flds, sfld, csum, flags, data) " +
		a.source("?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, ''", "notes", graveNote) +
		" ON CONFLICT(id) DO UPDATE SET guid = excluded.guid, mid = excluded.mid, mod = excluded.mod, usn = excluded.usn," +
		" tags = excluded.tags, flds = excluded.flds, sfld = excluded.sfld, csum = excluded.csum, flags = 0, data = '' WHERE " +
		a.overwritable("notes")
}
