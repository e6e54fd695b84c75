package legacy

import (
	"encoding/binary"
	"math"
	"unicode/utf8"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/jsontext"
)

// The wire types of protobuf.
const (
	wireVarint = 0
	wire64     = 1
	wireBytes  = 2
	wireGroup  = 3
	wireEnd    = 4
	wire32     = 5
)

// fieldOther is the number of the field "other" in every message that has one.
const fieldOther = 255

// message reads the fields of one protobuf message. Use:
//
//	for m := newMessage(b, &err); m.next(); {
//		switch m.num {
//		case 1:
//			m.int32(&v)
//		}
//	}
//
// Fields that no case takes are skipped. Integers of all widths are read into int64, cut to their declared width as
// protobuf demands. A field of another wire type than declared makes the message damaged.
type message struct {
	rest []byte
	num  uint64
	wire uint64
	v    uint64 // of a varint, 64-bit or 32-bit field
	body []byte // of a length-delimited field
	err  *error
}

func newMessage(b []byte, err *error) *message { return &message{rest: b, err: err} }

func (m *message) next() bool {
	if *m.err != nil || len(m.rest) == 0 {
		return false
	}
	tag := m.varint()
	m.num, m.wire = tag>>3, tag&7
	if tag > math.MaxUint32 || m.num == 0 {
		m.damaged()
	}
	m.content(jsontext.MaxDepth)
	return *m.err == nil
}

// content reads what follows the tag.
func (m *message) content(depth int) {
	switch m.wire {
	case wireVarint:
		m.v = m.varint()
	case wire64:
		if b := m.take(8); b != nil {
			m.v = binary.LittleEndian.Uint64(b)
		}
	case wire32:
		if b := m.take(4); b != nil {
			m.v = uint64(binary.LittleEndian.Uint32(b))
		}
	case wireBytes:
		m.body = m.take(m.varint())
	case wireGroup:
		m.group(m.num, depth)
	default:
		m.damaged()
	}
}

// group skips a group, a form of nesting that nobody uses any more; a damaged blob may contain one.
func (m *message) group(num uint64, depth int) {
	for depth > 0 && *m.err == nil && len(m.rest) > 0 {
		tag := m.varint()
		if m.wire = tag & 7; m.wire == wireEnd && tag>>3 == num {
			m.num, m.wire = num, wireGroup
			return
		}
		m.num = tag >> 3
		m.content(depth - 1)
	}
	m.damaged()
}

func (m *message) damaged() {
	if *m.err == nil {
		*m.err = fault.New(fault.DamagedFile, "damaged protobuf message")
	}
}

func (m *message) varint() uint64 {
	v, n := binary.Uvarint(m.rest)
	if n <= 0 {
		m.damaged()
		m.rest = nil
		return 0
	}
	m.rest = m.rest[n:]
	return v
}

// take returns the next n bytes, which alias the message; nil after an error.
func (m *message) take(n uint64) []byte {
	if n > uint64(len(m.rest)) {
		m.damaged()
		return nil
	}
	b := m.rest[:n:n]
	m.rest = m.rest[n:]
	return b
}

// is reports whether the field has the wire type that was declared.
func (m *message) is(wire uint64) bool {
	if m.wire != wire {
		m.damaged()
	}
	return *m.err == nil
}

func (m *message) int64(p *int64) {
	if m.is(wireVarint) {
		*p = int64(m.v)
	}
}

func (m *message) int32(p *int64) {
	if m.is(wireVarint) {
		*p = int64(int32(m.v))
	}
}

func (m *message) uint32(p *int64) {
	if m.is(wireVarint) {
		*p = int64(uint32(m.v))
	}
}

func (m *message) bool(p *bool) {
	if m.is(wireVarint) {
		*p = m.v != 0
	}
}

func (m *message) float(p *float32) {
	if m.is(wire32) {
		*p = math.Float32frombits(uint32(m.v))
	}
}

// string reads text, which protobuf wants to be UTF-8.
func (m *message) string(p *string) {
	if m.is(wireBytes) {
		if !utf8.Valid(m.body) {
			m.damaged()
		}
		*p = string(m.body)
	}
}

func (m *message) bytes(p *[]byte) {
	if m.is(wireBytes) {
		*p = m.body
	}
}

// floats reads a repeated field, packed or not.
func (m *message) floats(p *[]float32) {
	if m.wire == wire32 {
		*p = append(*p, math.Float32frombits(uint32(m.v)))
		return
	}
	if !m.is(wireBytes) {
		return
	}
	if len(m.body)%4 != 0 {
		m.damaged()
		return
	}
	for b := m.body; len(b) > 0; b = b[4:] {
		*p = append(*p, math.Float32frombits(binary.LittleEndian.Uint32(b)))
	}
}

// uint32s reads a repeated field, packed or not.
func (m *message) uint32s(p *[]int64) {
	if m.wire == wireVarint {
		*p = append(*p, int64(uint32(m.v)))
		return
	}
	if !m.is(wireBytes) {
		return
	}
	for packed := newMessage(m.body, m.err); len(packed.rest) > 0; {
		*p = append(*p, int64(uint32(packed.varint())))
	}
}

// The writers leave out zero values, as proto3 does; set ones are the exception.

// putVarint stays a call: copies of it at each of the writers' hundred uses made the guest 15 KB (gzip) larger.
//
//go:noinline
func putVarint(dst []byte, v uint64) []byte { return binary.AppendUvarint(dst, v) }

func putTag(dst []byte, num int, wire uint64) []byte {
	return putVarint(dst, uint64(num)<<3|wire)
}

func putInt(dst []byte, num int, v int64) []byte {
	if v == 0 {
		return dst
	}
	return putSetInt(dst, num, &v)
}

// putSetInt writes an optional integer if it is set, zero or not.
func putSetInt(dst []byte, num int, v *int64) []byte {
	if v == nil {
		return dst
	}
	return putVarint(putTag(dst, num, wireVarint), uint64(*v))
}

func putBool(dst []byte, num int, v bool) []byte {
	if !v {
		return dst
	}
	return append(putTag(dst, num, wireVarint), 1)
}

func putFloat(dst []byte, num int, v float32) []byte {
	if v == 0 {
		return dst
	}
	return putSetFloat(dst, num, &v)
}

func putSetFloat(dst []byte, num int, v *float32) []byte {
	if v == nil {
		return dst
	}
	return binary.LittleEndian.AppendUint32(putTag(dst, num, wire32), math.Float32bits(*v))
}

func putBytes[T ~string | ~[]byte](dst []byte, num int, v T) []byte {
	if len(v) == 0 {
		return dst
	}
	return putMessage(dst, num, v)
}

// putMessage writes a message that is there, empty or not.
func putMessage[T ~string | ~[]byte](dst []byte, num int, body T) []byte {
	return append(putVarint(putTag(dst, num, wireBytes), uint64(len(body))), body...)
}

func putFloats(dst []byte, num int, list []float32) []byte {
	if len(list) == 0 {
		return dst
	}
	dst = putVarint(putTag(dst, num, wireBytes), uint64(4*len(list)))
	for _, v := range list {
		dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(v))
	}
	return dst
}

func putInts(dst []byte, num int, list []int64) []byte {
	var packed []byte
	for _, v := range list {
		packed = putVarint(packed, uint64(v))
	}
	return putBytes(dst, num, packed)
}
