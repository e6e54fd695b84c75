package zstd

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// bitReader reads a bit stream from its end to its beginning, as the entropy coders have it (§4.1).
type bitReader struct {
	b    []byte
	left int // bits; negative if more were read than there are
}

// newBitReader starts before the highest set bit, which ends the stream.
func newBitReader(b []byte) (bitReader, error) {
	if len(b) == 0 || b[len(b)-1] == 0 {
		return bitReader{}, ErrCorrupt
	}
	return bitReader{b, 8*len(b) - bits.LeadingZeros8(b[len(b)-1]) - 1}, nil
}

// peek returns the next bits, at least 57, from the highest on; behind the end there are zeros.
func (r *bitReader) peek() uint64 {
	i := (r.left + 7) >> 3
	if i >= 8 {
		return binary.LittleEndian.Uint64(r.b[i-8:]) << uint(i*8-r.left)
	}
	if i <= 0 {
		return 0
	}
	var v uint64
	for _, c := range r.b[:i] {
		v = v>>8 | uint64(c)<<56
	}
	return v << uint(i*8-r.left)
}

// read returns the next n bits, at most 32.
func (r *bitReader) read(n uint) int {
	v := r.peek() >> (64 - n)
	r.left -= int(n)
	return int(v)
}

// bitWriter appends bits to bytes, lowest first. add collects up to 56 bits, then store must be called.
type bitWriter struct {
	b   []byte
	acc uint64
	n   uint // bits in acc, fewer than 8 after store
}

// newBitWriter returns a writer behind dst, with room for most bits.
func newBitWriter(dst []byte, most int) bitWriter {
	return bitWriter{b: slices.Grow(dst, most/8+16)}
}

// add appends the low n bits of v; the others must be zero.
func (w *bitWriter) add(v uint64, n uint) {
	w.acc |= v << (w.n & 63)
	w.n += n
}

// store moves the whole bytes of what was collected to b. It writes eight bytes whatever counts, which is faster.
func (w *bitWriter) store() {
	n := len(w.b)
	b := w.b[:n+8]
	binary.LittleEndian.PutUint64(b[n:], w.acc)
	w.b = b[:n+int(w.n>>3)]
	w.acc >>= w.n & 56
	w.n &= 7
}

// flush fills the last byte with zeros.
func (w *bitWriter) flush() []byte {
	w.store()
	if w.n > 0 {
		w.b = append(w.b, byte(w.acc))
	}
	return w.b
}

// end marks the end for a bitReader.
func (w *bitWriter) end() []byte {
	w.store()
	w.add(1, 1)
	return w.flush()
}
