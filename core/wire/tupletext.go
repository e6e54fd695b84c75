package wire

import (
	"encoding/binary"
	"math/bits"
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
		i = plainEnd(b, i)
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

// plainEnd returns where the bytes that stand for themselves inside a JSON string end, from i on. It looks at eight
// bytes at a time: below, the high bit of a byte of special is set if that byte is a quote, a backslash or a control
// character (or if it lies behind such a byte, which does not matter).
func plainEnd(b []byte, i int) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	for ; i+8 <= len(b); i += 8 {
		x := binary.LittleEndian.Uint64(b[i:])
		quote, backslash := x^ones*'"', x^ones*'\\'
		special := ((x-ones*' ')&^x | (quote-ones)&^quote | (backslash-ones)&^backslash) & highs
		if special != 0 {
			return i + bits.TrailingZeros64(special)/8
		}
	}
	for i < len(b) && b[i] >= ' ' && b[i] != '"' && b[i] != '\\' {
		i++
	}
	return i
}
