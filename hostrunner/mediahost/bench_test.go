package mediahost_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/host"
)

// random returns bytes that do not compress.
func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{}).Read(b)
	return b
}

// BenchmarkInstall writes 10,000 files of 20 kB and flushes them.
func BenchmarkInstall(b *testing.B) {
	content := random(20_000)
	b.SetBytes(10_000 * int64(len(content)))
	for b.Loop() {
		s := newStore(b)
		for i := range 10_000 {
			s.install(b, fmt.Sprintf("%05d.jpg", i), string(content), nil)
		}
		coretest.Must(b, s.Flush(b.Context()))
	}
}

// BenchmarkReplace writes 1,000 files over others.
func BenchmarkReplace(b *testing.B) {
	content := string(random(20_000))
	s := newStore(b)
	seen := make([]host.MediaFile, 1000)
	for i := range seen {
		seen[i] = s.install(b, fmt.Sprintf("%05d.jpg", i), content, nil)
	}
	for b.Loop() {
		for i := range seen {
			seen[i] = s.install(b, fmt.Sprintf("%05d.jpg", i), content, &seen[i])
		}
	}
}

// BenchmarkScan lists 100,000 files.
func BenchmarkScan(b *testing.B) {
	s := newStore(b)
	s.install(b, "a.jpg", "x", nil)
	for i := range 99_999 {
		sum := coretest.SumOf(fmt.Append(nil, i))
		coretest.Must(b, os.WriteFile(s.path(fmt.Sprintf("paste-%x.jpg", sum.SHA1)), []byte("x"), 0o644))
	}
	var buf []byte
	for b.Loop() {
		scan, err := s.Scan(b.Context())
		coretest.Must(b, err)
		n := 0
		for done := false; !done; {
			buf, done, err = scan.Next(buf[:0])
			coretest.Must(b, err)
			n += bytes.Count(buf, []byte(".jpg"))
		}
		coretest.Must(b, scan.Close())
		if n != 100_000 {
			b.Fatal(n)
		}
	}
}

// BenchmarkHash reads a file of 100 MB.
func BenchmarkHash(b *testing.B) {
	s := newStore(b)
	content := random(100_000_000)
	s.install(b, "big", string(content), nil)
	b.SetBytes(int64(len(content)))
	for b.Loop() {
		_, _, err := s.Hash(b.Context(), "big")
		coretest.Must(b, err)
	}
}
