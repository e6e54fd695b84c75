package render_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/render"
	"github.com/cardferry/cardferry/hostrunner/anki"
)

// realCase is a notetype and a note for the real program, and answers to compare: what is expected, what is typed, and whether
// combining marks matter.
type realCase struct {
	Cloze     bool        `json:"cloze"`
	Fields    []string    `json:"fields"`
	Tags      []string    `json:"tags"`
	Templates [][2]string `json:"templates"`
	Ord       int         `json:"ord"`
	Typed     [][3]any    `json:"typed"`
}

type realResult struct {
	Refused          string
	Check            render.FieldsCheck
	Ords             []int
	Question, Answer string
	QuestionAV       []render.AV `json:"question_av"`
	AnswerAV         []render.AV `json:"answer_av"`
	Compared         []string
}

// realResults runs testdata/realrender.py, which uses the real program.
func realResults(t *testing.T, cases []realCase) (results []realResult) {
	t.Helper()
	anki.Script{Path: "testdata/realrender.py"}.Run(t, &results, cases)
	if len(results) != len(cases) {
		t.Fatalf("%d results for %d cases", len(results), len(cases))
	}
	return results
}

// generator makes texts of pieces that are likely to meet.
type generator struct{ *rand.Rand }

func (g generator) text(max int, pieces ...string) string {
	var b strings.Builder
	for range g.IntN(max + 1) {
		b.WriteString(pieces[g.IntN(len(pieces))])
	}
	return b.String()
}

func (g generator) field() string {
	return g.text(7, "a", "b ", " ", "é", "\n", "{{c1::", "{{c2::", "{{c1,2::", "{{c0::", "{{c", "}}", "}}", "}}", "::", "h", "<b>", "</b>", "<br>", "<div>", "</div>",
		"&nbsp;", "&lt;", "&", "[sound:", "x.mp3]", "]", "[", "日本", "[に]", "[$]", "[/$]", "[latex]", "[/latex]", `\(`, `\)`, `\[`, `\]`, "<!-- ", " -->", "[[type:A]]",
		"[anki:tts lang=en]", "[anki:tts ", "lang=", "voices=a,b ", "[/anki:tts]", "image-occlusion:", "rect:", "left=", "1:", `\`, "text=", "oi=1", `"`, ">")
}

// template makes a side; most are well-formed.
func (g generator) template(cloze bool) string {
	pieces := []string{"{{A}}", "{{B}}", "{{#A}}", "{{/A}}", "{{^B}}", "{{/B}}", "{{#C}}", "{{/C}}", "{{#c1}}", "{{/c1}}", "{{#Tags}}", "{{/Tags}}", "x", " ", "<i>",
		"{{text:A}}", "{{hint:B}}", "{{furigana:A}}", "{{kana:B}}", "{{kanji:C}}", "{{type:A}}", "{{type:nc:B}}", "{{type:cloze:A}}", "{{cloze:B}}", "{{cloze-only:A}}",
		"{{tts en_US x=1:A}}", "{{FrontSide}}", "{{Tags}}", "{{Card}}", "{{text:cloze:B}}", "{{hint:text:A}}", "{{nope:A}}", "<!-- ", " -->", "[$]", "[/$]", "[sound:", "]"}
	if g.IntN(4) == 0 {
		pieces = append(pieces, "{{", "}}", "{", "}", "{{Nope}}", "{{#Nope}}", "{{ A }}", "{{A:}}", "{{:B}}", "{{/", "{{c1}}", "{{=<% %>=}}", "<%A%>")
	}
	s := g.text(6, pieces...)
	if g.IntN(2) == 0 {
		s = "{{A}}" + s
	}
	if cloze && g.IntN(4) > 0 {
		s = "{{cloze:A}}" + s
	}
	if g.IntN(3) == 0 {
		s = "{{#A}}" + s + "{{/A}}"
	}
	return s
}

func (g generator) answer() string {
	return g.text(8, "a", "b", "c", "ab", " ", "é", "e", "e\u0301", "日", "<", "&amp;", "'", "-", "가")
}

func (g generator) realCase() realCase {
	c := realCase{Cloze: g.IntN(2) == 0, Fields: []string{g.field(), g.field(), g.field()}}
	if g.IntN(2) == 0 {
		c.Tags = []string{"t"}
	}
	c.Templates = [][2]string{{g.template(c.Cloze), g.template(c.Cloze)}}
	if !c.Cloze && g.IntN(2) == 0 {
		c.Templates = append(c.Templates, [2]string{g.template(false), g.template(false)})
	}
	c.Ord = g.IntN(2)
	if !c.Cloze && len(c.Templates) == 1 {
		c.Ord = 0
	}
	for range 3 {
		c.Typed = append(c.Typed, [3]any{g.field() + g.answer(), g.answer(), g.IntN(2) == 0}, [3]any{g.answer(), g.answer(), g.IntN(2) == 0})
	}
	return c
}

// TestRealProgramAgrees compares with the real program, on random notetypes and notes.
func TestRealProgramAgrees(t *testing.T) {
	t.Parallel()
	n := 300
	switch {
	case testing.Short():
		n = 60
	case os.Getenv("CARDFERRY_FULL") != "":
		n = 5000
	}
	g := generator{rand.New(rand.NewPCG(6, 8))}
	cases := make([]realCase, n)
	for i := range cases {
		cases[i] = g.realCase()
	}
	for i, want := range realResults(t, cases) {
		agrees(t, cases[i], want)
	}
}

func agrees(t *testing.T, c realCase, want realResult) {
	t.Helper()
	n := &render.Notetype{Name: fmt.Sprintf("N%d", boolInt(c.Cloze)), Cloze: c.Cloze, Fields: []string{"A", "B", "C"}}
	for _, s := range c.Templates {
		n.Templates = append(n.Templates, render.Template{Name: "T", Front: s[0], Back: s[1]})
	}
	if _, err := render.CheckTemplates(n); (err != nil) != (want.Refused != "") {
		t.Errorf("%+v: refused %v, want %q", c, err, want.Refused)
	}
	if want.Refused == "" {
		ords := render.Ordinals(n, c.Fields, c.Tags)
		if len(ords) == 0 {
			ords = []int{0}
		}
		if !slices.Equal(ords, want.Ords) {
			t.Errorf("%+v: ordinals %v, want %v", c, ords, want.Ords)
		}
		if check, _ := render.CheckFields(n, c.Fields, nil); check != want.Check {
			t.Errorf("%+v: fields %v, want %v", c, check, want.Check)
		}
	}
	s := render.Untyped(&render.Card{Notetype: n, Ord: c.Ord, Fields: c.Fields, Tags: c.Tags, Deck: render.NoDeck})
	sameSides(t, c, s, want)
	for i, x := range c.Typed {
		if got := render.CompareTyped(coretest.Text{}, x[0].(string), x[1].(string), !x[2].(bool)); got != want.Compared[i] {
			t.Errorf("%q: compared\n%s\nwant\n%s", x, got, want.Compared[i])
		}
	}
}

// sameSides compares what is shown. Of mistakes, the side and the tag are in the real program's message.
func sameSides(t *testing.T, c realCase, s *render.Sides, want realResult) {
	t.Helper()
	if strings.Contains(want.Question, "template has a problem:") {
		side := render.Front
		if strings.HasPrefix(want.Question, "Back") {
			side = render.Back
		}
		if s.Err == nil || s.Err.Side != side || !strings.Contains(want.Question, "\u2068"+htmlText(s.Err.Tag)+"\u2069") {
			t.Errorf("%+v: %+v, want %s", c, s.Err, want.Question)
		}
		return
	}
	if s.Err != nil {
		t.Errorf("%+v: %v, want none", c, s.Err)
		return
	}
	if got, want := noID(s.Question), noMessage(noID(want.Question)); got != want {
		t.Errorf("%+v: question\n%q, want\n%q", c, got, want)
	}
	if got, want := noID(s.Answer), noMessage(noID(want.Answer)); got != want {
		t.Errorf("%+v: answer\n%q, want\n%q", c, got, want)
	}
	sameAV(t, c, s.QuestionAV, want.QuestionAV)
	if s.Empty == "" {
		sameAV(t, c, s.AnswerAV, want.AnswerAV)
	}
}

func sameAV(t *testing.T, c realCase, got, want []render.AV) {
	t.Helper()
	equal := slices.EqualFunc(got, want, func(a, b render.AV) bool {
		if a.Speech == nil || b.Speech == nil {
			return noID(a.Sound) == noID(b.Sound) && a.Speech == b.Speech
		}
		x, y := *a.Speech, *b.Speech
		return slices.Equal(x.Voices, y.Voices) && slices.Equal(x.Other, y.Other) && reflect.DeepEqual([]any{x.Text, x.Lang, x.Speed}, []any{y.Text, y.Lang, y.Speed})
	})
	if !equal {
		t.Errorf("%+v: plays %+v, want %+v", c, got, want)
	}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func htmlText(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#x27;").Replace(s)
}
