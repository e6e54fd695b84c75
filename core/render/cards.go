package render

import (
	"slices"
	"strings"

	"github.com/cardferry/cardferry/core/cloze"
	"github.com/cardferry/cardferry/core/notetext"
	"github.com/cardferry/cardferry/core/order"
)

// maxClozeNumber is the number as which larger ones count.
const maxClozeNumber = 500

// Ordinals returns the ordinals of the cards that a note should have (§1.1), sorted. It is empty where nothing yields one: a
// note without any card gets one with ordinal 0 then, one that has some gets none.
func Ordinals(n *Notetype, fields, tags []string) (ords []int) {
	if n.Cloze {
		return clozeOrdinals(fields)
	}
	filled := newNote(n, fields).filledForCards(tags)
	for ord, t := range n.Templates {
		// One that does not parse yields no card, but keeps none of the others from it.
		if front, err := parseTemplate(t.Front); err == nil && front.shows(filled) {
			ords = append(ords, ord)
		}
	}
	return ords
}

// clozeOrdinals looks at all fields: unlike §1.1 says, the reference does not ask whether the template shows them.
func clozeOrdinals(fields []string) (ords []int) {
	for _, field := range fields {
		for _, number := range clozeNumbers(field) {
			ords = append(ords, min(int(number), maxClozeNumber)-1)
		}
	}
	order.Ints(ords)
	return slices.Compact(ords)
}

// clozeNumbers spares fields without clozes the parser.
func clozeNumbers(field string) []uint16 {
	if !strings.Contains(field, "{{c") {
		return nil
	}
	return cloze.Numbers(cloze.Parse(field))
}

// filledForCards returns what tells whether a key has content when cards are made: before there is a card. A field hides a
// special field of the same name.
func (n note) filledForCards(tags []string) func(key string) bool {
	return func(key string) bool {
		if i := n.field(key); i >= 0 {
			return n.filled[i]
		}
		switch key {
		case "Tags":
			return len(tags) > 0
		case "Type", "Deck", "Subdeck", "Card", "CardFlag", "CardID":
			return true
		}
		return false
	}
}

// FieldsCheck is what an editor says about the fields of a note (§1.3). It keeps no note from being added.
type FieldsCheck uint8

// The results of CheckFields, by the reference's numbers.
const (
	FieldsFine     FieldsCheck = 0
	FirstEmpty     FieldsCheck = 1 // the first field is empty
	Duplicate      FieldsCheck = 2 // another note has the same first field
	ClozeMissing   FieldsCheck = 3 // there is no cloze
	ClozeInNormal  FieldsCheck = 4 // there are clozes, but the notetype has none
	ClozeElsewhere FieldsCheck = 5 // there is a cloze in a field whose clozes are not shown
)

// CheckFields checks the fields of a note. duplicate, which may be nil, tells whether another note of the notetype has the
// same first field, stripped of its mark-up. It is asked last.
func CheckFields(n *Notetype, fields []string, duplicate func(stripped string) (bool, error)) (FieldsCheck, error) {
	first := ""
	if len(fields) > 0 {
		first = notetext.Strip(fields[0])
	}
	if check := n.checkClozes(fields, strings.TrimSpace(first) == ""); check != FieldsFine || duplicate == nil {
		return check, nil
	}
	if is, err := duplicate(first); err != nil || is {
		return Duplicate, err
	}
	return FieldsFine, nil
}

// checkClozes is CheckFields without duplicates.
func (n *Notetype) checkClozes(fields []string, empty bool) FieldsCheck {
	clozes := false
	for i, field := range fields {
		if len(clozeNumbers(field)) == 0 {
			continue
		}
		if n.Cloze && (i >= len(n.Fields) || !n.showsCloze(n.Fields[i])) {
			return ClozeElsewhere
		}
		clozes = true
	}
	switch {
	case empty:
		return FirstEmpty
	case n.Cloze && !clozes:
		return ClozeMissing
	case !n.Cloze && clozes:
		return ClozeInNormal
	}
	return FieldsFine
}

// showsCloze reports whether the front of the cloze template shows the clozes of a field, conditionals aside.
func (n *Notetype) showsCloze(field string) bool {
	if len(n.Templates) == 0 {
		return false
	}
	front, _ := parseTemplate(n.Templates[0].Front)
	for i := range front {
		if front[i].text == field && front[i].hasFilter("cloze") {
			return true
		}
	}
	return false
}
