package mediause_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/legacy"
	"github.com/cardferry/cardferry/core/mediause"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	c := newCollection(t)
	addNote(t, c, "Basic", `<img src="here.png"><img src="gone.png"><img src="coming.png">`, `[sound:gone.png][sound:empty.mp3]`)
	addNote(t, c, "Basic", `<img src=""><img src="???">[sound:::]`, `<img src="data:image/png;base64,QQ=="><img src="data:image/bmp;base64,QQ==">`)
	addNote(t, c, "Basic", `<img src="`+strings.Repeat("x", 1025)+`">`, "")
	addNote(t, c, "SVG", "[$]x^2[/$]", "")
	f := folder{
		"here.png": "1", "empty.mp3": "", "spare.png": "2", "_static.png": "3", "a:b.png": "4", "link": "->here.png",
		"latex-76b2878564ab19b80abb21ba964abe90fe120846.svg": "5", "paste-6dcd4ce23d88e2ee9568ba546c007c63d9131c1b.png": "A",
	}
	r := check(t, c, f.store("coming.png"))
	if want := []string{"data:image/bmp;base64,QQ==", "empty.mp3", "gone.png"}; !slices.Equal(r.Missing, want) {
		t.Errorf("missing %q, want %q", r.Missing, want)
	}
	if want := []string{"ab.png", "link", "spare.png"}; !slices.Equal(r.Unused, want) {
		t.Errorf("unused %q, want %q", r.Unused, want)
	}
	if want := []string{"spare.png"}; !slices.Equal(r.UnusedFiles, want) {
		t.Errorf("unused files %q, want %q", r.UnusedFiles, want)
	}
	if r.TemplateMissing != nil {
		t.Errorf("%q", r.TemplateMissing)
	}
}

// TestMergedFilesAreOneFile is where the reference lists a file as unused as often as others become it, used or not.
func TestMergedFilesAreOneFile(t *testing.T) {
	t.Parallel()
	c := newCollection(t)
	f := folder{"a.jpg": "1", "A.JPG": "1", "a:.jpg": "1", "b.jpg": "2", "B.JPG": "2"}
	addNote(t, c, "Basic", `<img src="A.JPG">`, "")
	r := check(t, c, f.store())
	if r.Missing != nil || !slices.Equal(r.Unused, []string{"b.jpg"}) || !slices.Equal(r.UnusedFiles, []string{"B.JPG", "b.jpg"}) {
		t.Errorf("%q", r)
	}
}

// TestNamesWithoutRename has files for which the reference's check fails as a whole.
func TestNamesWithoutRename(t *testing.T) {
	t.Parallel()
	c := newCollection(t)
	f := folder{"ß.jpg": "1", "ss.jpg": "2", "???": "3", "x.png": "4"}
	addNote(t, c, "Basic", `<img src="ss.jpg"><img src="???">`, "")
	r := check(t, c, f.store())
	if r.Missing != nil || !slices.Equal(r.Unused, []string{"???", "x.png", "ß.jpg"}) || !slices.Equal(r.UnusedFiles, []string{"x.png", "ß.jpg"}) {
		t.Errorf("%q", r)
	}
}

// setTemplate replaces what a notetype says.
func setTemplate(t *testing.T, c mediause.Collection, notetype, question, answer, css string) {
	t.Helper()
	n, err := legacy.ParseNotetype(fmt.Appendf(nil, `{"id":1,"name":"x","type":0,"mod":0,"usn":0,"sortf":0,"did":null,"flds":[],"css":%q,
		"tmpls":[{"name":"x","qfmt":%q,"afmt":%q}]}`, css, question, answer))
	if err != nil {
		t.Fatal(err)
	}
	run(t, c, "UPDATE notetypes SET config = ? WHERE name = ?", n.Config, notetype)
	run(t, c, "UPDATE templates SET config = ? WHERE ord = 0 AND ntid = (SELECT id FROM notetypes WHERE name = ?)", n.Templates[0].Config, notetype)
}

func TestTemplateMissing(t *testing.T) {
	t.Parallel()
	c := newCollection(t)
	setTemplate(t, c, "Cloze", `<img src="_logo.png"><img src="{{cloze:Text}}.png">[sound:ding.mp3]`, `<img src="_logo.png"><img src="_coming.png"><img src="é.png">`,
		`@import "_a.css"; x{src:url(_h%20i.ttf)} y{src:url("_gone%20font.ttf?x")}`)
	f := folder{"ding.mp3": "1", "_h i.ttf": "2", "é.png": "3", "_a.css": ""}
	r := check(t, c, f.store("_coming.png"))
	want := []mediause.TemplateMissing{{"Cloze", "", "_a.css"}, {"Cloze", "", "_gone font.ttf"}, {"Cloze", "Cloze", "_logo.png"}}
	if !slices.Equal(r.TemplateMissing, want) {
		t.Errorf("%q, want %q", r.TemplateMissing, want)
	}
	// For the reference files are in use through notes and "_" only.
	if want := []string{"ding.mp3", "é.png"}; !slices.Equal(r.Unused, want) {
		t.Errorf("unused %q, want %q", r.Unused, want)
	}
}

// counting counts ticks, and ends the context at the last one.
type counting struct {
	ticks, last int
	cancel      context.CancelFunc
}

func (y *counting) Tick(ctx context.Context) error {
	if y.ticks++; y.ticks == y.last {
		y.cancel()
	}
	return ctx.Err()
}

func (y *counting) Pause(ctx context.Context) error { return y.Tick(ctx) }

// TestManyNotes has more than are read at a time. Long fields bring more ticks.
func TestManyNotes(t *testing.T) {
	t.Parallel()
	c := newCollection(t)
	y := &counting{}
	c.Yield = y
	run(t, c, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500) INSERT INTO notes SELECT i, i, (SELECT min(id) FROM notetypes), 0, 0, '', "+
		"'<img src=\"' || i || '.png\">', '', 0, 0, '' FROM n")
	f := folder{}
	for i := range 2500 {
		f[fmt.Sprintf("%d.png", i)] = "x"
	}
	r := check(t, c, f.store())
	if !slices.Equal(r.Missing, []string{"2500.png"}) || !slices.Equal(r.Unused, []string{"0.png"}) {
		t.Errorf("missing %q, unused %q", r.Missing, r.Unused)
	}
	few := y.ticks
	run(t, c, "UPDATE notes SET flds = flds || ?", strings.Repeat("x", 10_000))
	check(t, c, f.store())
	if y.ticks -= few; few < 5 || y.ticks < 300 {
		t.Errorf("%d ticks for short notes, %d for 25 MB", few, y.ticks)
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	c := newCollection(t)
	for i := range 20 {
		addNote(t, c, "Basic", fmt.Sprintf(`<img src="%d.png">`, i), strings.Repeat("x", 70_000))
	}
	for last := 1; ; last++ {
		ctx, cancel := context.WithCancel(t.Context())
		c.Yield = &counting{last: last, cancel: cancel}
		r, err := mediause.Check(ctx, c, folder{"a": "1"}.store())
		cancel()
		if err == nil {
			if last < 20 || len(r.Missing) != 20 {
				t.Errorf("%d ticks, %q", last, r.Missing)
			}
			return
		}
		if !errors.Is(err, context.Canceled) || r != nil {
			t.Fatal(r, err)
		}
	}
}

// TestStoreFails: an error of the store is the check's, except where it concerns one file only.
func TestStoreFails(t *testing.T) {
	t.Parallel()
	c := newCollection(t)
	addNote(t, c, "Basic", `<img src="gone.png">`, "")
	f := folder{"A:.png": "1", "b.png": "2"}
	broken := errors.New("broken")
	for name, change := range map[string]func(*mediause.Store){
		"files": func(s *mediause.Store) {
			s.Files = func(yield func(mediause.File, error) bool) { yield(mediause.File{}, broken) }
		},
		"sum": func(s *mediause.Store) {
			s.Sum = func(context.Context, string) (sum [20]byte, err error) { return sum, broken }
		},
		"coming": func(s *mediause.Store) { s.Coming = func(string) (bool, error) { return false, broken } },
	} {
		s := f.store()
		change(&s)
		if r, err := mediause.Check(t.Context(), c, s); r != nil || !errors.Is(err, broken) {
			t.Errorf("%s: %v, %v", name, r, err)
		}
	}
	for _, kind := range []fault.Kind{fault.NotFound, fault.NotWritable, fault.Busy, fault.InvalidInput} {
		s := f.store()
		s.Sum = func(context.Context, string) (sum [20]byte, err error) { return sum, fault.New(kind, "not this one") }
		if r := check(t, c, s); !slices.Equal(r.Unused, []string{"A:.png", "b.png"}) || !slices.Equal(r.UnusedFiles, []string{"b.png"}) {
			t.Errorf("%v: %q", kind, r)
		}
	}
}

func TestDamagedNotetype(t *testing.T) {
	t.Parallel()
	for _, sql := range []string{"UPDATE notetypes SET config = x'ff'", "UPDATE templates SET config = x'ff'"} {
		c := newCollection(t)
		run(t, c, sql)
		if _, err := mediause.Check(t.Context(), c, folder{}.store()); !errors.Is(err, fault.DamagedFile) {
			t.Error(err)
		}
	}
}
