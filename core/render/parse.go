package render

import (
	"strings"
	"unicode"
)

// A template is a parsed side of a card template (study.md §2.1): a flat list, in which the ends of a conditional know each
// other. So deep nesting takes no stack, and time is in proportion to the length.
type template []node

// node is a piece of a template.
type node struct {
	kind nodeKind
	// text is literal text, or the key of a field or conditional.
	text string
	// filters are those of a replacement as they are written, without the last ":". They run from right to left.
	filters string
	// filtered says that there was a ":", so that filters may be one without a name.
	filtered bool
	// end is the index of the node that closes a conditional.
	end int
}

type nodeKind uint8

const (
	literal  nodeKind = iota
	replace           // {{F}}
	ifFilled          // {{#F}}
	ifEmpty           // {{^F}}
	endIf             // {{/F}}
)

// altOpening, in front of a template, chooses altMarks.
const altOpening = "{{=<% %>=}}"

// marks open and close a tag.
type marks struct{ open, close string }

// parseTemplate parses a side. The error, nil or *Error, has no side yet.
func parseTemplate(text string) (template, *Error) {
	p := parser{marks: marks{"{{", "}}"}, rest: text}
	if after, ok := strings.CutPrefix(strings.TrimLeftFunc(text, unicode.IsSpace), altOpening); ok {
		p.marks, p.rest = marks{"<%", "%>"}, after
	}
	for p.rest != "" {
		if err := p.next(); err != nil {
			return nil, err
		}
	}
	if n := len(p.open); n > 0 {
		key := p.nodes[p.open[n-1]].text
		return nil, &Error{Problem: NotClosed, Tag: tag('/', key), Field: key}
	}
	return p.nodes, nil
}

type parser struct {
	marks     marks
	rest      string
	nodes     template
	open      []int // the conditionals that are open here
	noTag     bool  // nothing in the rest closes a tag
	noComment bool  // nothing in the rest closes a comment
}

// next takes literal text up to the next tag, and the tag.
func (p *parser) next() *Error {
	const comment, commentEnd = "<!--", "-->"
	for i := 0; i < len(p.rest); i++ {
		switch s := p.rest[i:]; {
		case !p.noComment && strings.HasPrefix(s, comment):
			// Tags in comments are no tags.
			n := strings.Index(s[len(comment):], commentEnd)
			if p.noComment = n < 0; !p.noComment {
				i += len(comment) + n + len(commentEnd) - 1
			}
		case !p.noTag && strings.HasPrefix(s, p.marks.open):
			inner, after, ok := strings.Cut(s[len(p.marks.open):], p.marks.close)
			if p.noTag = !ok; !p.noTag {
				p.literal(p.rest[:i])
				p.rest = after
				return p.tag(inner)
			}
		}
	}
	p.literal(p.rest)
	p.rest = ""
	return nil
}

func (p *parser) literal(text string) {
	if text != "" {
		p.nodes = append(p.nodes, node{kind: literal, text: text})
	}
}

// tag adds what stands between the marks.
func (p *parser) tag(inner string) *Error {
	// "{{{F}}}" is the field and a stray "}".
	key := strings.TrimSpace(strings.TrimLeft(inner, "{"))
	kind := replace
	if len(key) > 1 {
		switch key[0] {
		case '#':
			kind = ifFilled
		case '^':
			kind = ifEmpty
		case '/':
			kind = endIf
		}
	}
	n := node{kind: kind, text: key}
	switch {
	case kind != replace:
		n.text = strings.TrimSpace(key[1:])
	case strings.IndexByte(key, ':') >= 0:
		i := strings.LastIndexByte(key, ':')
		n.filters, n.text, n.filtered = key[:i], key[i+1:], true
	}
	last := len(p.open) - 1
	switch kind {
	case ifFilled, ifEmpty:
		p.open = append(p.open, len(p.nodes))
	case endIf:
		if last < 0 {
			return &Error{Problem: NotOpened, Tag: tag('/', n.text), Field: n.text}
		}
		begin := &p.nodes[p.open[last]]
		if begin.text != n.text {
			return &Error{Problem: WrongEnd, Tag: tag('/', n.text), Field: begin.text}
		}
		begin.end = len(p.nodes)
		p.open = p.open[:last]
	}
	p.nodes = append(p.nodes, n)
	return nil
}

// tag is a tag as messages show it.
func tag(sign byte, key string) string { return "{{" + string(rune(sign)) + key + "}}" }

// shows reports whether the template shows the content of at least one field that is not empty (§1.1): literal text and
// filters do not matter. It is the test for whether there is a card, and whether its front is blank.
func (t template) shows(filled func(key string) bool) bool {
	for i := 0; i < len(t); i++ {
		switch n := &t[i]; n.kind {
		case replace:
			if filled(n.text) {
				return true
			}
		case ifFilled, ifEmpty:
			if filled(n.text) != (n.kind == ifFilled) {
				i = n.end
			}
		}
	}
	return false
}

// hasFilter reports whether a replacement has a filter of this name.
func (n *node) hasFilter(name string) bool {
	for rest := n.filters; n.kind == replace && n.filtered; {
		filter, more, ok := strings.Cut(rest, ":")
		if filter == name {
			return true
		}
		if rest = more; !ok {
			return false
		}
	}
	return false
}
