package medianame_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/medianame"
)

type vector struct {
	In                string
	Normalised, Added *string
}

func vectors(t *testing.T) (list []vector) {
	t.Helper()
	f, err := os.Open("testdata/names.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var v vector
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		list = append(list, v)
	}
	if len(list) == 0 {
		t.Fatal("no vectors")
	}
	return list
}

// nothing is an empty store.
func nothing(string) (sum [20]byte, ok bool, err error) { return sum, false, nil }

// TestVectors has what the real program makes of names when it downloads and adds files. It stores a downloaded file
// whose name is not normalised under a name in lower case.
func TestVectors(t *testing.T) {
	t.Parallel()
	for _, v := range vectors(t) {
		got := medianame.Normalize(coretest.Text{}, v.In)
		if v.Normalised == nil {
			if got != "" {
				t.Errorf("Normalize(%q) = %q, want nothing", v.In, got)
			}
			continue
		}
		if medianame.Normalized(coretest.Text{}, v.In) != (got == v.In) {
			t.Errorf("Normalized(%q) is wrong", v.In)
		}
		if got != v.In {
			got = medianame.Lower(got)
		}
		if got != *v.Normalised {
			t.Errorf("Normalize(%q), in lower case, is %q, want %q", v.In, got, *v.Normalised)
		}
		added, have, err := medianame.ForNew(coretest.Text{}, v.In, "", [20]byte{}, nothing)
		if added != *v.Added || have || err != nil {
			t.Errorf("ForNew(%q) = %q, %v, %v, want %q", v.In, added, have, err, *v.Added)
		}
	}
}

func TestNormalize(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                       "",
		"a\xffb.png":             "ab.png",
		"e?\u0301.ogg":           "e\u0301.ogg", // as the reference: normalised again it is é
		strings.Repeat("k", 120): strings.Repeat("k", 120),
		strings.Repeat("k", 121): strings.Repeat("k", 118),
		strings.Repeat("日", 50) + ".日本語日本語": strings.Repeat("日", 36) + ".日本語",
	} {
		if got := medianame.Normalize(coretest.Text{}, in); got != want {
			t.Errorf("Normalize(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestLower has results of the real program, which lower-cases names as texts.
func TestLower(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"UPPER Ä": "upper ä", "xΣ": "xς", "Σ": "σ", "xΣ.png": "xσ.png", "xΣy": "xσy", "\u01c5A": "\u01c6a",
		"ΑΣ ΑΣ.ΑΣ_": "ας ασ.ας_", "áΣ": "áς", "Σ\u0301": "σ\u0301", "AΣ\u0301": "aς\u0301", "AΣ\u0301B": "aσ\u0301b",
		"İ.PNG": "i\u0307.png",
	} {
		if got := medianame.Lower(in); got != want {
			t.Errorf("Lower(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestForNew(t *testing.T) {
	t.Parallel()
	const one, two = "-0100000000000000000000000000000000000000", "-0200000000000000000000000000000000000000"
	for _, c := range []struct {
		wanted, mediaType string
		here              map[string]byte // names, and the first byte of the content's SHA-1
		want              string
		have              bool
	}{
		{"Test.mp3", "", nil, "test.mp3", false},
		{"test.mp3", "", map[string]byte{"test.mp3": 1}, "test.mp3", true},
		{"Test.mp3", "", map[string]byte{"test.mp3": 2}, "test" + one + ".mp3", false},
		{"Test.mp3", "", map[string]byte{"test.mp3": 2, "test" + one + ".mp3": 1}, "test" + one + ".mp3", true},
		{"test.mp3", "", map[string]byte{"test.mp3": 2, "test" + one + ".mp3": 3}, "test" + one + "-2.mp3", false},
		{"test.mp3", "", map[string]byte{"test.mp3": 2, "test" + one + ".mp3": 3, "test" + one + "-2.mp3": 3}, "test" + one + "-3.mp3", false},
		{"Test.mp3", "", map[string]byte{"Test.mp3": 1}, "Test.mp3", true},
		{"Test.mp3", "", map[string]byte{"Test.mp3": 2}, "test.mp3", false},
		{"paste", "image/svg+xml", nil, "paste.svg", false},
		{"paste.JPG", "image/png", nil, "paste.jpg", false},
		{"paste", "text/html", nil, "paste", false},
		{"paste", "", map[string]byte{"paste": 2}, "paste" + one, false},
		{"???", "", nil, "file", false},
		{"", "image/png", nil, ".png", false},
		{"e?\u0301.ogg", "", nil, "é.ogg", false},
		{strings.Repeat("k", 116) + ".ogg", "", map[string]byte{strings.Repeat("k", 116) + ".ogg": 2}, strings.Repeat("k", 74) + one + ".ogg", false},
		{strings.Repeat("é", 58) + ".ogg", "", map[string]byte{strings.Repeat("é", 58) + ".ogg": 2}, strings.Repeat("é", 37) + one + ".ogg", false},
	} {
		here := func(name string) (sum [20]byte, ok bool, err error) {
			sum[0], ok = c.here[name]
			return sum, ok, nil
		}
		name, have, err := medianame.ForNew(coretest.Text{}, c.wanted, c.mediaType, [20]byte{1}, here)
		if name != c.want || have != c.have || err != nil {
			t.Errorf("%q, %q, %v: %q, %v, %v, want %q, %v", c.wanted, c.mediaType, c.here, name, have, err, c.want, c.have)
		}
		if !medianame.Normalized(coretest.Text{}, name) {
			t.Errorf("%q is not normalised", name)
		}
	}
	if got := medianame.WithSum("x.1234567890123", [20]byte{2}); got != "x"+two+".1234567890" {
		t.Error(got)
	}
}

func TestForNewFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for _, wanted := range []string{"a.png", "A.png"} {
		_, have, err := medianame.ForNew(coretest.Text{}, wanted, "", [20]byte{}, func(string) ([20]byte, bool, error) {
			return [20]byte{}, true, broken
		})
		if have || !errors.Is(err, broken) {
			t.Error(have, err)
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for name, ok := range map[string]bool{
		"a.png": true, "...": true, ".hidden": true, "a:b?.png": true, "con": true, "é": true, " ": true, strings.Repeat("k", 255): true,
		"": false, ".": false, "..": false, "a/b": false, "/": false, "a\\b": false, "a\x00b": false, "a\nb": false, "\x7f": false,
		strings.Repeat("k", 256): false, "a\xff": false, "e\u0301": false, "../../etc/passwd": false,
	} {
		err := medianame.Check(coretest.Text{}, name)
		if ok && err != nil || !ok && !errors.Is(err, fault.InvalidInput) {
			t.Errorf("Check(%q) = %v", name, err)
		}
	}
}

// FuzzNormalize: any name comes out as one that can be stored, and stays as it is after a second round.
func FuzzNormalize(f *testing.F) {
	for _, s := range []string{"", "con. ", "a\u00a0", "e?\u0301", strings.Repeat("ß.", 99), "\xff\xc3", "\ufdd0", "lpt1" + strings.Repeat(".", 200)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := medianame.Normalize(coretest.Text{}, s)
		twice := medianame.Normalize(coretest.Text{}, once)
		if !medianame.Normalized(coretest.Text{}, twice) {
			t.Errorf("%q becomes %q, %q, and changes again", s, once, twice)
		}
		if twice == "" {
			return
		}
		if err := medianame.Check(coretest.Text{}, twice); err != nil || len(twice) > 120 {
			t.Errorf("%q becomes %q: %v", s, twice, err)
		}
	})
}

func BenchmarkNormalized(b *testing.B) {
	for _, bench := range []struct{ name, file string }{{"ascii", "paste-11ab96b2f4a4288197b05c308989e55638c14061.png"}, {"japanese", "日本語の発音.mp3"}} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				medianame.Normalized(coretest.Text{}, bench.file)
			}
		})
	}
}
