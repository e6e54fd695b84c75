package zstd

import "math/bits"

// maxTableLog bounds the tables of this package.
const maxTableLog = 9

// fseEntry is one state of a decoding table (§4.1): the code of its symbol, and where to go from it.
type fseEntry struct {
	code
	nextBits uint8
	next     uint16 // plus nextBits bits of the stream
}

// fseTable is a decoding table.
type fseTable struct {
	log   uint
	state [1 << maxTableLog]fseEntry
}

// parseNorm reads a distribution (§4.1.1) of at most max symbols into norm and returns how many there are, the log of their
// sum and the bytes read.
func parseNorm(b []byte, norm *[256]int16, max int, maxLog uint) (n int, log uint, used int, err error) {
	if len(b) == 0 {
		return 0, 0, 0, ErrCorrupt
	}
	pos := 4 // in bits
	// get returns the k next bits; zeros behind the end.
	get := func(k uint) int {
		v := 0
		for i := range 3 {
			if at := pos>>3 + i; at < len(b) {
				v |= int(b[at]) << (8 * i)
			}
		}
		return v >> (pos & 7) & (1<<k - 1)
	}
	if log = uint(b[0]&15) + 5; log > maxLog {
		return 0, 0, 0, ErrCorrupt
	}
	for remaining := 1 << log; remaining > 0; {
		if n >= max || pos > 8*len(b) {
			return 0, 0, 0, ErrCorrupt
		}
		k := uint(bits.Len(uint(remaining + 1)))
		short := 1<<k - 1 - (remaining + 1) // values below take a bit less
		half := 1 << (k - 1)
		v := get(k)
		if v&(half-1) < short {
			v &= half - 1
			k--
		} else if v >= half {
			v -= short
		}
		pos += int(k)
		p := v - 1
		norm[n] = int16(p)
		n++
		remaining -= abs(p)
		for p == 0 { // a run of zeros
			zeros := get(2)
			pos += 2
			if n+zeros > max {
				return 0, 0, 0, ErrCorrupt
			}
			for range zeros {
				norm[n] = 0
				n++
			}
			if zeros < 3 {
				break
			}
		}
	}
	if used = (pos + 7) >> 3; used > len(b) {
		return 0, 0, 0, ErrCorrupt
	}
	return n, log, used, nil
}

func abs(v int) int { return max(v, -v) }

// spread lays out the symbols of a distribution on a table of 1<<log states (§4.1.1).
func spread(norm []int16, log uint, symbols *[1 << maxTableLog]uint8) {
	size := 1 << log
	high := size
	for s, p := range norm {
		if p == -1 {
			high--
			symbols[high] = uint8(s)
		}
	}
	pos := 0
	for s, p := range norm {
		for range p {
			symbols[pos] = uint8(s)
			for pos = (pos + size>>1 + size>>3 + 3) & (size - 1); pos >= high && high > 0; {
				pos = (pos + size>>1 + size>>3 + 3) & (size - 1)
			}
		}
	}
}

// build makes the decoding table of a distribution; codes has at least as many elements.
func (t *fseTable) build(norm []int16, log uint, codes []code) {
	t.log = log
	var symbols [1 << maxTableLog]uint8
	spread(norm, log, &symbols)
	var next [256]uint16
	for s, p := range norm {
		next[s] = uint16(abs(int(p)))
	}
	for i := range 1 << log {
		s := symbols[i]
		x := next[s]
		next[s]++
		k := log - uint(bits.Len16(x)) + 1
		t.state[i] = fseEntry{codes[s], uint8(k), x<<k - 1<<log}
	}
}

// single makes the table of one symbol, which takes no bits.
func (t *fseTable) single(c code) {
	t.log = 0
	t.state[0] = fseEntry{code: c}
}
