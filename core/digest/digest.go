// Package digest has the SHA-1 of texts, which checksums of notes and names of media files are made of. crypto/sha1 would
// bring the whole of Go's FIPS module into the guest; nothing here is secret.
package digest

import (
	"encoding/binary"
	"math/bits"
)

// SHA1 returns the SHA-1 of s (RFC 3174).
func SHA1(s string) (sum [20]byte) {
	h := [5]uint32{0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0}
	size := uint64(len(s)) * 8
	for ; len(s) >= 64; s = s[64:] {
		sha1Block(&h, []byte(s[:64]))
	}
	var last [128]byte
	n := copy(last[:], s)
	last[n] = 0x80
	end := 64
	if n >= 56 {
		end = 128
	}
	binary.BigEndian.PutUint64(last[end-8:], size)
	for b := last[:end]; len(b) > 0; b = b[64:] {
		sha1Block(&h, b)
	}
	for i, word := range h {
		binary.BigEndian.PutUint32(sum[4*i:], word)
	}
	return sum
}

func sha1Block(h *[5]uint32, block []byte) {
	var w [80]uint32
	for i := range 16 {
		w[i] = binary.BigEndian.Uint32(block[4*i:])
	}
	for i := 16; i < len(w); i++ {
		w[i] = bits.RotateLeft32(w[i-3]^w[i-8]^w[i-14]^w[i-16], 1)
	}
	a, b, c, d, e := h[0], h[1], h[2], h[3], h[4]
	for _, word := range w[:20] {
		a, b, c, d, e = bits.RotateLeft32(a, 5)+(b&(c^d)^d)+e+word+0x5A827999, a, bits.RotateLeft32(b, 30), c, d
	}
	for _, word := range w[20:40] {
		a, b, c, d, e = bits.RotateLeft32(a, 5)+(b^c^d)+e+word+0x6ED9EBA1, a, bits.RotateLeft32(b, 30), c, d
	}
	for _, word := range w[40:60] {
		a, b, c, d, e = bits.RotateLeft32(a, 5)+(b&c|d&(b|c))+e+word+0x8F1BBCDC, a, bits.RotateLeft32(b, 30), c, d
	}
	for _, word := range w[60:] {
		a, b, c, d, e = bits.RotateLeft32(a, 5)+(b^c^d)+e+word+0xCA62C1D6, a, bits.RotateLeft32(b, 30), c, d
	}
	h[0], h[1], h[2], h[3], h[4] = h[0]+a, h[1]+b, h[2]+c, h[3]+d, h[4]+e
}
