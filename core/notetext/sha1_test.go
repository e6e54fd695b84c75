package notetext_test

import (
	"crypto/sha1"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/notetext"
)

// TestSHA1 compares with crypto/sha1 at all lengths around the ends of blocks.
func TestSHA1(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("Die Größe des 食べる \x00\xff", 20)
	for n := range 300 {
		sum := sha1.Sum([]byte(long[:n]))
		if got, want := notetext.Checksum(long[:n]), binary.BigEndian.Uint32(sum[:]); got != want {
			t.Errorf("%d bytes: %08x, want %08x", n, got, want)
		}
	}
}

func BenchmarkChecksum(b *testing.B) {
	text := strings.Repeat("a field of a note ", 5)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		notetext.Checksum(text)
	}
}
