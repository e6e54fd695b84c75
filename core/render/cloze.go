package render

import (
	"strings"

	"github.com/cardferry/cardferry/core/cloze"
	"github.com/cardferry/cardferry/core/notetext"
)

// maxEscaped bounds the attributes data-cloze of a field, in bytes. A cloze in another one of the same number is escaped
// once more for each level, which makes gigabytes of a long text. Longer attributes are empty.
const maxEscaped = 4 << 20

// clozeSide renders the clozes of a field for one side of a card (§2.4).
type clozeSide struct {
	tokens   []cloze.Token
	number   uint16
	question bool
	escaped  int // bytes of attributes so far
}

// parseClozes prepares a field for the card of a number; ok is false if it has no cloze of this number.
func parseClozes(field string, number int, side Side) (s clozeSide, ok bool) {
	if !strings.Contains(field, "{{c") {
		return s, false
	}
	s = clozeSide{tokens: cloze.Parse(field), number: uint16(number), question: side == Front}
	return s, cloze.HasNumber(s.tokens, s.number)
}

// renderClozes is the filter "cloze".
func renderClozes(field string, number int, side Side) string {
	s, ok := parseClozes(field, number, side)
	if !ok {
		return ""
	}
	return plainMathJax(string(s.append(nil, 0, len(s.tokens))))
}

// append renders tokens. The depth is bounded by package cloze.
func (s *clozeSide) append(dst []byte, from, to int) []byte {
	for i := from; i < to; i++ {
		t := &s.tokens[i]
		if t.Kind != cloze.Open {
			dst = append(dst, t.Text...)
			continue
		}
		active := t.Has(s.number)
		if shape, ok := cloze.Shape(s.tokens, i); ok {
			dst = s.appendShape(dst, t, shape, active)
			i = t.End
			continue
		}
		dst = append(dst, `<span class="cloze`...)
		switch {
		case active && s.question:
			dst = append(dst, `" data-cloze="`...)
			dst = s.appendEscaped(dst, i+1, t.End)
		case !active:
			dst = append(dst, "-inactive"...)
		}
		dst = append(t.AppendNumbers(append(dst, `" data-ordinal="`...)), `">`...)
		if active && s.question {
			dst = append(append(append(dst, '['), t.Hint...), ']')
		} else {
			dst = s.append(dst, i+1, t.End)
		}
		dst = append(dst, "</span>"...)
		i = t.End
	}
	return dst
}

// appendEscaped appends the text of a cloze as an attribute, which scripts of cards use.
func (s *clozeSide) appendEscaped(dst []byte, from, to int) []byte {
	inner := s.append(nil, from, to)
	if s.escaped > maxEscaped {
		return dst
	}
	n := len(dst)
	dst = appendAttribute(dst, string(inner))
	if s.escaped += len(dst) - n; s.escaped > maxEscaped {
		return dst[:n]
	}
	return dst
}

// appendAttribute appends text with every character of Latin 1 but letters and digits of ASCII as an entity.
func appendAttribute(dst []byte, text string) []byte {
	const digits = "0123456789ABCDEF"
	for _, r := range text {
		switch {
		case '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || r > 0xff:
			dst = append(dst, string(r)...)
		case r == '<':
			dst = append(dst, "&lt;"...)
		case r == '>':
			dst = append(dst, "&gt;"...)
		case r == '&':
			dst = append(dst, "&amp;"...)
		case r == '"':
			dst = append(dst, "&quot;"...)
		default:
			dst = append(dst, '&', '#', 'x', digits[r>>4], digits[r&15], ';')
		}
	}
	return dst
}

// plainMathJax removes the tags within MathJax, those of clozes above all, which it could not read. The end of one form
// ends the other, too.
func plainMathJax(html string) string {
	var b strings.Builder
	for {
		start := formulaMark(html, '(', '[')
		if start < 0 {
			break
		}
		n := formulaMark(html[start:], ')', ']')
		if n < 0 {
			break
		}
		b.WriteString(html[:start])
		b.WriteString(notetext.StripTags(html[start : start+n]))
		html = html[start+n:]
	}
	if b.Len() == 0 {
		return html
	}
	b.WriteString(html)
	return b.String()
}

// formulaMark returns the place behind the first backslash with one of two characters, -1 if there is none.
func formulaMark(s string, c, d byte) int {
	for i := 0; i+1 < len(s); i++ {
		if s[i] == '\\' && (s[i+1] == c || s[i+1] == d) {
			return i + 2
		}
	}
	return -1
}

// clozeTexts returns the texts of the clozes of a number without the marks of others, or their hints on the question side.
func clozeTexts(field string, number int, side Side) (list []string) {
	s, ok := parseClozes(field, number, side)
	if !ok {
		return nil
	}
	for i := range s.tokens {
		switch t := &s.tokens[i]; {
		case !t.Has(s.number):
		case s.question:
			list = append(list, t.Hint)
		default:
			var text strings.Builder
			for _, inner := range s.tokens[i+1 : t.End] {
				text.WriteString(inner.Text)
			}
			list = append(list, text.String())
		}
	}
	return list
}

// typedCloze is what is expected of someone who types the clozes of a number: all their texts, but only one if they are all
// the same.
func typedCloze(field string, number int) string {
	list := clozeTexts(field, number, Back)
	for _, text := range list {
		if text != list[0] {
			return strings.Join(list, ", ")
		}
	}
	if list == nil {
		return ""
	}
	return list[0]
}
