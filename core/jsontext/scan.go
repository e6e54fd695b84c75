// Package jsontext reads and writes JSON as strictly as the reference does: UTF-8 only, no lone surrogates, no number
// beyond a float64, keys matched exactly. It uses no reflection: encoding/json lets the first two pass, matches keys
// without regard to case, escapes HTML, and costs the guest a tenth of its size.
package jsontext

import (
	"bytes"
	"errors"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxDepth bounds the nesting of arrays and objects; the reference stops at 128 too.
const MaxDepth = 128

// ErrSyntax is the error for text that is not JSON.
var ErrSyntax = errors.New("not valid JSON")

// Member is one member of a JSON object: its key, decoded, and the JSON text of its value.
type Member struct {
	Key string
	Raw []byte
}

// Scanner reads JSON as strictly as the reference: UTF-8 only, no lone surrogates, no number beyond a float64.
// (encoding/json lets the first two pass, and matches keys without regard to case.)
type Scanner struct {
	B   []byte // the text
	Pos int    // of the next byte
}

// ParseObject returns the members of the JSON object that b consists of, in order, after checking all of b.
func ParseObject(b []byte) ([]Member, error) {
	s := Scanner{B: b}
	s.Space()
	if s.Peek() != '{' {
		return nil, errors.New("not a JSON object")
	}
	var members []Member
	if err := s.object(MaxDepth, &members); err != nil {
		return nil, err
	}
	if s.Space(); s.Pos < len(b) {
		return nil, ErrSyntax
	}
	return members, nil
}

// Valid reports whether b is one JSON value.
func Valid(b []byte) bool {
	s := Scanner{B: b}
	s.Space()
	if s.Value(MaxDepth) != nil {
		return false
	}
	s.Space()
	return s.Pos == len(b)
}

// Elements returns the JSON texts of the elements of an array that was checked before; ok is false if raw is none.
func Elements(raw []byte) (list [][]byte, ok bool) {
	s := Scanner{B: raw}
	if s.Peek() != '[' {
		return nil, false
	}
	err := s.List(']', func() error {
		start := s.Pos
		err := s.Value(MaxDepth)
		list = append(list, raw[start:s.Pos])
		return err
	})
	return list, err == nil
}

// Space skips white space.
func (s *Scanner) Space() {
	for s.Pos < len(s.B) && isSpace(s.B[s.Pos]) {
		s.Pos++
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// Peek returns the next byte, 0 at the end.
func (s *Scanner) Peek() byte {
	if s.Pos < len(s.B) {
		return s.B[s.Pos]
	}
	return 0
}

// Value skips one value, which begins at the next byte.
func (s *Scanner) Value(depth int) error {
	switch c := s.Peek(); {
	case c == '{':
		return s.object(depth, nil)
	case c == '[':
		if depth == 0 {
			return errors.New("nested too deeply")
		}
		return s.List(']', func() error { return s.Value(depth - 1) })
	case c == '"':
		_, err := s.Str()
		return err
	case c == '-' || '0' <= c && c <= '9':
		return s.number()
	}
	for _, word := range [...]string{"true", "false", "null"} {
		if bytes.HasPrefix(s.B[s.Pos:], []byte(word)) {
			s.Pos += len(word)
			return nil
		}
	}
	return ErrSyntax
}

// object reads an object and appends its members to out, if that is not nil.
func (s *Scanner) object(depth int, out *[]Member) error {
	if depth == 0 {
		return errors.New("nested too deeply")
	}
	return s.List('}', func() error {
		key, err := s.Str()
		if err != nil {
			return err
		}
		if s.Space(); s.Peek() != ':' {
			return ErrSyntax
		}
		s.Pos++
		s.Space()
		start := s.Pos
		if err := s.Value(depth - 1); err != nil {
			return err
		}
		if out != nil {
			*out = append(*out, Member{DecodeString(key), s.B[start:s.Pos]})
		}
		return nil
	})
}

// List reads items up to the closing bracket; the next byte is the opening one.
func (s *Scanner) List(closing byte, item func() error) error {
	s.Pos++
	if s.Space(); s.Peek() == closing {
		s.Pos++
		return nil
	}
	for {
		s.Space()
		if err := item(); err != nil {
			return err
		}
		s.Space()
		c := s.Peek()
		s.Pos++
		switch c {
		case closing:
			return nil
		case ',':
		default:
			return ErrSyntax
		}
	}
}

// Str skips a string and returns its text with the quotes.
func (s *Scanner) Str() ([]byte, error) {
	start := s.Pos
	if s.Peek() != '"' {
		return nil, ErrSyntax
	}
	for s.Pos++; s.Pos < len(s.B); {
		switch c := s.B[s.Pos]; {
		case c == '"':
			s.Pos++
			return s.B[start:s.Pos], nil
		case c < 0x20:
			return nil, ErrSyntax
		case c == '\\':
			_, size := Unescape(s.B[s.Pos:])
			if size == 0 {
				return nil, ErrSyntax
			}
			s.Pos += size
		case c < utf8.RuneSelf:
			s.Pos++
		default:
			r, size := utf8.DecodeRune(s.B[s.Pos:])
			if r == utf8.RuneError && size == 1 {
				return nil, errors.New("not valid UTF-8")
			}
			s.Pos += size
		}
	}
	return nil, ErrSyntax
}

// Unescape returns the code point of the escape sequence that b begins with, and its length; 0 if it is not valid.
func Unescape(b []byte) (r rune, size int) {
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

// DecodeString returns the value of a string that Str has passed.
func DecodeString(raw []byte) string {
	raw = raw[1 : len(raw)-1]
	i := bytes.IndexByte(raw, '\\')
	if i < 0 {
		return string(raw)
	}
	dst := make([]byte, 0, len(raw))
	for ; i >= 0; i = bytes.IndexByte(raw, '\\') {
		dst = append(dst, raw[:i]...)
		r, size := Unescape(raw[i:])
		dst = utf8.AppendRune(dst, r)
		raw = raw[i+size:]
	}
	return string(append(dst, raw...))
}

// number skips a number.
func (s *Scanner) number() error {
	start := s.Pos
	if s.Peek() == '-' {
		s.Pos++
	}
	if s.Peek() == '0' {
		s.Pos++
	} else if !s.digits() {
		return ErrSyntax
	}
	long := s.Pos-start > 300
	if s.Peek() == '.' {
		if s.Pos++; !s.digits() {
			return ErrSyntax
		}
	}
	if s.Peek()|0x20 == 'e' {
		if s.Pos++; s.Peek() == '+' || s.Peek() == '-' {
			s.Pos++
		}
		if !s.digits() {
			return ErrSyntax
		}
		long = true
	}
	if long {
		if _, err := strconv.ParseFloat(string(s.B[start:s.Pos]), 64); err != nil {
			return errors.New("number out of range")
		}
	}
	return nil
}

func (s *Scanner) digits() bool {
	start := s.Pos
	for '0' <= s.Peek() && s.Peek() <= '9' {
		s.Pos++
	}
	return s.Pos > start
}

// AppendCompact appends JSON text that was checked before without the white space between its parts.
func AppendCompact(dst, raw []byte) []byte {
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
