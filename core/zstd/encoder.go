package zstd

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

const (
	// windowLog is that of the frames we make: larger windows gain little on cards.
	windowLog = 20
	window    = 1 << windowLog

	hashLog  = 15
	minMatch = 4
)

// Encoder makes frames from what is in memory. It keeps its tables from one to the next.
type Encoder struct {
	table  []int32 // by hash: where the bytes were last seen, plus one
	rep    repeats
	lits   []byte
	seqs   []sequence
	codes  [][3]uint8
	huff   huffEncoder
	tree   []byte
	packed []byte
	tables [3]fseEncoder
}

// Append appends a frame with the content src, with its size and without a checksum.
func (e *Encoder) Append(dst, src []byte) []byte {
	dst = slices.Grow(dst, 32+len(src)/3)
	dst = appendHeader(dst, len(src), false)
	e.begin()
	for at := 0; ; {
		end := min(at+maxBlock, len(src))
		dst = e.encode(dst, src, at, end, end == len(src))
		if at = end; at == len(src) {
			return dst
		}
	}
}

// appendHeader appends a frame header; size is negative if it is not known.
func appendHeader(dst []byte, size int, checksum bool) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, magic)
	flags := byte(0)
	if checksum {
		flags = 4
	}
	switch {
	case size < 0:
		return append(dst, flags, (windowLog-10)<<3)
	case size > window:
		return binary.LittleEndian.AppendUint64(append(dst, flags|3<<6, (windowLog-10)<<3), uint64(size))
	case size >= 1<<16+256:
		return binary.LittleEndian.AppendUint32(append(dst, flags|2<<6|1<<5), uint32(size))
	case size >= 256:
		return binary.LittleEndian.AppendUint16(append(dst, flags|1<<6|1<<5), uint16(size-256))
	}
	return append(dst, flags|1<<5, byte(size))
}

// begin prepares for the next frame.
func (e *Encoder) begin() {
	e.rep = newRepeats()
	if e.table == nil {
		e.table = make([]int32, 1<<hashLog)
	}
	clear(e.table)
}

// encode appends the block src[at:end]; what is before it in src, up to a window, serves for matches.
func (e *Encoder) encode(dst, src []byte, at, end int, last bool) []byte {
	e.lits, e.seqs = e.lits[:0], e.seqs[:0]
	before := e.rep
	e.search(src[:end], at)
	start := len(dst)
	dst = e.appendBlock(dst, src[at:end], last)
	if dst[start]>>1&3 == blockRaw { // a reader does not see the sequences
		e.rep = before
	}
	return dst
}

func hash(v uint64) uint32 { return uint32((v << 16 * 0xCF1BBCDCB7A56463) >> (64 - hashLog)) } // of six bytes

// search finds matches from at on to the end of src.
func (e *Encoder) search(src []byte, at int) {
	s, begun := at, at // begun: the literals not yet taken
	table := (*[1 << hashLog]int32)(e.table)
	for s+8 < len(src) {
		v := binary.LittleEndian.Uint64(src[s:])
		h := hash(v)
		from := int(table[h]) - 1
		table[h] = int32(s) + 1
		switch again := s + 1 - e.rep[0]; {
		case again >= 0 && e.rep[0] <= window && binary.LittleEndian.Uint32(src[again:]) == uint32(v>>8):
			s, from = s+1, again // the latest offset costs least
		case from >= 0 && s-from <= window && binary.LittleEndian.Uint32(src[from:]) == uint32(v):
		default:
			s += 1 + (s-begun)>>6 // faster where nothing matches
			continue
		}
		for s > begun && from > 0 && src[s-1] == src[from-1] {
			s--
			from--
		}
		n := minMatch + matching(src, s+minMatch, from+minMatch)
		e.lits = append(e.lits, src[begun:s]...)
		e.seqs = append(e.seqs, sequence{uint32(s - begun), uint32(n), uint32(e.rep.value(s-from, s-begun))})
		if k := s + n; k+8 < len(src) { // two positions inside, for matches with what comes next
			table[hash(binary.LittleEndian.Uint64(src[s+2:]))] = int32(s+2) + 1
			table[hash(binary.LittleEndian.Uint64(src[k-2:]))] = int32(k-2) + 1
		}
		s += n
		begun = s
	}
	e.lits = append(e.lits, src[begun:]...)
}

// matching returns how many bytes are equal from a and from b on; b is before a.
func matching(src []byte, a, b int) int {
	start := a
	for a+8 <= len(src) {
		if x := binary.LittleEndian.Uint64(src[a:]) ^ binary.LittleEndian.Uint64(src[b:]); x != 0 {
			return a - start + bits.TrailingZeros64(x)>>3
		}
		a, b = a+8, b+8
	}
	for a < len(src) && src[a] == src[b] {
		a, b = a+1, b+1
	}
	return a - start
}
