package mediaref_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/mediaref"
)

// names returns the sorted names that a field references, each once and in Unicode's form C, as the reference
// reports them.
func names(field string, svg bool) []string {
	list := []string{}
	mediaref.Field(field, svg, func(r mediaref.Ref) { list = append(list, coretest.Text{}.NFC(r.Name)) })
	slices.Sort(list)
	return slices.Compact(list)
}

// TestVectors has what the real program's check extracts. One vector is a name of which normalising leaves nothing, which
// it reports as an empty one.
func TestVectors(t *testing.T) {
	t.Parallel()
	for _, v := range coretest.ReadLines[struct {
		Notetype, Field string
		References      []string
		FilesAfter      []string `json:"files_after"`
	}](t, "testdata/field-references.jsonl") {
		got := names(v.Field, v.Notetype == "svg")
		if slices.Equal(v.References, []string{""}) {
			v.References = []string{`""`}
		}
		slices.Sort(v.References)
		if !slices.Equal(got, v.References) {
			t.Errorf("%s, %q: %q, want %q", v.Notetype, v.Field, got, v.References)
		}
		mediaref.Field(v.Field, false, func(r mediaref.Ref) {
			if r.Inline != (len(v.FilesAfter) > 0) {
				t.Errorf("%q: inline is %v", v.Field, r.Inline)
			}
		})
	}
}

// TestRandomVectors has what the real program extracts from random texts, made by testdata/randomfields.py.
func TestRandomVectors(t *testing.T) {
	t.Parallel()
	for _, v := range coretest.ReadLines[[]any](t, "testdata/random.jsonl") {
		field := v[0].(string)
		want := []string{}
		for _, name := range v[1].([]any) {
			want = append(want, name.(string))
		}
		if got := names(field, false); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", field, got, want)
		}
	}
}

// hostile are pieces of text whose repetition would take a careless extractor quadratic time or worse.
var hostile = []string{
	"[sound:", "[sound:]", "[$]", "[/$]", "[$$]", "[$]x", "[latex]", "[latex][/latex", "[$]<br>", "[$]<", "[$]<style>", "[[", "[]",
	"<img src=", "<img '>\" data=", "{{c", "{{c1", "{{c1,", "{{c1::", "{{c1::a", "{{c1::[$]", "}}", "{{c1::}}", "{{c1::{{c2::", "{{c1::::", "{{c0::",
	"{{c1,2,3,4,5,6,7,8,9::a}}[$]x[/$]", "<img src=data:image/png;base64,", "<img src=data:image/png;base64,QQ==>", "url(", "url('", "@import", "@import '",
	"/*", "<!--", "<style>", "'_", "\"_a.", "=_a.b", "&amp;", "<img src=&",
}

// TestHostileTextIsLinear would take from minutes to years if one of these were not linear.
func TestHostileTextIsLinear(t *testing.T) {
	t.Parallel()
	size := 1 << 18
	if testing.Short() {
		size = 1 << 13
	}
	for _, unit := range hostile {
		text := strings.Repeat(unit, size/len(unit))
		for _, s := range []string{text, text + ">", text + "]", text + "[/$]", "{{c1::[$]}}" + text + "[/$]", "[$]{{c1::x}}" + text + "}}[/$]"} {
			mediaref.Field(s, false, func(mediaref.Ref) {})
			mediaref.Template(s)
			mediaref.Style(s)
		}
	}
}

// TestClozesAreBounded has more numbers than are rendered.
func TestClozesAreBounded(t *testing.T) {
	t.Parallel()
	const clozes = 3000
	var b strings.Builder
	for i := range clozes {
		fmt.Fprintf(&b, "{{c%d::x}}", i+1)
	}
	images := map[string]bool{}
	mediaref.Field("[$]"+b.String()+"[/$]", false, func(r mediaref.Ref) { images[r.Name] = true })
	// One question for each number, and the answer.
	if len(images) < 20 || len(images) > clozes/10 {
		t.Errorf("%d images", len(images))
	}
}

func FuzzField(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	f.Add("[$]{{c1::a<br>{{c2,3::b::h}}}}[/$]<img src='a&amp;b.png'>[sound:x]<img src=\"data:image/png;base64,QUJDRA==QUJD\">")
	f.Fuzz(func(t *testing.T, s string) {
		mediaref.Field(s, len(s)%2 == 0, func(r mediaref.Ref) {
			if r.Name == "" {
				t.Errorf("%q: an empty name", s)
			}
		})
	})
}

func BenchmarkField(b *testing.B) {
	for _, bench := range []struct{ name, field string }{
		{"plain", strings.Repeat("das Fährschiff, -e; die Fähre ", 7)},
		{"media", strings.Repeat("die Fähre ", 14) + `<img src="ferry-12.jpg" alt="a ferry"> [sound:ferry.mp3]`},
		{"tags", strings.Repeat("<div>die <b>Fähre</b></div>", 8)},
		{"latex", strings.Repeat("die Fähre ", 14) + `[$]\frac{a}{b}[/$]`},
		{"cloze", "{{c1::die Fähre}} und {{c2::das Schiff::Boot}} [$]x^2[/$]"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.SetBytes(int64(len(bench.field)))
			b.ReportAllocs()
			for b.Loop() {
				mediaref.Field(bench.field, false, func(mediaref.Ref) {})
			}
		})
	}
}
