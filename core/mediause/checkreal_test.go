package mediause_test

import (
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/hostrunner/anki"
)

// realCase is a collection and a folder for the real program.
type realCase struct {
	Notes [][2]string `json:"notes"` // notetype and fields
	Files [][2]string `json:"files"` // name and content
}

type realResult struct {
	Missing, Unused []string
	Error           string
}

// realCheck runs testdata/realmedia.py, which uses the real program.
func realCheck(t *testing.T, cases []realCase) (results []realResult) {
	t.Helper()
	anki.Script{Path: "testdata/realmedia.py"}.Run(t, &results, cases)
	if len(results) != len(cases) {
		t.Fatalf("%d results of %d cases", len(results), len(cases))
	}
	return results
}

// compare runs our check on the same cases.
func compare(t *testing.T, cases []realCase) {
	t.Helper()
	c := newCollection(t)
	for i, want := range realCheck(t, cases) {
		run(t, c, "DELETE FROM notes")
		for _, n := range cases[i].Notes {
			addNote(t, c, n[0], n[1])
		}
		files := folder{}
		for _, f := range cases[i].Files {
			if f[1] != "folder" {
				files[f[0]] = f[1]
			}
		}
		got := check(t, c, files.store())
		if want.Error != "" {
			t.Errorf("%q: the real program fails: %s", cases[i], want.Error)
			continue
		}
		slices.Sort(want.Missing)
		slices.Sort(want.Unused)
		want.Unused = slices.Compact(want.Unused) // it lists what becomes one file several times
		if !slices.Equal(got.Missing, want.Missing) {
			t.Errorf("%q: missing %q, want %q", cases[i], got.Missing, want.Missing)
		}
		if !slices.Equal(got.Unused, want.Unused) {
			t.Errorf("%q: unused %q, want %q", cases[i], got.Unused, want.Unused)
		}
	}
}

// img is a note with an element for each name.
func img(names ...string) [2]string {
	var b strings.Builder
	for _, name := range names {
		b.WriteString(`<img src="` + name + `">`)
	}
	return [2]string{"Basic", b.String() + "\x1f"}
}

// TestRealProgramAgrees has one case for each rule of the check.
func TestRealProgramAgrees(t *testing.T) {
	t.Parallel()
	type notes = [][2]string
	type files = [][2]string
	const nfd, nfc, upper = "e\u0301.jpg", "é.jpg", "É.JPG"
	long := strings.Repeat("k", 130)
	var cases []realCase
	for _, c := range []struct {
		notes notes
		files files
	}{
		{nil, nil},
		{notes{img("a.png", "b.png", "_c.png")}, files{{"a.png", "1"}, {"d.png", "2"}, {"_d.png", "3"}}},
		{notes{{"Basic", "a\x1f[sound:x.mp3]"}, {"Cloze", "{{c1::<img src=y.png>}}\x1f[sound:z.mp3]"}}, files{{"y.png", "1"}}},
		{notes{{"Basic", "[$]x[/$]\x1f"}, {"SVG", "[latex]y[/latex]\x1f"}, {"Cloze", "[$]{{c1::a::h}}{{c2::b}}[/$]\x1f"}},
			files{{"latex-26eeb5258ca5099acf8fe96b2a1049c48c89a5e6.png", "1"}, {"latex-1.png", "2"}}},
		{notes{img("http://h/a.png", "HTTPS://h/b.png", "ftp://h/c.png", "//h/d.png", "data:image/svg+xml;base64,QQ==", "sub/e.png")}, nil},
		{notes{img("a&amp;b.png", "a&b.png", "c&bogus;d.png", "e&nbsp;f.png")}, files{{"a&b.png", "1"}, {"e f.png", "2"}}},
		// Unicode's forms
		{notes{img(nfd)}, files{{nfd, "1"}}},
		{notes{img(nfc)}, files{{nfd, "1"}}},
		{notes{img(nfd)}, files{{nfc, "1"}}},
		{notes{img(nfd)}, nil},
		{nil, files{{nfd, "1"}}},
		{notes{img("E\u0301.JPG")}, files{{"E\u0301.JPG", "1"}}},
		{notes{img(upper)}, files{{"E\u0301.JPG", "1"}}},
		{notes{img(upper)}, files{{upper, "1"}}},
		{nil, files{{nfd, "1"}, {nfc, "2"}}},
		{notes{img(nfd)}, files{{nfd, "1"}, {nfc, "2"}}},
		{nil, files{{nfd, "1"}, {"É.jpg", "2"}}},
		{notes{img("\u212a.png")}, files{{"\u212a.png", "1"}, {"K.png", "2"}}},
		// Characters that may not be in names, lengths, devices
		{notes{img("a:b.png")}, files{{"a:b.png", "1"}}},
		{notes{img("a:B.png")}, files{{"a:B.png", "1"}}},
		{notes{img("aB.png")}, files{{"a:B.png", "1"}}},
		{notes{img("a:B.png")}, files{{"aB.png", "1"}}},
		{notes{img("a:B.png")}, files{{"ab.png", "1"}}},
		{notes{img("a:b.png", "a*b.png", "ab.png")}, files{{"a:b.png", "1"}, {"a*b.png", "2"}, {"ab.png", "3"}}},
		{notes{img("ab.png")}, files{{"a:b.png", "1"}, {"a*b.png", "2"}, {"ab.png", "3"}}},
		{notes{img("a:b.png")}, files{{"a:b.png", "1"}, {"AB.png", "2"}}},
		{nil, files{{"A:b.png", "1"}, {"a:b.png", "2"}, {"a:B.png", "3"}}},
		{notes{img("?.")}, files{{"?.", "1"}}},
		{notes{img("x  ")}, files{{"x  ", "1"}}},
		{notes{img(long + ".png")}, files{{long + ".png", "1"}, {long + "k.png", "2"}, {long + "kk.png", "3"}}},
		{notes{img("con", "CON.txt")}, files{{"con", "1"}, {"CON.txt", "2"}, {"con.TXT", "3"}}},
		{notes{img("e?\u0301.png")}, files{{"e?\u0301.png", "1"}}},
		{nil, files{{"_a:b.png", "1"}, {":_c.png", "2"}}},
		// Case
		{notes{img("a.jpg", "A.JPG")}, files{{"a.jpg", "1"}, {"A.JPG", "2"}}},
		{notes{img("A.JPG")}, files{{"a.jpg", "1"}, {"A.JPG", "2"}}},
		{notes{img("a.jpg")}, files{{"a.jpg", "1"}, {"A.JPG", "2"}}},
		{nil, files{{"a.jpg", "1"}, {"A.JPG", "1"}, {"a.JPG", "1"}}},
		{nil, files{{"a.jpg", "1"}, {"A.JPG", "2"}, {"a.JPG", "2"}}},
		{nil, files{{"A.jpg", "1"}, {"A.JPG", "2"}, {"a.JPG", "3"}}},
		{notes{img("A.JPG", "a.JPG")}, files{{"A.JPG", "1"}, {"a.JPG", "1"}}},
		{notes{img("a.JPG")}, files{{"a.jpg", "1"}, {"A.JPG", "2"}}},
		{notes{img("ABC.mp3")}, files{{"abc.mp3", "1"}}},
		{nil, files{{"NOEXT", "1"}, {"noext", "2"}}},
		{notes{img("NOEXT")}, files{{"NOEXT", "1"}, {"noext", "2"}}},
		{nil, files{{"É.jpg", "1"}, {"é.jpg", "2"}}},
		{nil, files{{"_A.png", "1"}, {"_a.png", "2"}}},
		// What does not count
		{notes{img("z.png")}, files{{"z.png", ""}}},
		{nil, files{{"z.png", ""}, {".DS_Store", "1"}, {"thumbs.db", "2"}, {".ds_store", "3"}}},
		{notes{img(".DS_Store", ".ds_store", "thumbs.db", "Thumbs.db")}, files{{".DS_Store", "1"}, {".ds_store", "2"}, {"thumbs.db", "3"}}},
		{nil, files{{"A.png", "1"}, {"a.png", ""}}},
		{nil, files{{"A.png", "1"}, {"a.png", ""}, {"a.PNG", "2"}}},
		{notes{img("A:b.png")}, files{{"A:b.png", "1"}, {"ab.png", ""}}},
		{notes{img("a:b.png")}, files{{"ab.png", ""}}},
		{notes{img("sub")}, files{{"sub", "folder"}}},
		{notes{img("link", "nowhere")}, files{{"link", "->a.png"}, {"a.png", "1"}, {"nowhere", "->b.png"}, {"other", "->a.png"}}},
	} {
		cases = append(cases, realCase{c.notes, c.files})
	}
	compare(t, cases)
}

// TestRealProgramAgreesOnRandomFolders has names that are alike.
func TestRealProgramAgreesOnRandomFolders(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(4, 4))
	pieces := []string{"a", "A", "b", "é", "e\u0301", "É", "E\u0301", ":", "?", ".", ".", ".png", ".PNG", " ", "_", "\u00a0", "ǆ", "Σ", "con", "&", "🥰", "日"}
	name := func() string {
		for {
			s := ""
			for range 1 + rng.IntN(4) {
				s += pieces[rng.IntN(len(pieces))]
			}
			// Files of which nothing is left make the real check fail.
			if strings.Trim(s, ":?🥰") != "" && s != "." && s != ".." {
				return s
			}
		}
	}
	var cases []realCase
	n := 200
	switch {
	case testing.Short():
		n = 50
	case os.Getenv("CARDFERRY_FULL") != "":
		n = 2000
	}
	for range n {
		var c realCase
		seen := map[string]bool{}
		for range rng.IntN(8) {
			s := name()
			if seen[s] {
				continue
			}
			seen[s] = true
			content := s // different for all: the real check lists merged files several times, used or not
			if rng.IntN(12) == 0 {
				content = ""
			}
			c.Files = append(c.Files, [2]string{s, content})
		}
		for range rng.IntN(5) {
			s := name()
			if len(c.Files) > 0 && rng.IntN(2) == 0 {
				s = c.Files[rng.IntN(len(c.Files))][0]
			}
			if rng.IntN(4) == 0 {
				c.Notes = append(c.Notes, [2]string{"Cloze", "[sound:" + s + "]\x1f"})
			} else {
				c.Notes = append(c.Notes, img(strings.ReplaceAll(s, "&", "&amp;")))
			}
		}
		cases = append(cases, c)
	}
	compare(t, cases)
}
