package wire

import (
	"unicode/utf8"
	"unsafe"

	"github.com/cardferry/cardferry/core/jsontext"
)

// string reads a string into text.
func (s *tupleScanner) string() string {
	s.expect('"')
	b, i := s.b, s.pos
	text := s.text
	if text == nil {
		text = make([]byte, 0, len(b)-i)
	}
	from := len(text)
	for {
		run := i
		i = jsontext.PlainEnd(b, i)
		text = append(text, b[run:i]...)
		if i+1 < len(b) && b[i] == '\\' && b[i+1] == '"' { // the data of cards is full of these
			text = append(text, '"')
			i += 2
			continue
		}
		if i < len(b) && b[i] == '"' {
			break
		}
		r, size := jsontext.Unescape(b[i:])
		if size == 0 || b[i] != '\\' {
			s.fail(errType)
			return ""
		}
		text = utf8.AppendRune(text, r)
		i += size
	}
	s.pos, s.text = i+1, text
	if from == len(text) {
		return ""
	}
	return unsafe.String(&text[from], len(text)-from)
}
