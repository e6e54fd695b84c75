package wire

import (
	"math"

	"github.com/cardferry/cardferry/core/jsontext"
)

// Card is one card (§9.5).
type Card struct {
	ID, NoteID, DeckID int64
	Ord                uint16
	Mod                int64 // s
	USN                int32
	Type               uint8
	Queue              int8
	Due                int32
	Interval           uint32
	Factor             uint16
	Reps, Lapses, Left uint32
	ODue               int32
	ODeckID            int64
	Flags              uint8
	Data               string
}

func (s *tupleScanner) card() Card {
	var v [17]int64
	const anyNumber = 1<<4 | 1<<8 | 1<<9 | 1<<14
	if s.integers(v[:])&^anyNumber != 0 {
		s.fail(errType)
	}
	s.expect(',')
	return Card{
		ID: v[0], NoteID: v[1], DeckID: v[2], Ord: uint16(s.within(v[3], 0, math.MaxUint16)), Mod: v[4], USN: s.usn(v[5]),
		Type: uint8(s.within(v[6], 0, 3)), Queue: int8(s.within(v[7], -3, 4)), Due: int32(v[8]), Interval: clamped32(v[9]),
		Factor: uint16(s.within(v[10], 0, math.MaxUint16)), Reps: s.uint32(v[11]), Lapses: s.uint32(v[12]),
		Left: s.uint32(v[13]), ODue: int32(v[14]), ODeckID: v[15], Flags: uint8(s.within(v[16], 0, math.MaxUint8)),
		Data: s.string(),
	}
}

func appendCard(dst []byte, c *Card) []byte {
	dst = ints(dst, c.ID, c.NoteID, c.DeckID, int64(c.Ord), c.Mod, int64(c.USN), int64(c.Type), int64(c.Queue),
		int64(c.Due), int64(c.Interval), int64(c.Factor), int64(c.Reps), int64(c.Lapses), int64(c.Left),
		int64(c.ODue), c.ODeckID, int64(c.Flags))
	return jsontext.AppendString(append(dst, ','), c.Data)
}
