// Package render makes what a card shows from a note and a notetype: it parses card templates, tells which cards a note
// has, and renders the two sides of one (study.md §1, §2).
//
// Everything takes time in proportion to the length of templates and fields, and no input can make it panic: both come from
// strangers.
package render

import (
	"slices"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/legacy"
	"github.com/cardferry/cardferry/core/rows"
)

// Notetype is what of a notetype has to do with cards.
type Notetype struct {
	Name      string
	Cloze     bool // the cards are for the numbers of clozes, not for templates
	LatexSVG  bool // images of LaTeX are SVG
	CSS       string
	Fields    []string
	Templates []Template
}

// Template is a card template.
type Template struct {
	Name        string
	Front, Back string
	Deck        int64 // the deck of new cards, 0 for the one that the user chooses
}

// Load reads a notetype from a collection. fault.NotFound if there is none; fault.DamagedFile.
func Load(db host.DB, id int64) (*Notetype, error) {
	row, err := rows.One(db, "SELECT name, config FROM notetypes WHERE id = ?", id)
	if err != nil {
		return nil, err
	}
	if row == nil {
		return nil, fault.New(fault.NotFound, "no notetype %d", id)
	}
	n := &Notetype{Name: row[0].String()}
	n.Cloze, n.LatexSVG, n.CSS, err = legacy.NotetypeCards(row[1].Bytes)
	if err != nil {
		return nil, fault.Wrap(fault.DamagedFile, err, "notetype %d", id)
	}
	for row, err := range rows.Query(db, "SELECT name FROM fields WHERE ntid = ? ORDER BY ord", id) {
		if err != nil {
			return nil, err
		}
		n.Fields = append(n.Fields, row[0].String())
	}
	for row, err := range rows.Query(db, "SELECT name, config FROM templates WHERE ntid = ? ORDER BY ord", id) {
		if err != nil {
			return nil, err
		}
		t := Template{Name: row[0].String()}
		if t.Front, t.Back, t.Deck, err = legacy.TemplateCards(row[1].Bytes); err != nil {
			return nil, fault.Wrap(fault.DamagedFile, err, "template of notetype %d", id)
		}
		n.Templates = append(n.Templates, t)
	}
	return n, nil
}

// field returns the index of a field, -1 if there is none of this name.
func (n *Notetype) field(name string) int { return slices.Index(n.Fields, name) }

// note is the content of a notetype's fields.
type note struct {
	*Notetype
	fields []string
	filled []bool
}

// newNote looks at each field once: templates may ask for them often. A note of a damaged collection may have fewer or
// more fields than its notetype.
func newNote(n *Notetype, fields []string) note {
	x := note{n, make([]string, len(n.Fields)), make([]bool, len(n.Fields))}
	copy(x.fields, fields)
	for i, field := range x.fields {
		x.filled[i] = !isEmpty(field)
	}
	return x
}
