package apptest_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// words are letters between tags, or in an attribute that is read out: what a person reads, and a translator would have to find.
var words = regexp.MustCompile(`(?:[A-Za-z/"'}] ?>|})([^<>{}()=;]*[A-Za-z]{2}[^<>{}()=;]*)<|(?:aria-label|title|placeholder|alt|label)="([^"]*[A-Za-z]{2}[^"]*)"`)

// sources returns the app's files in TypeScript, by name.
func sources(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(filepath.Join("..", "..", "web", "src"), func(name string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasPrefix(filepath.Ext(name), ".ts") {
			return err
		}
		b, err := os.ReadFile(name)
		found[name] = string(b)
		return err
	})
	if err != nil || len(found) < 40 {
		t.Fatalf("%d files: %v", len(found), err)
	}
	return found
}

// TestCustomer: the app uses the package as any customer would, by its name, and little else.
func TestCustomer(t *testing.T) {
	t.Parallel()
	imports := regexp.MustCompile(`(?:from|import\() ?"([^"]+)"`)
	for name, text := range sources(t) {
		for _, m := range imports.FindAllStringSubmatch(text, -1) {
			switch from := m[1]; {
			case slices.Contains([]string{"cardferry", "cardferry/sw", "preact", "preact/hooks", "@preact/signals"}, from):
			case strings.HasPrefix(from, "."):
				if path := filepath.Join(filepath.Dir(name), from); !strings.HasPrefix(path, filepath.Join("..", "..", "web", "src")) {
					t.Errorf("%s imports %s", name, path)
				}
			default:
				t.Errorf("%s imports %s", name, from)
			}
		}
	}
}

// TestTexts: all that the app says is in one file, so that languages can be added.
func TestTexts(t *testing.T) {
	t.Parallel()
	for name, text := range sources(t) {
		if filepath.Ext(name) != ".tsx" {
			continue
		}
		for i, line := range strings.Split(text, "\n") {
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
