package render_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/render"
)

var hintID = regexp.MustCompile(`hint[0-9a-f]{16}`)

// noID masks the ids of hints, which are opaque.
func noID(html string) string { return hintID.ReplaceAllString(html, "hint") }

// noMessage removes the reference's own text about a card that asks nothing, and the marks around what it puts into its
// messages.
func noMessage(html string) string {
	html = strings.NewReplacer("\u2068", "", "\u2069", "").Replace(html)
	if i := strings.Index(html, "<div>The front of this card is blank."); i >= 0 {
		return html[:i]
	}
	if i := strings.Index(html, "<div>No cloze "); i >= 0 {
		return html[:i]
	}
	return html
}

// TestRenderingVectors has what the real program renders.
func TestRenderingVectors(t *testing.T) {
	t.Parallel()
	for _, v := range coretest.ReadLines[struct {
		ID, Title, Q, A    string
		Cloze              bool
		Fields             map[string]string
		Tags               []string
		Ord                int
		Notetype, Template string
		Question, Answer   string
		IsEmpty            bool `json:"is_empty"`
		Error              string
	}](t, "testdata/rendering.jsonl") {
		n := &render.Notetype{Name: v.Notetype, Cloze: v.Cloze, Templates: []render.Template{{Name: v.Template, Front: v.Q, Back: v.A}}}
		c := &render.Card{Notetype: n, Ord: v.Ord, Tags: v.Tags, Deck: "(Deck)"}
		for name, content := range v.Fields {
			n.Fields, c.Fields = append(n.Fields, name), append(c.Fields, content)
		}
		s := render.Raw(c)
		if v.Error != "" {
			side := render.Front
			if strings.Contains(v.Error, "Back template") {
				side = render.Back
			}
			if s.Err == nil || s.Err.Side != side || !strings.Contains(v.Error, strings.NewReplacer("<", "&lt;", ">", "&gt;").Replace(s.Err.Tag)) {
				t.Errorf("%s %s: %+v, want %s", v.ID, v.Title, s.Err, v.Error)
			}
			continue
		}
		if s.Err != nil {
			t.Errorf("%s %s: %v", v.ID, v.Title, s.Err)
			continue
		}
		if got, want := noID(s.Question), noMessage(noID(v.Question)); got != want {
			t.Errorf("%s %s: question\n%s\nwant\n%s", v.ID, v.Title, got, want)
		}
		if got, want := noID(s.Answer), noMessage(noID(v.Answer)); got != want {
			t.Errorf("%s %s: answer\n%s\nwant\n%s", v.ID, v.Title, got, want)
		}
		if (s.Empty != "") != v.IsEmpty {
			t.Errorf("%s %s: empty %q, want %v", v.ID, v.Title, s.Empty, v.IsEmpty)
		}
	}
}

// card makes a card of a notetype with the fields A, B and C.
func card(front, back string, fields ...string) *render.Card {
	n := normal(front)
	n.Templates[0].Back = back
	return &render.Card{Notetype: n, Fields: fields, Deck: "Lang::French::Verbs", Flag: 2, ID: 17, Tags: []string{"z", "a"}}
}

func TestSpecialFields(t *testing.T) {
	t.Parallel()
	c := card("{{A}}|{{Tags}}|{{Type}}|{{Deck}}|{{Subdeck}}|{{Card}}|{{CardFlag}}|{{CardID}}|{{c1}}|{{FrontSide}}", "{{text:FrontSide}}", "a")
	c.Notetype.Templates[0].Name = "Card 1"
	const want = "a|z a|n|Lang::French::Verbs|Verbs|Card 1|flag2|17|1|"
	if s := render.Render(c); s.Question != want || s.Answer != want {
		t.Errorf("%q, %q", s.Question, s.Answer)
	}
	c.Notetype.Fields = []string{"Tags", "FrontSide", "c1"}
	c.Notetype.Templates[0] = render.Template{Front: "{{Tags}}|{{#FrontSide}}{{c1}}|{{/FrontSide}}{{FrontSide}}", Back: "{{FrontSide}}{{#FrontSide}}f{{/FrontSide}}"}
	c.Fields = []string{"T", "F", "C"}
	if s := render.Render(c); s.Question != "T|C|" || s.Answer != "T|C|f" {
		t.Errorf("fields in the place of special ones: %q, %q", s.Question, s.Answer)
	}
	for deck, want := range map[string]string{"A::B: C": "B: C", "X:Y": "X:Y", render.NoDeck: render.NoDeck} { // as in the real program
		c := card("{{A}}|{{Subdeck}}", "", "a")
		if c.Deck = deck; render.Render(c).Question != "a|"+want {
			t.Errorf("below %q: %q", deck, render.Render(c).Question)
		}
	}
}

// TestErrors: unknown fields count where they are hidden, too, and the front comes first.
func TestErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		front, back string
		want        render.Error
	}{
		{"{{#C}}{{Nope}}{{/C}}{{A}}", "{{/A}}", render.Error{Side: render.Front, Problem: render.UnknownField, Tag: "{{Nope}}", Field: "Nope"}},
		{"{{A}}", "{{#C}}{{^Nope}}{{/Nope}}{{/C}}", render.Error{Side: render.Back, Problem: render.UnknownField, Tag: "{{^Nope}}", Field: "Nope"}},
		{"{{A}}{{#FrontSide}}{{/FrontSide}}", "", render.Error{Side: render.Front, Problem: render.UnknownField, Tag: "{{#FrontSide}}", Field: "FrontSide"}},
		{"{{A}}{{#c4294967296}}{{/c4294967296}}", "", render.Error{Side: render.Front, Problem: render.UnknownField, Tag: "{{#c4294967296}}", Field: "c4294967296"}},
		{"{{A}}{{c2}}", "", render.Error{Side: render.Front, Problem: render.UnknownField, Tag: "{{c2}}", Field: "c2"}},
		{"{{Nope}}{{#A}}{{#B}}", "", render.Error{Side: render.Front, Problem: render.NotClosed, Tag: "{{/B}}", Field: "B"}},
	} {
		s := render.Render(card(c.front, c.back, "a", "b"))
		if s.Err == nil || *s.Err != c.want || s.Question+s.Answer != "" {
			t.Errorf("%s %s: %+v, want %+v", c.front, c.back, s.Err, c.want)
		}
	}
	// Where there is nothing to ask, the back does not matter.
	if s := render.Render(card("x{{C}}", "{{Nope}}", "a")); s.Err != nil || s.Question != "x" || s.Empty != render.BlankFront {
		t.Errorf("%+v", s)
	}
	// A template that is gone, and fields that are missing.
	if s := render.Render(&render.Card{Notetype: &render.Notetype{}, Ord: 3}); s.Err != nil || s.Empty != render.BlankFront {
		t.Errorf("%+v", s)
	}
	if s := render.Render(&render.Card{Notetype: &render.Notetype{Cloze: true}, Ord: -7, Fields: []string{"{{c1::x}}"}}); s.Empty != render.NoNumber {
		t.Errorf("%+v", s)
	}
}

func TestSoundsAndLatex(t *testing.T) {
	t.Parallel()
	c := card("{{A}}", "{{FrontSide}}|{{B}}", "x [sound:a &amp; b.mp3][sound:]", `[anki:tts lang=en voices=A,B speed=1.5 x="y z"]hi<br><b>you</b>&nbsp;[sound:q][/anki:tts][sound:b.mp3][anki:tts x]`)
	s := render.Render(c)
	if s.Question != "x [anki:play:q:0][sound:]" || s.Answer != "x [anki:play:q:0][sound:]|[anki:play:a:0][anki:play:a:1][anki:tts x]" {
		t.Errorf("%q, %q", s.Question, s.Answer)
	}
	if len(s.QuestionAV) != 1 || s.QuestionAV[0].Sound != "a & b.mp3" || len(s.AnswerAV) != 2 || s.AnswerAV[1].Sound != "b.mp3" {
		t.Fatalf("%+v, %+v", s.QuestionAV, s.AnswerAV)
	}
	p := s.AnswerAV[0].Speech
	if p.Text != "hi you [sound:q]" || p.Lang != "en" || !slices.Equal(p.Voices, []string{"A", "B"}) || p.Speed != 1.5 || !slices.Equal(p.Other, []string{"x=y z"}) {
		t.Errorf("%+v", p)
	}
	c = card("[$]{{A}}[/$]", "{{FrontSide}}[latex]x[sound:a]y[/latex]", "x<br>&lt;")
	s = render.Render(c)
	const image = `<img class=latex alt="&#x24;x&#x0A;&lt;&#x24;" src="latex-6be1d8dd0fb7e078c269c80db30ad6f9ea8c9a46.png">`
	if s.Question != image {
		t.Errorf("%s", s.Question)
	}
	if !strings.HasPrefix(s.Answer, image+`<img class=latex alt="x&#x5B;anki&#x3A;play&#x3A;a&#x3A;0&#x5D;y" src="latex-`) {
		t.Errorf("%s", s.Answer)
	}
	c.Notetype.LatexSVG = true
	if s := render.Render(c); !strings.HasSuffix(s.Question, `.svg">`) {
		t.Errorf("%s", s.Question)
	}
}

func TestTyped(t *testing.T) {
	t.Parallel()
	s := render.Render(card("{{A}}{{type:nc:B}}{{type:A}}", "{{type:nc:B}}", "a", "<b>é</b>"))
	if s.Question != "a[[type:nc:B]]" || s.Answer != "[[type:nc:B]]" || s.Typed == nil || *s.Typed != (render.Typed{Marker: "[[type:nc:B]]", Field: "B", Expected: "<b>é</b>", NoMarks: true}) {
		t.Errorf("%q, %q, %+v", s.Question, s.Answer, s.Typed)
	}
	for _, c := range []*render.Card{card("{{A}}{{type:C}}", "{{type:C}}x", "a"), card("{{A}}", "x", "a[[type:Nope]]"), card("{{A}}", "x", "a")} {
		if s := render.Render(c); s.Typed != nil || s.Question != "a" || s.Answer != "x" {
			t.Errorf("%q, %q, %+v", s.Question, s.Answer, s.Typed)
		}
	}
	for field, want := range map[string]string{
		"{{c1::a}} {{c1::b}} {{c1::a}} {{c2::c}}": "a, b, a", "{{c1::a}}{{c1::a}}": "a", "{{c1::<b>a</b> {{c2::b}}::h}}": "<b>a</b> b", "{{c1::a {{c1::b}}}}": "a b, b",
	} {
		c := card("{{cloze:A}}{{type:cloze:A}}", "", field)
		c.Notetype.Cloze = true
		if s := render.Render(c); s.Typed == nil || s.Typed.Expected != want || s.Typed.Field != "A" {
			t.Errorf("%s: %+v", field, s.Typed)
		}
	}
}
