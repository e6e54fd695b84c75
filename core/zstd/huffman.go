package zstd

import (
	"encoding/binary"
	"math/bits"
)

// maxHuffman bounds the length of a Huffman code (§4.2.1).
const maxHuffman = 11

// weightCodes stand for themselves.
var weightCodes = codes(0, maxHuffman+1)

// huffman is a decoding table: for each string of log bits the symbol it begins with, and the length of its code.
type huffman struct {
	log   uint // 0: none
	table [1 << maxHuffman]huffmanEntry
}

type huffmanEntry struct{ symbol, bits uint8 }

// parse reads the description of a tree (§4.2.1) and returns its length.
func (h *huffman) parse(b []byte) (used int, err error) {
	h.log = 0
	if len(b) == 0 {
		return 0, ErrCorrupt
	}
	var weights [256]uint8
	n := 0
	if head := int(b[0]); head < 128 {
		used = 1 + head
		if used > len(b) {
			return 0, ErrCorrupt
		}
		if n, err = parseWeights(b[1:used], &weights); err != nil {
			return 0, err
		}
	} else {
		n = head - 127
		used = 1 + (n+1)/2
		if used > len(b) {
			return 0, ErrCorrupt
		}
		for i := range n {
			weights[i] = b[1+i/2] >> (4 * (1 - i&1)) & 15
		}
	}
	return used, h.build(&weights, n)
}

// parseWeights reads weights that are coded in turn with two states of a table of their own (§4.2.1.2).
func parseWeights(b []byte, weights *[256]uint8) (n int, err error) {
	var norm [256]int16
	symbols, log, used, err := parseNorm(b, &norm, len(weightCodes), 6)
	if err != nil {
		return 0, err
	}
	var t fseTable
	t.build(norm[:symbols], log, weightCodes)
	r, err := newBitReader(b[used:])
	if err != nil {
		return 0, err
	}
	states := [2]int{r.read(log), r.read(log)}
	if r.left < 0 {
		return 0, ErrCorrupt
	}
	for ; n < 254; n++ {
		e := &t.state[states[n&1]]
		weights[n] = uint8(e.base)
		states[n&1] = int(e.next) + r.read(uint(e.nextBits))
		if r.left < 0 { // that was the last of this state; the other one holds one more
			n++
			weights[n] = uint8(t.state[states[n&1]].base)
			return n + 1, nil
		}
	}
	return 0, ErrCorrupt
}

// build makes the table of n weights. The weight of one more symbol follows from the others.
func (h *huffman) build(weights *[256]uint8, n int) error {
	sum := 0
	var count [maxHuffman + 2]int
	for _, w := range weights[:n] {
		if w > maxHuffman {
			return ErrCorrupt
		}
		sum += 1 << w >> 1
		count[w]++
	}
	log := bits.Len(uint(sum))
	rest := 1<<log - sum
	if sum == 0 || log > maxHuffman || rest&(rest-1) != 0 {
		return ErrCorrupt
	}
	weights[n] = uint8(bits.Len(uint(rest)))
	count[weights[n]]++
	var start [maxHuffman + 2]int
	for w := 1; w <= maxHuffman; w++ {
		start[w+1] = start[w] + count[w]<<(w-1)
	}
	for s, w := range weights[:n+1] {
		if w == 0 {
			continue
		}
		e := huffmanEntry{uint8(s), uint8(log + 1 - int(w))}
		part := h.table[start[w]:][:1<<(w-1)]
		for i := range part {
			part[i] = e
		}
		start[w] += len(part)
	}
	h.log = uint(log)
	return nil
}

// decode4 fills dst from four streams behind a table of their lengths (§3.1.1.3.1.6).
func (h *huffman) decode4(dst, b []byte) error {
	if len(b) < 6 {
		return ErrCorrupt
	}
	part := (len(dst) + 3) / 4
	at := 6
	for i := range 4 {
		size := len(b) - at
		d := dst[min(i*part, len(dst)):min((i+1)*part, len(dst))]
		if i < 3 {
			size = int(binary.LittleEndian.Uint16(b[2*i:]))
			if len(d) < part {
				return ErrCorrupt
			}
		}
		if size < 0 || at+size > len(b) {
			return ErrCorrupt
		}
		if err := h.decode(d, b[at:at+size]); err != nil {
			return err
		}
		at += size
	}
	return nil
}

// decode fills dst from one stream, which must end with it.
func (h *huffman) decode(dst, b []byte) error {
	r, err := newBitReader(b)
	if err != nil {
		return err
	}
	shift := 64 - h.log
	for len(dst) >= 5 { // 5 * 11 bits are one peek
		v := r.peek()
		n := 0
		for i := range 5 {
			e := h.table[v>>(shift&63)&(1<<maxHuffman-1)]
			dst[i] = e.symbol
			v <<= e.bits & 63
			n += int(e.bits)
		}
		r.left -= n
		dst = dst[5:]
	}
	for i := range dst {
		e := h.table[r.peek()>>shift&(1<<maxHuffman-1)]
		dst[i] = e.symbol
		r.left -= int(e.bits)
	}
	if r.left != 0 {
		return ErrCorrupt
	}
	return nil
}
