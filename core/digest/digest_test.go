package digest_test

import (
	"crypto/sha1"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/digest"
)

// TestSHA1 compares with crypto/sha1 at all lengths around the ends of blocks.
func TestSHA1(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("Die Größe des 食べる \x00\xff", 20)
	for n := range 300 {
		want := sha1.Sum([]byte(long[:n]))
		if got := digest.SHA1(long[:n]); got != want {
			t.Errorf("%d bytes: %x, want %x", n, got, want)
		}
	}
}

func BenchmarkSHA1(b *testing.B) {
	text := strings.Repeat("a field of a note ", 5)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		digest.SHA1(text)
	}
}
