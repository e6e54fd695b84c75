package zstd

import (
	"math/bits"
	"slices"
)

// sequence is some literals, then a match.
type sequence struct {
	literals, match uint32
	offset          uint32 // as the format has it: a repeated one, or the distance + 3
}

// appendBlock appends a block with its head. src is its content, found as literals and sequences.
func (e *Encoder) appendBlock(dst, src []byte, last bool) []byte {
	start := len(dst)
	dst = append(dst, 0, 0, 0)
	kind := blockCompressed
	dst = e.appendSequences(e.appendLiterals(dst))
	size := len(dst) - start - 3
	if size >= len(src) {
		kind, size = blockRaw, len(src)
		dst = append(dst[:start+3], src...)
	}
	h := size<<3 | kind<<1
	if last {
		h |= 1
	}
	dst[start], dst[start+1], dst[start+2] = byte(h), byte(h>>8), byte(h>>16)
	return dst
}

func (e *Encoder) appendLiterals(dst []byte) []byte {
	lits := e.lits
	var counts [256]uint32
	used := 0
	for _, c := range lits {
		if counts[c]++; counts[c] == 1 {
			used++
		}
	}
	switch {
	case used == 1 && len(lits) > 4:
		return append(plainHead(dst, literalsRLE, len(lits)), lits[0])
	case used < 2 || len(lits) < 32:
		return append(plainHead(dst, literalsRaw, len(lits)), lits...)
	}
	h := &e.huff
	h.build(&counts)
	tree := h.appendTree(e.tree[:0])
	if tree != nil {
		e.tree = tree
	}
	if tree == nil || !worth(len(tree)+h.size(&counts)/8+10, len(lits)) {
		return append(plainHead(dst, literalsRaw, len(lits)), lits...)
	}
	e.packed = append(e.packed[:0], tree...)
	if len(lits) < 256 {
		e.packed = h.append1(e.packed, lits)
	} else {
		e.packed = h.append4(e.packed, lits)
	}
	return append(literalsHead(dst, len(lits), len(e.packed)), e.packed...)
}

// plainHead appends the head of raw or repeated literals.
func plainHead(dst []byte, kind byte, n int) []byte {
	switch {
	case n < 32:
		return append(dst, kind|byte(n)<<3)
	case n < 4096:
		return append(dst, kind|1<<2|byte(n)<<4, byte(n>>4))
	}
	return append(dst, kind|3<<2|byte(n)<<4, byte(n>>4), byte(n>>12))
}

func (e *Encoder) appendSequences(dst []byte) []byte {
	n := len(e.seqs)
	switch {
	case n < 128:
		dst = append(dst, byte(n))
	case n < 0x7F00:
		dst = append(dst, byte(n>>8)+128, byte(n))
	default:
		dst = append(dst, 255, byte(n-0x7F00), byte((n-0x7F00)>>8))
	}
	if n == 0 {
		return dst
	}
	e.codes = slices.Grow(e.codes[:0], n)[:n]
	for i, s := range e.seqs {
		e.codes[i] = [3]uint8{lengthCode(s.literals), uint8(bits.Len32(s.offset) - 1), matchCode(s.match)}
	}
	modes := len(dst)
	dst = append(dst, 0)
	for i, kind := range [3]*tableKind{lengthKind, offsetKind, matchKind} {
		var mode byte
		dst, mode = e.appendTable(dst, i, kind)
		dst[modes] |= mode << (6 - 2*i)
	}
	return e.appendStream(dst)
}

// appendTable makes one of the three tables and appends its description.
func (e *Encoder) appendTable(dst []byte, i int, kind *tableKind) ([]byte, byte) {
	var counts [64]uint32
	used, n := 0, 0
	for _, c := range e.codes {
		s := c[i]
		if counts[s]++; counts[s] == 1 {
			used++
			n = max(n, int(s)+1)
		}
	}
	t := &e.tables[i]
	if used == 1 && len(e.codes) > 2 {
		t.log = 0
		t.symbols[n-1] = fseSymbol{}
		t.state[0] = 0
		return append(dst, byte(n-1)), modeRLE
	}
	if len(e.codes) < 64 && n <= len(kind.norm) || used == 1 {
		t.build(kind.norm, kind.log)
		return dst, modePredefined
	}
	var norm [64]int16
	log := tableLog(len(e.codes), used, kind.maxLog)
	normalize(norm[:], counts[:n], len(e.codes), log)
	t.build(norm[:n], log)
	return appendNorm(dst, norm[:n], log), modeFSE
}

// appendStream appends the sequences themselves, the last one first.
func (e *Encoder) appendStream(dst []byte) []byte {
	w := newBitWriter(dst, 80*len(e.seqs)+64)
	lt, ot, mt := &e.tables[0], &e.tables[1], &e.tables[2]
	var ls, os, ms uint32
	for i := len(e.seqs) - 1; i >= 0; i-- {
		c, s := e.codes[i], e.seqs[i]
		if i == len(e.seqs)-1 {
			ls, os, ms = lt.begin(c[0]), ot.begin(c[1]), mt.begin(c[2])
		} else {
			os = ot.next(&w, os, c[1])
			ms = mt.next(&w, ms, c[2])
			ls = lt.next(&w, ls, c[0])
		}
		l, m := lengthCodes[c[0]], matchCodes[c[2]]
		w.add(uint64(s.literals-l.base), uint(l.bits))
		w.store()
		w.add(uint64(s.match-m.base), uint(m.bits))
		w.add(uint64(s.offset)&(1<<c[1]-1), uint(c[1]))
		w.store()
	}
	mt.end(&w, ms)
	ot.end(&w, os)
	lt.end(&w, ls)
	return w.end()
}

// shortCodes is for values up to 63 (literals) and 130 (matches); above, there is a code for each power of two.
var shortLengths, shortMatches = shortCodes(lengthCodes, 64), shortCodes(matchCodes, 131)

func shortCodes(list []code, n int) []uint8 {
	out := make([]uint8, n)
	c := 0
	for v := range out {
		for c+1 < len(list) && list[c+1].base <= uint32(v) {
			c++
		}
		out[v] = uint8(c)
	}
	return out
}

func lengthCode(n uint32) uint8 {
	if n < 64 {
		return shortLengths[n]
	}
	return uint8(bits.Len32(n)) + 18
}

func matchCode(n uint32) uint8 {
	if n < 131 {
		return shortMatches[n]
	}
	return uint8(bits.Len32(n-3)) + 35
}
