package wire

import "math"

// Revlog is one review (§9.4).
type Revlog struct {
	ID, CardID             int64 // ms
	USN                    int32
	Ease                   uint8
	Interval, LastInterval int32 // days if > 0, seconds if < 0
	Factor, Time           uint32
	Type                   uint8
}

func (s *tupleScanner) revlog() Revlog {
	var v [8]int64
	const anyNumber = 1<<4 | 1<<5 | 1<<6 | 1<<7
	if s.integers(v[:])&^anyNumber != 0 {
		s.fail(errType)
	}
	s.expect(',')
	return Revlog{
		ID: v[0], CardID: v[1], USN: s.usn(v[2]), Ease: uint8(s.within(v[3], 0, math.MaxUint8)),
		Interval: int32(v[4]), LastInterval: int32(v[5]), Factor: clamped32(v[6]), Time: clamped32(v[7]),
		Type: s.reviewType(),
	}
}

// reviewType reads 0 to 5; anything else, of any type, is 0.
func (s *tupleScanner) reviewType() uint8 {
	if b := s.b[s.pos:]; len(b) > 1 && b[0] >= '0' && b[0] <= '5' && b[1] == ']' { // as all senders write it
		s.pos++
		return b[0] - '0'
	}
	if raw := s.other(); len(raw) == 1 && raw[0] >= '0' && raw[0] <= '5' {
		return raw[0] - '0'
	}
	return 0
}

func appendRevlog(dst []byte, r *Revlog) []byte {
	return ints(dst, r.ID, r.CardID, int64(r.USN), int64(r.Ease), int64(r.Interval), int64(r.LastInterval),
		int64(r.Factor), int64(r.Time), int64(r.Type))
}
