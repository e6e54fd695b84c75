package edit

import (
	"encoding/binary"
	"slices"
	"strconv"
	"strings"

	"github.com/cardferry/cardferry/core/names"
	"github.com/cardferry/cardferry/core/notetext"
	"github.com/cardferry/cardferry/core/rows"
)

// maxPosition is the highest position of a new card; beyond it the reference's database check complains.
const maxPosition = 999_999

func (e *edit) addNote(op *Op) (Result, error) {
	nt, err := e.notetype(op.NotetypeID)
	if err != nil {
		return Result{}, err
	}
	if err := e.needDeck(op.DeckID); err != nil {
		return Result{}, err
	}
	deck, err := e.normalDeck(op.DeckID)
	if err != nil {
		return Result{}, err
	}
	n, err := e.text(nt, op.Fields, op.Tags)
	if err != nil {
		return Result{}, err
	}
	id, err := e.newID("notes")
	if err != nil {
		return Result{}, err
	}
	if err := e.exec("INSERT INTO notes (id, guid, mid, mod, usn, tags, flds, sfld, csum, flags, data) VALUES (?, ?, ?, ?, -1, ?, ?, ?, ?, 0, '')",
		id, e.guid(), nt.id, e.now.Unix(), n.tags, n.flds, n.sfld, int64(n.csum)); err != nil {
		return Result{}, err
	}
	cards, err := e.addCards(id, nt, n, deck)
	if err != nil {
		return Result{}, err
	}
	mid, did := strconv.FormatInt(nt.id, 10), strconv.FormatInt(op.DeckID, 10)
	for _, c := range [...]struct{ key, value string }{
		{"curModel", mid}, {"_deck_" + did + "_lastNotetype", mid}, {"_nt_" + mid + "_lastDeck", did},
	} {
		if err := e.putConfig(c.key, []byte(c.value)); err != nil {
			return Result{}, err
		}
	}
	return Result{NoteID: id, CardIDs: cards}, nil
}

func (e *edit) updateNote(op *Op) (Result, error) {
	row, err := rows.One(e.db, "SELECT mid, flds, tags FROM notes WHERE id = ?", op.NoteID)
	if err != nil {
		return Result{}, err
	}
	if row == nil {
		return Result{}, invalid("there is no note %d", op.NoteID)
	}
	nt, err := e.notetype(row[0].Int())
	if err != nil {
		return Result{}, err
	}
	fields, tags := op.Fields, op.Tags
	if fields == nil {
		fields = notetext.SplitFields(row[1].String())
	}
	if tags == nil {
		tags = notetext.SplitTags(row[2].String())
	}
	n, err := e.text(nt, fields, without(slices.Concat(tags, op.AddTags), op.RemoveTags))
	if err != nil {
		return Result{}, err
	}
	if n.flds == row[1].Shared() && n.tags == row[2].Shared() {
		return Result{CardIDs: []int64{}}, nil // as the reference, which leaves the note alone
	}
	if err := e.exec("UPDATE notes SET "+touched+", tags = ?, flds = ?, sfld = ?, csum = ? WHERE id = ?",
		e.now.Unix(), n.tags, n.flds, n.sfld, int64(n.csum), op.NoteID); err != nil {
		return Result{}, err
	}
	cards, err := e.addMissingCards(op.NoteID, nt, n)
	return Result{CardIDs: cards}, err
}

func (e *edit) removeNotes(ids []int64) error {
	if ids == nil {
		return invalid("the field \"noteIds\" is missing")
	}
	var cards []int64
	for _, id := range ids {
		n, err := rows.IntOf(e.db, "SELECT count(*) FROM notes WHERE id = ?", id)
		if err == nil && n == 0 {
			err = invalid("there is no note %d", id)
		}
		if err != nil {
			return err
		}
		own, err := e.ids("SELECT id FROM cards WHERE nid = ?", id)
		if err != nil {
			return err
		}
		cards = append(cards, own...)
	}
	if err := e.remove("cards", graveCard, cards); err != nil {
		return err
	}
	return e.remove("notes", graveNote, ids)
}

// note is the text of a note as it is stored.
type note struct {
	flds, sfld, tags string
	csum             uint32
}

// text prepares fields and tags of a note for storage (collection-format.md §5), and registers the tags.
func (e *edit) text(nt *notetype, fields, tags []string) (n note, err error) {
	if len(fields) != nt.fields {
		return n, invalid("the note has %d fields, its notetype %d", len(fields), nt.fields)
	}
	clean := make([]string, len(fields))
	for i, f := range fields {
		clean[i] = strings.ReplaceAll(f, "\x1f", "") // which would divide it
	}
	n.flds = notetext.CleanFields(notetext.JoinFields(clean))
	compose, err := e.configFlag("normalize_note_text", true)
	if err != nil {
		return n, err
	}
	if compose {
		n.flds = names.NFC(e.host.Text, n.flds)
	}
	n.sfld, n.csum = notetext.SortFieldAndChecksum(n.flds, nt.sortField)
	n.tags, err = e.storeTags(tags)
	return n, err
}

// guid returns a new random one (collection-format.md §5.6).
func (e *edit) guid() string {
	const digits = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&()*+,-./:;<=>?@[]^_`{|}~"
	var b [8]byte
	e.host.Random.Random(b[:])
	var out []byte
	for v := binary.LittleEndian.Uint64(b[:]); v > 0; v /= uint64(len(digits)) {
		out = append(out, digits[v%uint64(len(digits))])
	}
	slices.Reverse(out)
	return string(out)
}
