package apptest_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// words are letters between tags, or in an attribute that is read out: what a person reads, and a translator would have to find.
var words = regexp.MustCompile(`(?:[A-Za-z/"'}] ?>|})([^<>{}()=;]*[A-Za-z]{2}[^<>{}()=;]*)<|(?:aria-label|title|placeholder|alt|label)="([^"]*[A-Za-z]{2}[^"]*)"`)

// TestTexts: all that the app says is in one file, so that languages can be added.
func TestTexts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("..", "..", "web", "src", "*", "*.tsx"))
	more, merr := filepath.Glob(filepath.Join("..", "..", "web", "src", "*.tsx"))
	if err != nil || merr != nil || len(files) < 15 {
		t.Fatalf("%d files: %v, %v", len(files), err, merr)
	}
	for _, name := range append(files, more...) {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(b), "\n") {
			for _, m := range words.FindAllStringSubmatch(line, -1) {
				t.Errorf("%s:%d: %q belongs into texts.ts", name, i+1, m[1]+m[2])
			}
		}
	}
	for _, line := range []string{`<p>A text</p>`, `{n} cards</b>`, `<a href="x">Read on <b>`, `<img alt="A ship" src="x">`, `aria-label="Close"`} {
		if !words.MatchString(line) {
			t.Errorf("no text is found in %s", line)
		}
	}
}
