package zstd

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"
)

// huffEncoder has the code of each byte.
type huffEncoder struct {
	bits [256]uint8
	code [256]uint32 // the code's length in the low byte
	log  uint8       // length of the longest code
	last int         // the highest symbol
}

// build makes a code for the counts, of which two at least are not zero.
func (h *huffEncoder) build(counts *[256]uint32) {
	var order [256]uint8 // of the symbols that occur, rarest first
	n := 0
	for s, c := range counts {
		h.bits[s] = 0
		if c > 0 {
			order[n] = uint8(s)
			n++
			h.last = s
		}
	}
	slices.SortStableFunc(order[:n], func(a, b uint8) int { return cmp.Compare(counts[a], counts[b]) })
	h.lengths(counts, order[:n])
	h.shorten(order[:n])
	h.log = h.bits[order[0]]
	// Codes are given out from the longest on, by symbol within a length (§4.2.1.3).
	var start [maxHuffman + 2]int
	for _, s := range order[:n] {
		w := h.log + 1 - h.bits[s]
		start[w+1] += 1 << (w - 1)
	}
	for w := 1; w <= maxHuffman; w++ {
		start[w+1] += start[w]
	}
	for s := range h.last + 1 {
		if h.bits[s] == 0 {
			continue
		}
		w := h.log + 1 - h.bits[s]
		h.code[s] = uint32(start[w])>>(w-1)<<8 | uint32(h.bits[s])
		start[w] += 1 << (w - 1)
	}
}

// lengths finds the depths in a Huffman tree with two queues: the symbols, and the inner nodes as they arise.
func (h *huffEncoder) lengths(counts *[256]uint32, order []uint8) {
	n := len(order)
	var weight [512]uint32
	var parent [512]uint16
	for i, s := range order {
		weight[i] = counts[s]
	}
	leaf, inner := 0, n
	for node := n; node < 2*n-1; node++ {
		for range 2 {
			i := inner
			if leaf < n && (inner == node || weight[leaf] <= weight[inner]) {
				i = leaf
				leaf++
			} else {
				inner++
			}
			weight[node] += weight[i]
			parent[i] = uint16(node)
		}
	}
	var depth [512]uint8
	for node := 2*n - 3; node >= 0; node-- {
		depth[node] = depth[parent[node]] + 1
	}
	for i, s := range order {
		h.bits[s] = depth[i]
	}
}

// shorten brings the lengths to at most maxHuffman and the code back to a complete one.
func (h *huffEncoder) shorten(order []uint8) {
	over := -(1 << maxHuffman) // of the code space
	for _, s := range order {
		h.bits[s] = min(h.bits[s], maxHuffman)
		over += 1 << (maxHuffman - h.bits[s])
	}
	for over > 0 { // lengthen the rarest symbol that is not among the longest
		for _, s := range order {
			if h.bits[s] < maxHuffman {
				h.bits[s]++
				over -= 1 << (maxHuffman - h.bits[s])
				break
			}
		}
	}
	for over < 0 { // and give what is left to the most frequent one that can take it
		for _, s := range slices.Backward(order) {
			if gain := 1 << (maxHuffman - h.bits[s]); gain <= -over {
				h.bits[s]--
				over += gain
				break
			}
		}
	}
	slices.SortStableFunc(order, func(a, b uint8) int { return cmp.Compare(h.bits[b], h.bits[a]) })
}

// size returns the length of the streams in bits.
func (h *huffEncoder) size(counts *[256]uint32) (n int) {
	for s, c := range counts {
		n += int(c) * int(h.bits[s])
	}
	return n
}

// appendTree appends the description of the code (§4.2.1), nil if the format has none for it.
func (h *huffEncoder) appendTree(dst []byte) []byte {
	var weights [256]uint8
	for s := range h.last {
		if h.bits[s] > 0 {
			weights[s] = h.log + 1 - h.bits[s]
		}
	}
	start := len(dst)
	if packed := appendWeights(append(dst, 0), weights[:h.last]); packed != nil {
		size := len(packed) - start - 1
		if size < 128 && (size < (h.last+1)/2 || h.last > 128) {
			packed[start] = byte(size)
			return packed
		}
	}
	if h.last > 128 {
		return nil
	}
	dst = append(dst, byte(127+h.last))
	for i := 0; i < h.last; i += 2 { // the last weight follows from the others
		dst = append(dst, weights[i]<<4|weights[i+1])
	}
	return dst
}

// appendWeights appends coded weights, nil if they are all the same.
func appendWeights(dst []byte, weights []uint8) []byte {
	var counts [maxHuffman + 1]uint32
	used := 0
	for _, w := range weights {
		if counts[w]++; counts[w] == 1 {
			used++
		}
	}
	if used < 2 {
		return nil
	}
	n := len(counts)
	for counts[n-1] == 0 {
		n--
	}
	var norm [maxHuffman + 1]int16
	log := tableLog(len(weights), used, 6)
	normalize(norm[:], counts[:n], len(weights), log)
	var t fseEncoder
	t.build(norm[:n], log)
	w := newBitWriter(appendNorm(dst, norm[:n], log), 8*len(weights)+64)
	var states [2]uint32
	for i := len(weights) - 1; i >= 0; i-- {
		if i >= len(weights)-2 {
			states[i&1] = t.begin(weights[i])
		} else {
			states[i&1] = t.next(&w, states[i&1], weights[i])
			w.store()
		}
	}
	t.end(&w, states[1])
	t.end(&w, states[0])
	return w.end()
}

// append4 appends src in four streams behind a table of their lengths, append1 in one.
func (h *huffEncoder) append4(dst, src []byte) []byte {
	table := len(dst)
	dst = append(dst, 0, 0, 0, 0, 0, 0)
	part := (len(src) + 3) / 4
	for i := range 4 {
		before := len(dst)
		dst = h.append1(dst, src[min(i*part, len(src)):min((i+1)*part, len(src))])
		if i < 3 {
			binary.LittleEndian.PutUint16(dst[table+2*i:], uint16(len(dst)-before))
		}
	}
	return dst
}

func (h *huffEncoder) append1(dst, src []byte) []byte {
	w := newBitWriter(dst, maxHuffman*len(src))
	for ; len(src) >= 4; src = src[:len(src)-4] { // four codes have at most 44 bits
		four := src[len(src)-4:]
		for i := 3; i >= 0; i-- {
			c := h.code[four[i]]
			w.add(uint64(c>>8), uint(c&255))
		}
		w.store()
	}
	for i := len(src) - 1; i >= 0; i-- {
		c := h.code[src[i]]
		w.add(uint64(c>>8), uint(c&255))
	}
	return w.end()
}

// worth reports whether compressing pays at all.
func worth(compressed, raw int) bool { return compressed+raw>>6+8 < raw }

// literalsHead appends the head of a compressed literals section (§3.1.1.3.1.1); packed is its size behind the head.
func literalsHead(dst []byte, size, packed int) []byte {
	format, width, n := uint64(1), 10, 3
	switch k := bits.Len(uint(max(size, packed))); {
	case k > 14:
		format, width, n = 3, 18, 5
	case k > 10:
		format, width, n = 2, 14, 4
	case size < 256:
		format = 0 // one stream
	}
	var head [8]byte
	binary.LittleEndian.PutUint64(head[:], literalsCompressed|format<<2|uint64(size)<<4|uint64(packed)<<(4+width))
	return append(dst, head[:n]...)
}
