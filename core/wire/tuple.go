package wire

import (
	"math"
	"strconv"
	"unicode/utf8"
	"unsafe"

	"github.com/cardferry/cardferry/core/jsontext"
)

// tupleScanner reads the arrays of a chunk. The first problem stays in err, and everything after it reads as zero, so
// that the readers of rows stay flat.
type tupleScanner struct {
	jsontext.Scanner
	err error
	// text receives all decoded strings. They are never longer than their JSON, so it never grows, and strings can
	// point into it.
	text []byte
}

func newTupleScanner(b []byte) *tupleScanner {
	return &tupleScanner{Scanner: jsontext.Scanner{B: b}}
}

func (s *tupleScanner) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

// chunk reads the whole message.
func (s *tupleScanner) chunk(c *Chunk) error {
	s.Space()
	if s.Peek() != '{' {
		return errType
	}
	var seen [4]bool
	err := s.List('}', func() error {
		raw, err := s.Str()
		if err != nil {
			return err
		}
		if s.Space(); s.Peek() != ':' {
			return jsontext.ErrSyntax
		}
		s.Pos++
		s.Space()
		return s.member(jsontext.DecodeString(raw), c, &seen)
	})
	if err != nil {
		return err
	}
	if s.Space(); s.Pos < len(s.B) {
		return jsontext.ErrSyntax
	}
	return nil
}

// member reads the value of one key; a known one must not occur twice.
func (s *tupleScanner) member(key string, c *Chunk, seen *[4]bool) error {
	var which int
	switch key {
	case "done":
		start := s.Pos
		err := s.Value(0)
		if err == nil {
			var ok bool
			if c.Done, ok = jsontext.Bool(s.B[start:s.Pos]); !ok {
				err = errType
			}
		}
		if err != nil {
			return err
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
		return s.Value(jsontext.MaxDepth)
	}
	if seen[which] {
		s.fail(errType)
	}
	seen[which] = true
	return s.err
}

// tuples reads an array of arrays; one reads the elements of an inner one.
func (s *tupleScanner) tuples(one func()) {
	if s.Peek() != '[' {
		s.fail(errType)
		return
	}
	err := s.List(']', func() error {
		if s.Peek() != '[' {
			return errType
		}
		s.Pos++
		one()
		s.Space()
		if s.err == nil && s.Peek() != ']' {
			s.err = errType
		}
		s.Pos++
		return s.err
	})
	if err != nil {
		s.fail(err)
	}
}

// next goes to the next element, over the comma.
func (s *tupleScanner) next() {
	s.Space()
	if s.Peek() != ',' {
		s.fail(errType)
		return
	}
	s.Pos++
}

// whole reads an integer from lo to hi; a fraction or an exponent is an error, even if it is a whole number.
func (s *tupleScanner) whole(lo, hi int64) int64 {
	n, ok := s.integer()
	if !ok || n < lo || n > hi {
		s.fail(errType)
		return 0
	}
	return n
}

// integer reads digits; the position does not matter after a failure.
func (s *tupleScanner) integer() (n int64, ok bool) {
	s.Space()
	b, i := s.B, s.Pos
	negative := i < len(b) && b[i] == '-'
	if negative {
		i++
	}
	start := i
	for ; i < len(b) && '0' <= b[i] && b[i] <= '9' && i-start < 19; i++ {
		n = n*10 + int64(b[i]-'0')
	}
	digits := i - start
	if digits == 0 || digits > 1 && b[start] == '0' || negative && n == 0 {
		return 0, false
	}
	if i < len(b) && (b[i] == '.' || b[i]|0x20 == 'e' || '0' <= b[i] && b[i] <= '9') || n < 0 {
		return s.longInteger()
	}
	s.Pos = i
	if negative {
		n = -n
	}
	return n, true
}

// longInteger is for numbers near the ends of the range.
func (s *tupleScanner) longInteger() (int64, bool) {
	start := s.Pos
	if s.Value(0) != nil {
		return 0, false
	}
	return jsontext.Int(s.B[start:s.Pos])
}

// number reads an integer or float of any size, truncated towards zero and clamped to 64 bits (§9.4).
func (s *tupleScanner) number() int64 {
	s.Space()
	start := s.Pos
	if n, ok := s.integer(); ok {
		return n
	}
	s.Pos = start
	if c := s.Peek(); c != '-' && (c < '0' || c > '9') || s.Value(0) != nil {
		s.fail(errType)
		return 0
	}
	f, err := strconv.ParseFloat(string(s.B[start:s.Pos]), 64)
	switch {
	case err != nil:
		s.fail(errType)
		return 0
	case f >= math.MaxInt64:
		return math.MaxInt64
	case f <= math.MinInt64:
		return math.MinInt64
	}
	return int64(f)
}

// number32 is number, cut to its low 32 bits.
func (s *tupleScanner) number32() int32 { return int32(s.number()) }

// unsigned32 is number32 with negative values read as 0.
func (s *tupleScanner) unsigned32() uint32 { return uint32(max(s.number(), 0)) }

// usn reads a usn; -1 is refused.
func (s *tupleScanner) usn() int32 {
	n := s.whole(math.MinInt32, math.MaxInt32)
	if n == -1 {
		s.fail(errPending)
	}
	return int32(n)
}

func (s *tupleScanner) id() int64 { return s.whole(math.MinInt64, math.MaxInt64) }

func (s *tupleScanner) u32() uint32 { return uint32(s.whole(0, math.MaxUint32)) }

// skip reads any value.
func (s *tupleScanner) skip() {
	s.Space()
	if err := s.Value(jsontext.MaxDepth); err != nil {
		s.fail(err)
	}
}

// string reads a string into text.
func (s *tupleScanner) string() string {
	s.Space()
	raw, err := s.Str()
	if err != nil {
		s.fail(err)
		return ""
	}
	raw = raw[1 : len(raw)-1]
	if len(raw) == 0 {
		return ""
	}
	if s.text == nil {
		s.text = make([]byte, 0, len(s.B)-s.Pos+len(raw))
	}
	from := len(s.text)
	for i := 0; i < len(raw); {
		if raw[i] != '\\' {
			j := i + 1
			for j < len(raw) && raw[j] != '\\' {
				j++
			}
			s.text = append(s.text, raw[i:j]...)
			i = j
			continue
		}
		r, size := jsontext.Unescape(raw[i:])
		s.text = utf8.AppendRune(s.text, r)
		i += size
	}
	return unsafe.String(&s.text[from], len(s.text)-from)
}

func (s *tupleScanner) revlog() (r Revlog) {
	r.ID = s.id()
	s.next()
	r.CardID = s.id()
	s.next()
	r.USN = s.usn()
	s.next()
	r.Ease = uint8(s.whole(0, math.MaxUint8))
	s.next()
	r.Interval = s.number32()
	s.next()
	r.LastInterval = s.number32()
	s.next()
	r.Factor = s.unsigned32()
	s.next()
	r.Time = s.unsigned32()
	s.next()
	r.Type = s.reviewType()
	return r
}

// reviewType reads 0 to 5; anything else, of any type, is 0.
func (s *tupleScanner) reviewType() uint8 {
	s.Space()
	start := s.Pos
	s.skip()
	if s.err != nil {
		return 0
	}
	if n, ok := jsontext.IntIn(s.B[start:s.Pos], 0, 5); ok {
		return uint8(n)
	}
	return 0
}

func (s *tupleScanner) card() (c Card) {
	c.ID = s.id()
	s.next()
	c.NoteID = s.id()
	s.next()
	c.DeckID = s.id()
	s.next()
	c.Ord = uint16(s.whole(0, math.MaxUint16))
	s.next()
	c.Mod = s.number()
	s.next()
	c.USN = s.usn()
	s.next()
	c.Type = uint8(s.whole(0, 3))
	s.next()
	c.Queue = int8(s.whole(-3, 4))
	s.next()
	c.Due = s.number32()
	s.next()
	c.Interval = s.unsigned32()
	s.next()
	c.Factor = uint16(s.whole(0, math.MaxUint16))
	s.next()
	c.Reps = s.u32()
	s.next()
	c.Lapses = s.u32()
	s.next()
	c.Left = s.u32()
	s.next()
	c.ODue = s.number32()
	s.next()
	c.ODeckID = s.id()
	s.next()
	c.Flags = uint8(s.whole(0, math.MaxUint8))
	s.next()
	c.Data = s.string()
	return c
}

func (s *tupleScanner) note() (n Note) {
	n.ID = s.id()
	s.next()
	n.GUID = s.string()
	s.next()
	n.NotetypeID = s.id()
	s.next()
	n.Mod = s.id()
	s.next()
	n.USN = s.usn()
	s.next()
	n.Tags = s.string()
	s.next()
	n.Fields = s.string()
	for range 4 { // sort field, checksum, flags, data: recomputed, so of any type
		s.next()
		s.skip()
	}
	return n
}
