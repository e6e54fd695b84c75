package medianame_test

import (
	"bytes"
	"crypto/sha1"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/medianame"
)

// realNames runs testdata/realnames.py, which uses the real program. Without the program (CARDFERRY_ANKI_PYTHON names a
// Python that has the package anki) the test is skipped, or fails where CARDFERRY_REQUIRE_ANKI is 1.
func realNames(t *testing.T, cases [][][2]string) (names [][]*string) {
	t.Helper()
	python := os.Getenv("CARDFERRY_ANKI_PYTHON")
	if python == "" {
		if os.Getenv("CARDFERRY_REQUIRE_ANKI") == "1" {
			t.Fatal("CARDFERRY_ANKI_PYTHON is not set")
		}
		t.Skip("CARDFERRY_ANKI_PYTHON is not set")
	}
	input, err := json.Marshal(cases)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), python, "testdata/realnames.py")
	cmd.Stdin = bytes.NewReader(input)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, &names); err != nil {
		t.Fatal(err)
	}
	return names
}

// TestRealProgramAgrees adds files with random names, several to a folder.
func TestRealProgramAgrees(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(8, 2))
	pieces := []string{
		"a", "B", "é", "e\u0301", "É", "Σ", "İ", "ß", "ẞ", "ǆ", "ǅ", "日", "🥰", "😀", "\u00a0", " ", ".", ".", ".png", ".MP3", ":", "?", "/", "con",
		"LPT1", "\u0085", "\u200d", "\ufdd0", "Ⱥ", "\u212a", "-", strings.Repeat("k", 60), strings.Repeat("é", 40), ".eeeeeeeeeeeee", "ﬁ", "Ꭰ", "ა",
	}
	var cases [][][2]string
	for range 150 {
		var c [][2]string
		for range 1 + rng.IntN(6) {
			name := ""
			for range 1 + rng.IntN(5) {
				name += pieces[rng.IntN(len(pieces))]
			}
			if len(c) > 0 && rng.IntN(2) == 0 {
				name = c[rng.IntN(len(c))][0]
			}
			c = append(c, [2]string{name, string(rune('1' + rng.IntN(2)))})
		}
		cases = append(cases, c)
	}
	for i, names := range realNames(t, cases) {
		store := map[string][20]byte{}
		for k, want := range names {
			name, content := cases[i][k][0], cases[i][k][1]
			if want == nil {
				continue // nothing is left of the name
			}
			sum := sha1.Sum([]byte(content))
			got, _, err := medianame.ForNew(coretest.Text{}, name, "", sum, func(name string) (sum [20]byte, ok bool, err error) {
				sum, ok = store[name]
				return sum, ok, nil
			})
			// The reference leaves a dot behind the SHA-1 where there is no extension.
			if got != *want && got+"." != *want || err != nil {
				t.Errorf("%q: %q, %v, want %q", cases[i][:k+1], got, err, *want)
			}
			store[got] = sum
		}
	}
}
