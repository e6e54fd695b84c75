package wire

import (
	"math"
	"strconv"

	"github.com/cardferry/cardferry/core/jsontext"
)

// integers reads numbers with commas between them into v. Bit i of the result is set if element i is anything but an
// integer of 64 bits; v[i] is then truncated and clamped as in number. This loop is half of the time of a sync's
// decoding: it keeps the position in a register and leaves what is unusual to number.
func (s *tupleScanner) integers(v []int64) (inexact uint32) {
	b, i := s.b, s.pos
	for k := range v {
		if k > 0 {
			if i < len(b) && b[i] == ',' {
				i++
			} else {
				s.pos = i
				s.expect(',')
				i = s.pos
			}
		}
		start := i
		negative := i < len(b) && b[i] == '-'
		if negative {
			i++
		}
		first := i
		var n int64
		for i < len(b) && b[i]-'0' <= 9 {
			n = n*10 + int64(b[i]-'0')
			i++
		}
		// -0 is a float to the reference; 18 digits always fit.
		if i-first-1 >= 18 || i-first < 1 || b[first] == '0' && (i-first > 1 || negative) || i == len(b) || b[i] != ',' && b[i] != ']' {
			var exact bool
			s.pos = start
			if n, exact = s.number(); !exact {
				inexact |= 1 << k
			}
			i = s.pos
		} else if negative {
			n = -n
		}
		v[k] = n
	}
	s.pos = i
	return inexact
}

// number reads an integer or float of any size, truncated towards zero and clamped to 64 bits (§9.4); exact says that
// it is an integer of 64 bits.
func (s *tupleScanner) number() (n int64, exact bool) {
	if c := s.peek(); c != '-' && c-'0' > 9 {
		s.fail(errType)
		return 0, false
	}
	raw := s.other()
	if n, exact = jsontext.Int(raw); exact {
		return n, true
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	switch {
	case err != nil:
		s.fail(errType)
		return 0, false
	case f >= math.MaxInt64:
		return math.MaxInt64, false
	case f <= math.MinInt64:
		return math.MinInt64, false
	}
	return int64(f), false
}

// integer reads one number that has to be an integer.
func (s *tupleScanner) integer() int64 {
	var v [1]int64
	if s.integers(v[:]) != 0 {
		s.fail(errType)
	}
	return v[0]
}

// within returns n, which has to be from lo to hi.
func (s *tupleScanner) within(n, lo, hi int64) int64 {
	if n < lo || n > hi {
		s.fail(errType)
		return 0
	}
	return n
}

func (s *tupleScanner) uint32(n int64) uint32 { return uint32(s.within(n, 0, math.MaxUint32)) }

// usn returns n as a usn; -1 is refused.
func (s *tupleScanner) usn(n int64) int32 {
	if n == -1 {
		s.fail(errPending)
	}
	return int32(s.within(n, math.MinInt32, math.MaxInt32))
}

// clamped32 keeps the low 32 bits of a number that is not negative, 0 of others. The real server looks at the sign
// before it cuts.
func clamped32(n int64) uint32 { return uint32(max(n, 0)) }
