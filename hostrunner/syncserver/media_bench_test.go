package syncserver_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/syncserver"
)

// BenchmarkMediaUpload uploads archives of 25 files of 20 kB, one after the other.
func BenchmarkMediaUpload(b *testing.B) {
	for name, start := range map[string]func(b *testing.B) *syncserver.Server{
		"memory": func(*testing.B) *syncserver.Server { return &syncserver.Server{} },
		"disk":   func(b *testing.B) *syncserver.Server { return onDisk(b, b.TempDir()) },
	} {
		b.Run(name, func(b *testing.B) {
			s := start(b)
			c := newClient(b, s, serve(b, s), "ada")
			random := rand.NewChaCha8([32]byte{})
			b.SetBytes(25 * 20_000)
			for i := range b.N {
				b.StopTimer()
				var files []anki.MediaFile
				for k := range 25 {
					content := make([]byte, 20_000)
					random.Read(content)
					files = append(files, anki.MediaFile{Name: fmt.Sprintf("%d-%d.bin", i, k), Content: content})
				}
				body := anki.Compress(archive(b, files...))
				b.StartTimer()
				if status, _ := c.raw("msync/uploadChanges", body); status != 200 {
					b.Fatal(status)
				}
			}
		})
	}
}
