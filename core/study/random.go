package study

import (
	"math/bits"
)

// generator is the deterministic source of fuzz (study.md §4.4): ChaCha with 12 rounds, its key from a seed of 64 bits. The
// first block has more words than one answer takes.
type generator struct {
	words [16]uint32
	next  int
}

// newGenerator makes the generator of a card that was answered reps times before.
func newGenerator(cardID, reps int64) *generator {
	g := &generator{}
	in := [16]uint32{0x61707865, 0x3320646e, 0x79622d32, 0x6b206574} // "expand 32-byte k"
	state := uint64(cardID + reps)
	for i := range 8 { // PCG32
		state = state*6364136223846793005 + 11634580027462260723
		in[4+i] = bits.RotateLeft32(uint32((state>>18^state)>>27), -int(state>>59))
	}
	g.words = in
	w := &g.words
	for range 6 {
		for i := range 4 {
			quarter(w, i, 4+i, 8+i, 12+i)
		}
		for i := range 4 {
			quarter(w, i, 4+(i+1)%4, 8+(i+2)%4, 12+(i+3)%4)
		}
	}
	for i := range w {
		w[i] += in[i]
	}
	return g
}

func quarter(w *[16]uint32, a, b, c, d int) {
	w[a] += w[b]
	w[d] = bits.RotateLeft32(w[d]^w[a], 16)
	w[c] += w[d]
	w[b] = bits.RotateLeft32(w[b]^w[c], 12)
	w[a] += w[b]
	w[d] = bits.RotateLeft32(w[d]^w[a], 8)
	w[c] += w[d]
	w[b] = bits.RotateLeft32(w[b]^w[c], 7)
}

func (g *generator) word() uint32 {
	g.next++
	return g.words[g.next-1]
}

// fuzzFactor returns a number in [0, 1), of 23 bits. (§4.4 says 24: cards whose interval depends on the last one show that the real program has 23,
// TestRealFuzzBits.)
func (g *generator) fuzzFactor() float32 { return float32(g.word()>>9) / (1 << 23) }

// below returns a number in [0, k).
func (g *generator) below(k uint32) uint32 {
	hi, lo := bits.Mul32(g.word(), k)
	if lo > -k {
		more, _ := bits.Mul32(g.word(), k)
		_, carry := bits.Add32(lo, more, 0)
		hi += carry
	}
	return hi
}
