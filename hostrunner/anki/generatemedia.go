package anki

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/cardferry/cardferry/hostrunner/mediahost"
)

// MediaSet describes media files to generate. Sets with the same Seed and Size have the same files, as many as both have.
type MediaSet struct {
	Seed  uint64
	Files int
	Size  int // of each file
}

// The sets of design.md §8.
var (
	MediaSmall = MediaSet{Files: 10_000, Size: 20_000}
	MediaLarge = MediaSet{Files: 1_000, Size: 200_000}
)

// GenerateMedia writes the files into a folder, which is made. Their contents do not compress, as pictures do not, and
// have names as pasted pictures have.
func GenerateMedia(dir string, set MediaSet) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	random := rand.NewChaCha8(seed(set.Seed))
	content := make([]byte, set.Size)
	for range set.Files {
		_, _ = random.Read(content) // never fails
		name := fmt.Sprintf("paste-%s.jpg", SHA1(content))
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return err
		}
	}
	return mediahost.New(filepath.Dir(dir)).Flush(context.Background()) // not the business of who is measured next
}
