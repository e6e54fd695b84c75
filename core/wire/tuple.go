package wire

import (
	"bytes"
	"unicode/utf8"

	"github.com/cardferry/cardferry/core/jsontext"
)

// tupleScanner reads the arrays of a chunk, which are nearly all of what a sync moves. The first problem stays in err and
// moves the scanner to the end, where everything reads as zero, so that the readers of rows stay flat.
type tupleScanner struct {
	b   []byte
	pos int
	err error
	at  int // where err was found
	// text receives all decoded strings. They are never longer than their JSON, so it never grows, and strings can
	// point into it.
	text []byte
}

// newTupleScanner checks the encoding of all of b, so that no later step has to.
func newTupleScanner(b []byte) *tupleScanner {
	s := &tupleScanner{b: b}
	if !utf8.Valid(b) {
		s.fail(errEncoding)
	}
	return s
}

func (s *tupleScanner) fail(err error) {
	if s.err == nil {
		s.err, s.at = err, s.pos
	}
	s.pos = len(s.b)
}

// peek returns the next byte that is not white space, 0 at the end.
func (s *tupleScanner) peek() byte {
	for s.pos < len(s.b) {
		switch c := s.b[s.pos]; c {
		case ' ', '\n', '\t', '\r':
			s.pos++
		default:
			return c
		}
	}
	return 0
}

// expect reads the punctuation mark c.
func (s *tupleScanner) expect(c byte) {
	if !s.accept(c) {
		s.fail(errType)
	}
}

// accept reads the punctuation mark c if it comes next.
func (s *tupleScanner) accept(c byte) bool {
	if s.peek() != c {
		return false
	}
	s.pos++
	return true
}

// other reads a value of any kind and returns its text.
func (s *tupleScanner) other() []byte {
	s.peek()
	if b := s.b[s.pos:]; len(b) > 1 && b[0] == '"' && b[1] == '"' {
		s.pos += 2
		return b[:2]
	}
	v := jsontext.Scanner{B: s.b, Pos: s.pos}
	if err := v.Value(jsontext.MaxDepth); err != nil {
		s.fail(err)
		return nil
	}
	text := s.b[s.pos:v.Pos]
	s.pos = v.Pos
	return text
}

// object reads an object; member has to read the value of the given key.
func (s *tupleScanner) object(member func(key []byte)) {
	s.expect('{')
	for more := !s.accept('}'); more && s.err == nil; {
		key := s.key()
		s.expect(':')
		member(key)
		if more = s.accept(','); !more {
			s.expect('}')
		}
	}
}

// key reads the key of a member.
func (s *tupleScanner) key() []byte {
	raw := s.other()
	if len(raw) < 2 || raw[0] != '"' {
		s.fail(errType)
		return nil
	}
	if bytes.IndexByte(raw, '\\') >= 0 {
		return []byte(jsontext.DecodeString(raw))
	}
	return raw[1 : len(raw)-1]
}

// end checks that nothing follows and returns the first problem.
func (s *tupleScanner) end() error {
	if s.peek(); s.pos < len(s.b) {
		s.fail(errType)
	}
	return s.err
}

// chunk reads the whole message.
func (s *tupleScanner) chunk(c *Chunk) error {
	var seen [4]bool
	s.object(func(key []byte) { s.member(key, c, &seen) })
	return s.end()
}

// member reads the value of one key; a known one must not occur twice.
func (s *tupleScanner) member(key []byte, c *Chunk, seen *[4]bool) {
	var which int
	switch string(key) {
	case "done":
		var ok bool
		if c.Done, ok = jsontext.Bool(s.other()); !ok {
			s.fail(errType)
		}
	case "revlog":
		which = 1
		s.tuples(func() { c.Revlog = append(c.Revlog, s.revlog()) })
	case "cards":
		which = 2
		s.tuples(func() { c.Cards = append(c.Cards, s.card()) })
	case "notes":
		which = 3
		s.tuples(func() { c.Notes = append(c.Notes, s.note()) })
	default:
		s.other()
		return
	}
	if seen[which] {
		s.fail(errTwice)
	}
	seen[which] = true
}

// tuples reads an array of arrays; one reads the elements of an inner one.
func (s *tupleScanner) tuples(one func()) {
	s.expect('[')
	for more := !s.accept(']'); more && s.err == nil; {
		s.expect('[')
		one()
		s.expect(']')
		if more = s.accept(','); !more {
			s.expect(']')
		}
	}
}
