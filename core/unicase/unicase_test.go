package unicase_test

import (
	"encoding/json"
	"os"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/cardferry/cardferry/core/unicase"
)

type vectors struct {
	Cases []struct {
		Sorted []string
		A, B   string
		Cmp    int
	}
}

func TestVectors(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("testdata/unicase.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	for _, c := range v.Cases {
		if c.Sorted != nil {
			for i, s := range c.Sorted[1:] {
				if unicase.CompareStrings(c.Sorted[i], s) > 0 {
					t.Errorf("%q sorts after %q", c.Sorted[i], s)
				}
			}
			continue
		}
		if got := unicase.CompareStrings(c.A, c.B); got != c.Cmp {
			t.Errorf("CompareStrings(%q, %q) = %d, want %d", c.A, c.B, got, c.Cmp)
		}
		if got := unicase.Compare([]byte(c.B), []byte(c.A)); got != -c.Cmp {
			t.Errorf("Compare(%q, %q) = %d, want %d", c.B, c.A, got, -c.Cmp)
		}
		if got := unicase.Equal(c.A, c.B); got != (c.Cmp == 0) {
			t.Errorf("Equal(%q, %q) = %t", c.A, c.B, got)
		}
	}
}

func TestFold(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":          "",
		"abc":       "abc",
		"a\x1fB":    "a\x1fb",
		"STRAẞE":    "strasse",
		"ﬃ":         "iff",
		"日本 K":      "日本 k",
		"\xffA\xc3": "\xffa\xc3",
		"ꟀԱև":       "Ꟁաեւ",
	} {
		if got := unicase.Fold(in); got != want {
			t.Errorf("Fold(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestInvalidBytesSortLast(t *testing.T) {
	t.Parallel()
	order := []string{"", "a", "a\U0010ffff", "a\x80", "a\xff", "b", "\U0010ffff", "\x80", "\xff", "\xff\xff"}
	for i, a := range order {
		for j, b := range order {
			if got := unicase.CompareStrings(a, b); sign(got) != sign(i-j) {
				t.Errorf("CompareStrings(%q, %q) = %d", a, b, got)
			}
		}
	}
}

func TestCompareDoesNotAllocate(t *testing.T) {
	a, b := []byte("Straße der Ὠδή\xff"), []byte("STRASSE DER ὨΔΉ\xff")
	if n := testing.AllocsPerRun(100, func() { unicase.Compare(a, b) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}

func FuzzCompare(f *testing.F) {
	f.Add("a", "A", "b")
	f.Add("STRASSE", "straße", "ẞ")
	f.Add("ﬃ", "iff", "ffi")
	f.Add("\xff", "\xc3\xa9", "É\x80")
	f.Add("x\x1fy", "X Y", "x")
	f.Add("\xc3", "\xc3\xa9", "\xe2\x84")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		ab, bc, ac := unicase.CompareStrings(a, b), unicase.CompareStrings(b, c), unicase.CompareStrings(a, c)
		if ba := unicase.CompareStrings(b, a); ba != -ab {
			t.Errorf("%q %q: %d and %d", a, b, ab, ba)
		}
		if ab <= 0 && bc <= 0 && (ac > 0 || ac == 0 && (ab < 0 || bc < 0)) {
			t.Errorf("%q %q %q: %d %d %d", a, b, c, ab, bc, ac)
		}
		if got := unicase.Compare([]byte(a), []byte(b)); got != ab {
			t.Errorf("%q %q: %d as bytes, %d as strings", a, b, got, ab)
		}
		fa, fb := unicase.Fold(a), unicase.Fold(b)
		if (fa == fb) != (ab == 0) {
			t.Errorf("%q %q: folded %q %q, compared %d", a, b, fa, fb, ab)
		}
		if want := slices.Compare(codePoints(fa), codePoints(fb)); want != ab {
			t.Errorf("%q %q: folded %q %q, compared %d, want %d", a, b, fa, fb, ab, want)
		}
	})
}

// codePoints returns what is compared, in order.
func codePoints(s string) (out []rune) {
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && size == 1 {
			r = utf8.MaxRune + rune(s[0])
		}
		out = append(out, r)
		s = s[size:]
	}
	return out
}

func BenchmarkCompare(b *testing.B) {
	for _, bench := range []struct{ name, x, y string }{
		{"ascii", "Languages\x1fJapanese\x1fCore 2000\x1fStep 01", "languages\x1fjapanese\x1fcore 2000\x1fstep 02"},
		{"cyrillic", "Языки\x1fРусский\x1fСлова", "языки\x1fрусский\x1fслово"},
		{"japanese", "言語\x1f日本語\x1f基本二千語", "言語\x1f日本語\x1f基本二千句"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			x, y := []byte(bench.x), []byte(bench.y)
			b.ReportAllocs()
			for b.Loop() {
				unicase.Compare(x, y)
			}
		})
	}
}
