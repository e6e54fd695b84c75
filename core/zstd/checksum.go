package zstd

import (
	"encoding/binary"
	"math/bits"
)

// checksum is XXH64 with the seed 0, of which a frame has the low half.
type checksum struct {
	v     [4]uint64
	total uint64
	rest  [32]byte
	n     int // bytes in rest
}

// Variables, for their sums overflow.
var prime1, prime2, prime3, prime4, prime5 uint64 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5

func (x *checksum) reset() { *x = checksum{v: [4]uint64{prime1 + prime2, prime2, 0, -prime1}} }

func (x *checksum) write(b []byte) {
	x.total += uint64(len(b))
	if x.n > 0 {
		k := copy(x.rest[x.n:], b)
		b = b[k:]
		if x.n += k; x.n < len(x.rest) {
			return
		}
		x.stripes(x.rest[:])
	}
	whole := len(b) &^ 31
	x.stripes(b[:whole])
	x.n = copy(x.rest[:], b[whole:])
}

func (x *checksum) stripes(b []byte) {
	v := x.v
	for ; len(b) >= 32; b = b[32:] {
		v[0] = round(v[0], binary.LittleEndian.Uint64(b))
		v[1] = round(v[1], binary.LittleEndian.Uint64(b[8:]))
		v[2] = round(v[2], binary.LittleEndian.Uint64(b[16:]))
		v[3] = round(v[3], binary.LittleEndian.Uint64(b[24:]))
	}
	x.v = v
}

func round(acc, input uint64) uint64 {
	return bits.RotateLeft64(acc+input*prime2, 31) * prime1
}

func (x *checksum) sum() uint32 {
	h := prime5
	if x.total >= 32 {
		h = bits.RotateLeft64(x.v[0], 1) + bits.RotateLeft64(x.v[1], 7) + bits.RotateLeft64(x.v[2], 12) + bits.RotateLeft64(x.v[3], 18)
		for _, v := range x.v {
			h = (h^round(0, v))*prime1 + prime4
		}
	}
	h += x.total
	b := x.rest[:x.n]
	for ; len(b) >= 8; b = b[8:] {
		h = bits.RotateLeft64(h^round(0, binary.LittleEndian.Uint64(b)), 27)*prime1 + prime4
	}
	if len(b) >= 4 {
		h = bits.RotateLeft64(h^uint64(binary.LittleEndian.Uint32(b))*prime1, 23)*prime2 + prime3
		b = b[4:]
	}
	for _, c := range b {
		h = bits.RotateLeft64(h^uint64(c)*prime5, 11) * prime1
	}
	h = (h ^ h>>33) * prime2
	h = (h ^ h>>29) * prime3
	return uint32(h ^ h>>32)
}
