package legacy

import (
	"bytes"
	"errors"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth bounds the nesting of arrays and objects; the reference stops at 128 too.
const maxDepth = 128

var errSyntax = errors.New("not valid JSON")

// member is one member of a JSON object: its key, decoded, and the JSON text of its value.
type member struct {
	key string
	raw []byte
}

// scanner reads JSON as strictly as the reference: UTF-8 only, no lone surrogates, no number beyond a float64.
// (encoding/json lets the first two pass, and matches keys without regard to case.)
type scanner struct {
	b   []byte
	pos int
}

// parseObject returns the members of the JSON object that b consists of, in order, after checking all of b.
func parseObject(b []byte) ([]member, error) {
	s := scanner{b: b}
	s.space()
	if s.peek() != '{' {
		return nil, errors.New("not a JSON object")
	}
	var members []member
	if err := s.object(maxDepth, &members); err != nil {
		return nil, err
	}
	if s.space(); s.pos < len(b) {
		return nil, errSyntax
	}
	return members, nil
}

// elements returns the JSON texts of the elements of an array that was checked before; ok is false if raw is none.
func elements(raw []byte) (list [][]byte, ok bool) {
	s := scanner{b: raw}
	if s.peek() != '[' {
		return nil, false
	}
	err := s.list(']', func() error {
		start := s.pos
		err := s.value(maxDepth)
		list = append(list, raw[start:s.pos])
		return err
	})
	return list, err == nil
}

func (s *scanner) space() {
	for s.pos < len(s.b) && isSpace(s.b[s.pos]) {
		s.pos++
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// peek returns the next byte, 0 at the end.
func (s *scanner) peek() byte {
	if s.pos < len(s.b) {
		return s.b[s.pos]
	}
	return 0
}

// value skips one value, which begins at the next byte.
func (s *scanner) value(depth int) error {
	switch c := s.peek(); {
	case c == '{':
		return s.object(depth, nil)
	case c == '[':
		if depth == 0 {
			return errors.New("nested too deeply")
		}
		return s.list(']', func() error { return s.value(depth - 1) })
	case c == '"':
		_, err := s.str()
		return err
	case c == '-' || '0' <= c && c <= '9':
		return s.number()
	}
	for _, word := range [...]string{"true", "false", "null"} {
		if bytes.HasPrefix(s.b[s.pos:], []byte(word)) {
			s.pos += len(word)
			return nil
		}
	}
	return errSyntax
}

// object reads an object and appends its members to out, if that is not nil.
func (s *scanner) object(depth int, out *[]member) error {
	if depth == 0 {
		return errors.New("nested too deeply")
	}
	return s.list('}', func() error {
		key, err := s.str()
		if err != nil {
			return err
		}
		if s.space(); s.peek() != ':' {
			return errSyntax
		}
		s.pos++
		s.space()
		start := s.pos
		if err := s.value(depth - 1); err != nil {
			return err
		}
		if out != nil {
			*out = append(*out, member{decodeString(key), s.b[start:s.pos]})
		}
		return nil
	})
}

// list reads items up to the closing bracket; the next byte is the opening one.
func (s *scanner) list(closing byte, item func() error) error {
	s.pos++
	if s.space(); s.peek() == closing {
		s.pos++
		return nil
	}
	for {
		s.space()
		if err := item(); err != nil {
			return err
		}
		s.space()
		c := s.peek()
		s.pos++
		switch c {
		case closing:
			return nil
		case ',':
		default:
			return errSyntax
		}
	}
}

// str skips a string and returns its text with the quotes.
func (s *scanner) str() ([]byte, error) {
	start := s.pos
	if s.peek() != '"' {
		return nil, errSyntax
	}
	for s.pos++; s.pos < len(s.b); {
		switch c := s.b[s.pos]; {
		case c == '"':
			s.pos++
			return s.b[start:s.pos], nil
		case c < 0x20:
			return nil, errSyntax
		case c == '\\':
			_, size := unescape(s.b[s.pos:])
			if size == 0 {
				return nil, errSyntax
			}
			s.pos += size
		case c < utf8.RuneSelf:
			s.pos++
		default:
			r, size := utf8.DecodeRune(s.b[s.pos:])
			if r == utf8.RuneError && size == 1 {
				return nil, errors.New("not valid UTF-8")
			}
			s.pos += size
		}
	}
	return nil, errSyntax
}

// unescape returns the code point of the escape sequence that b begins with, and its length; 0 if it is not valid.
func unescape(b []byte) (r rune, size int) {
	if len(b) < 2 {
		return 0, 0
	}
	if i := bytes.IndexByte([]byte(`"\/bfnrt`), b[1]); i >= 0 {
		return rune("\"\\/\b\f\n\r\t"[i]), 2
	}
	r = hex4(b)
	if !utf16.IsSurrogate(r) {
		if r < 0 {
			return 0, 0
		}
		return r, 6
	}
	if r = utf16.DecodeRune(r, hex4(b[6:])); r == utf8.RuneError {
		return 0, 0
	}
	return r, 12
}

// hex4 returns the value of a \uXXXX sequence, -1 if b does not begin with one.
func hex4(b []byte) rune {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return -1
	}
	var r rune
	for _, c := range b[2:6] {
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return -1
		}
	}
	return r
}

// decodeString returns the value of a string that str has passed.
func decodeString(raw []byte) string {
	raw = raw[1 : len(raw)-1]
	i := bytes.IndexByte(raw, '\\')
	if i < 0 {
		return string(raw)
	}
	dst := make([]byte, 0, len(raw))
	for ; i >= 0; i = bytes.IndexByte(raw, '\\') {
		dst = append(dst, raw[:i]...)
		r, size := unescape(raw[i:])
		dst = utf8.AppendRune(dst, r)
		raw = raw[i+size:]
	}
	return string(append(dst, raw...))
}

// number skips a number.
func (s *scanner) number() error {
	start := s.pos
	if s.peek() == '-' {
		s.pos++
	}
	if s.peek() == '0' {
		s.pos++
	} else if !s.digits() {
		return errSyntax
	}
	long := s.pos-start > 300
	if s.peek() == '.' {
		if s.pos++; !s.digits() {
			return errSyntax
		}
	}
	if s.peek()|0x20 == 'e' {
		if s.pos++; s.peek() == '+' || s.peek() == '-' {
			s.pos++
		}
		if !s.digits() {
			return errSyntax
		}
		long = true
	}
	if long {
		if _, err := strconv.ParseFloat(string(s.b[start:s.pos]), 64); err != nil {
			return errors.New("number out of range")
		}
	}
	return nil
}

func (s *scanner) digits() bool {
	start := s.pos
	for '0' <= s.peek() && s.peek() <= '9' {
		s.pos++
	}
	return s.pos > start
}

// appendCompact appends JSON text that was checked before without the white space between its parts.
func appendCompact(dst, raw []byte) []byte {
	inside := false
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		switch {
		case c == '"':
			inside = !inside
		case c == '\\':
			dst = append(dst, c)
			i++
			c = raw[i]
		case !inside && isSpace(c):
			continue
		}
		dst = append(dst, c)
	}
	return dst
}
