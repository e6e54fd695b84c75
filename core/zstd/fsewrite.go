package zstd

import "math/bits"

// fseSymbol says how a symbol moves an encoder's state, in the form of the reference's: two sums instead of cases.
type fseSymbol struct {
	deltaBits  uint32
	deltaState int32
}

// fseEncoder is an encoding table.
type fseEncoder struct {
	log     uint
	symbols [256]fseSymbol
	state   [1 << maxTableLog]uint16
}

func (t *fseEncoder) build(norm []int16, log uint) {
	t.log = log
	var symbols [1 << maxTableLog]uint8
	spread(norm, log, &symbols)
	var at [256]int
	total := 0
	for s, p := range norm {
		n := abs(int(p))
		at[s] = total
		d := &t.symbols[s]
		d.deltaState = int32(total - n)
		if n <= 1 {
			d.deltaBits = uint32(log<<16 - 1<<log)
		} else {
			most := log - uint(bits.Len(uint(n-1))) + 1
			d.deltaBits = uint32(most<<16 - uint(n)<<most)
		}
		total += n
	}
	for i := range 1 << log {
		s := symbols[i]
		t.state[at[s]] = uint16(1<<log + i)
		at[s]++
	}
}

// begin returns the state that holds the last symbol.
func (t *fseEncoder) begin(symbol uint8) uint32 {
	s := t.symbols[symbol]
	n := (s.deltaBits + 1<<15) >> 16
	return uint32(t.state[int32((n<<16-s.deltaBits)>>n)+s.deltaState])
}

// next writes the bits that lead from the state of the symbol before back to state, and returns that state.
func (t *fseEncoder) next(w *bitWriter, state uint32, symbol uint8) uint32 {
	s := t.symbols[symbol]
	n := (state + s.deltaBits) >> 16
	w.add(uint64(state)&(1<<n-1), uint(n))
	return uint32(t.state[int32(state>>n)+s.deltaState])
}

// end writes the first state.
func (t *fseEncoder) end(w *bitWriter, state uint32) {
	w.add(uint64(state)&(1<<t.log-1), t.log)
}

// normalize scales counts, of which two at least are not zero, to the sum 1<<log; no symbol that occurs becomes zero.
func normalize(norm []int16, counts []uint32, total int, log uint) {
	size := 1 << log
	left, largest := size, 0
	for s, c := range counts {
		norm[s] = 0
		if c == 0 {
			continue
		}
		p := max(1, int((uint64(c)<<log+uint64(total)/2)/uint64(total)))
		norm[s] = int16(p)
		left -= p
		if norm[s] > norm[largest] {
			largest = s
		}
	}
	for left < 0 { // too many rare symbols were raised to one
		for s, p := range norm[:len(counts)] {
			if p > norm[largest] {
				largest = s
			}
		}
		k := min(-left, int(norm[largest]+1)/2)
		norm[largest] -= int16(k)
		left += k
		largest = 0
	}
	norm[largest] += int16(left)
}

// tableLog chooses the size of a table for n symbols in all, used of which differ.
func tableLog(n, used int, most uint) uint {
	log := uint(max(5, bits.Len(uint(n))-2, bits.Len(uint(used))+1))
	return min(log, most)
}

// appendNorm appends the description of a distribution (§4.1.1).
func appendNorm(dst []byte, norm []int16, log uint) []byte {
	w := newBitWriter(dst, 64*16)
	w.add(uint64(log-5), 4)
	remaining := 1 << log
	for s := 0; remaining > 0; {
		p := int(norm[s])
		s++
		k := uint(bits.Len(uint(remaining + 1)))
		short := 1<<k - 1 - (remaining + 1)
		v := p + 1
		switch {
		case v < short:
			k--
		case v >= 1<<(k-1):
			v += short
		}
		w.add(uint64(v), k)
		w.store()
		remaining -= abs(p)
		if p != 0 {
			continue
		}
		zeros := 0
		for ; norm[s] == 0; s++ {
			zeros++
		}
		for ; zeros >= 3; zeros -= 3 {
			w.add(3, 2)
			w.store()
		}
		w.add(uint64(zeros), 2)
	}
	return w.flush()
}
