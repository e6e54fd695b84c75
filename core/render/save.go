package render

import (
	"strconv"
	"strings"
)

// specialFields are the keys that every notetype has.
var specialFields = [...]string{"Tags", "Type", "Deck", "Subdeck", "Card", "CardFlag", "CardID", "FrontSide"}

// CheckTemplates returns the first mistake for which the reference refuses to save a notetype (§1.2), and the ordinal of the
// template with it; nil if there is none. What syncs bring was not checked.
func CheckTemplates(n *Notetype) (ord int, err *Error) {
	for ord := range n.Templates {
		if err := n.checkTemplate(ord); err != nil {
			return ord, err
		}
	}
	return 0, nil
}

func (n *Notetype) checkTemplate(ord int) *Error {
	t := &n.Templates[ord]
	for i := range ord {
		if n.Templates[i].Front == t.Front {
			return &Error{Side: Front, Problem: SameFront}
		}
	}
	front, err := n.parseSide(Front, t.Front)
	if err != nil {
		return err
	}
	back, err := n.parseSide(Back, t.Back)
	if err != nil {
		return err
	}
	if !front.has(func(n *node) bool { return n.kind != literal }) {
		return &Error{Side: Front, Problem: NoField}
	}
	if err := n.checkKeys(front, Front); err != nil {
		return err
	}
	if err := n.checkKeys(back, Back); err != nil {
		return err
	}
	if n.Cloze {
		isCloze := func(n *node) bool { return n.hasFilter("cloze") }
		if !front.has(isCloze) {
			return &Error{Side: Front, Problem: NoCloze}
		}
		if !back.has(isCloze) {
			return &Error{Side: Back, Problem: NoCloze}
		}
	}
	return nil
}

func (n *Notetype) parseSide(side Side, text string) (template, *Error) {
	t, err := parseTemplate(text)
	if err != nil {
		err.Side = side
	}
	return t, err
}

// checkKeys looks for unknown fields.
func (n *Notetype) checkKeys(t template, side Side) *Error {
	for i := range t {
		if !n.knows(&t[i]) {
			return unknown(&t[i], side)
		}
	}
	return nil
}

// knows reports whether a node names what a template may name. The reference takes conditionals on the number of a cloze in
// any notetype.
func (n *Notetype) knows(x *node) bool {
	if x.kind == literal || x.kind == endIf || x.text == "" && x.filtered {
		return true
	}
	for _, key := range specialFields {
		if x.text == key {
			return true
		}
	}
	if n.field(x.text) >= 0 {
		return true
	}
	return x.kind != replace && isClozeKey(x.text)
}

// isClozeKey reports whether a key is a c and a number of 32 bits. A plus sign is a number's, too.
func isClozeKey(key string) bool {
	number, ok := strings.CutPrefix(key, "c")
	if !ok {
		return false
	}
	_, err := strconv.ParseUint(strings.TrimPrefix(number, "+"), 10, 32)
	return err == nil
}

func unknown(n *node, side Side) *Error {
	e := &Error{Side: side, Problem: UnknownField, Field: n.text}
	switch n.kind {
	case ifFilled:
		e.Tag = tag('#', n.text)
	case ifEmpty:
		e.Tag = tag('^', n.text)
	default:
		e.Tag = "{{" + n.text + "}}"
		if n.filtered {
			e.Tag = "{{" + n.filters + ":" + n.text + "}}"
		}
	}
	return e
}

func (t template) has(is func(n *node) bool) bool {
	for i := range t {
		if is(&t[i]) {
			return true
		}
	}
	return false
}
