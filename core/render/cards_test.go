package render_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/render"
)

// normal makes a notetype with a template for each front; its fields are A, B and C.
func normal(fronts ...string) *render.Notetype {
	n := &render.Notetype{Name: "n", Fields: []string{"A", "B", "C"}}
	for _, front := range fronts {
		n.Templates = append(n.Templates, render.Template{Front: front})
	}
	return n
}

// clozes makes a cloze notetype with the fields A, B and C.
func clozes(front, back string) *render.Notetype {
	n := normal(front)
	n.Cloze, n.Templates[0].Back = true, back
	return n
}

// TestGenerationVectors has what the real program makes of notes and notetypes.
func TestGenerationVectors(t *testing.T) {
	t.Parallel()
	for _, v := range coretest.ReadLines[struct {
		ID, Title   string
		Cloze       bool
		Templates   []string
		Fields      []string
		FieldNames  []string `json:"field_names"`
		Ords        []int
		FieldsCheck render.FieldsCheck `json:"fields_check"`
		Refused     string             `json:"notetype_error"`
	}](t, "testdata/generation.jsonl") {
		n := normal(v.Templates...)
		n.Cloze, n.Fields = v.Cloze, v.FieldNames
		for i := range n.Templates {
			n.Templates[i].Back = "x"
			if v.Cloze {
				n.Templates[i].Back = v.Templates[i] + "x"
			}
		}
		if _, err := render.CheckTemplates(n); (err != nil) != (v.Refused != "") {
			t.Errorf("%s %s: %v, want %q", v.ID, v.Title, err, v.Refused)
		}
		if v.Refused != "" {
			continue
		}
		var tags []string
		if strings.Contains(v.Title, "special") && !strings.Contains(v.Title, "without") {
			tags = []string{"t"}
		}
		ords := render.Ordinals(n, v.Fields, tags)
		if len(ords) == 0 {
			ords = []int{0}
		}
		if !slices.Equal(ords, v.Ords) {
			t.Errorf("%s %s: %v, want %v", v.ID, v.Title, ords, v.Ords)
		}
		if check, err := render.CheckFields(n, v.Fields, nil); check != v.FieldsCheck || err != nil {
			t.Errorf("%s %s: %d, want %d, %v", v.ID, v.Title, check, v.FieldsCheck, err)
		}
	}
}

// TestOrdinals has what the vectors leave open, as the real program does it. What is broken comes from a sync.
func TestOrdinals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		n      *render.Notetype
		fields []string
		want   []int
	}{
		{normal("{{A}}", "{{A}}{{#B}}", "{{A}}{{/B}}", "{{#A}}{{#B}}{{/A}}{{/B}}{{A}}"), []string{"a"}, []int{0}},
		{normal("{{A}}", "{{^Nope}}{{A}}{{/Nope}}", "{{#Nope}}{{A}}{{/Nope}}", "{{Nope}}", "{{Nope}}{{A}}"), []string{"a"}, []int{0, 1, 4}},
		{normal("{{B}}", "{{#c1}}{{A}}{{/c1}}", "{{^c1}}{{A}}{{/c1}}", "{{c4}}"), []string{"a"}, []int{2}},
		{normal("{{B}}", "{{A:}}", "{{A}}{{:}}"), []string{"a"}, []int{2}},
		{normal("{{B}}", "{{#A}}<!-- {{/A}} -->{{A}}{{/A}}"), []string{"a", "b"}, []int{0, 1}},
		{normal("{{B}}"), nil, nil},
		{normal("{{A}}"), []string{"</br><div/> <DIV ></Div>\v\f\r<br />"}, nil},
		{normal("{{A}}"), []string{"<br  >"}, []int{0}},
		{normal("{{A}}"), []string{"<br/ >"}, []int{0}},
		{normal("{{A}}"), []string{"<d\u0131v>"}, []int{0}},
		// All fields count, whatever the templates show.
		{clozes("{{cloze:A}}", "x"), []string{"{{c1::a}}", "{{c5::b}}"}, []int{0, 4}},
		{clozes("x{{#A}}", "x"), []string{"", "{{c7::b}} {{c2,2::c}}"}, []int{1, 6}},
		{clozes("{{cloze:A}}", "x"), []string{"a"}, nil},
	} {
		if got := render.Ordinals(c.n, c.fields, nil); !slices.Equal(got, c.want) {
			t.Errorf("%+v, %q: %v, want %v", c.n.Templates, c.fields, got, c.want)
		}
	}
	// A field hides a special one.
	n := normal("{{A}}", "{{Tags}}", "{{Deck}}")
	n.Fields = []string{"A", "Tags", "Deck"}
	if got := render.Ordinals(n, []string{"a", "", ""}, []string{"x"}); !slices.Equal(got, []int{0}) {
		t.Errorf("hidden special fields: %v", got)
	}
}

func TestCheckFields(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		n      *render.Notetype
		fields []string
		want   render.FieldsCheck
	}{
		{normal("{{A}}"), []string{"&nbsp;<b></b><!-- x --><img>\u3000\u0085"}, render.FirstEmpty},
		{normal("{{A}}"), []string{"<img src=x>"}, render.FieldsFine},
		{normal("{{A}}"), []string{"&zwj;"}, render.FieldsFine},
		{normal("{{A}}"), nil, render.FirstEmpty},
		{normal("{{A}}"), []string{"", "{{c1::x}}"}, render.FirstEmpty},
		{normal("{{A}}"), []string{"a", "{{c1::x}}"}, render.ClozeInNormal},
		{normal("{{A}}"), []string{"a", "{{c0::x}}"}, render.FieldsFine},
		{normal("{{A}}"), []string{"a", "{{c1::x"}, render.FieldsFine},
		{clozes("{{cloze:A}}", "{{cloze:A}}"), []string{"{{c1::x}}", "{{c2::y}}"}, render.ClozeElsewhere},
		{clozes("{{cloze:A}}", "{{cloze:B}}"), []string{"", "{{c2::y}}"}, render.ClozeElsewhere},
		{clozes("{{cloze:B}}", "{{cloze:B}}"), []string{"", "{{c2::y}}"}, render.FirstEmpty},
		{clozes("{{cloze:B}}", "{{cloze:B}}"), []string{"a", "{{c2::y}}"}, render.FieldsFine},
		{clozes("{{cloze:A}}", "{{cloze:A}}"), []string{"a", "{{c0::y}}"}, render.ClozeMissing},
		{clozes("{{cloze:A}}", "{{cloze:A}}"), []string{"{{c9999::y}}"}, render.FieldsFine},
		{clozes("{{cloze:A}}", "{{cloze:A}}"), []string{"dup"}, render.ClozeMissing},
		{clozes("{{cloze:A}}", "{{cloze:A}}"), []string{"dup<b>{{c1::x}}</b>"}, render.Duplicate},
		{normal("{{A}}"), []string{"dup{{c1::x}}"}, render.ClozeInNormal},
		{normal("{{A}}"), []string{"<i>dup</i>"}, render.Duplicate},
	} {
		got, err := render.CheckFields(c.n, c.fields, func(stripped string) (bool, error) {
			return strings.HasPrefix(stripped, "dup"), nil
		})
		if got != c.want || err != nil {
			t.Errorf("%+v, %q: %d, want %d, %v", c.n.Templates, c.fields, got, c.want, err)
		}
	}
	broken := errors.New("broken")
	if _, err := render.CheckFields(normal("{{A}}"), []string{"a"}, func(string) (bool, error) { return false, broken }); !errors.Is(err, broken) {
		t.Error(err)
	}
}

func TestCheckTemplates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		n    *render.Notetype
		ord  int
		want render.Error
	}{
		{normal("{{A}}", "{{ A }}", "{{A}}"), 2, render.Error{Side: render.Front, Problem: render.SameFront}},
		{normal("{{A}}", "<!-- {{B}} -->{{"), 1, render.Error{Side: render.Front, Problem: render.NoField}},
		{normal("{{A}}{{#C}}{{text: Nope}}{{/C}}"), 0, render.Error{Side: render.Front, Problem: render.UnknownField, Tag: "{{text: Nope}}", Field: " Nope"}},
		{normal("{{A}}{{^a}}{{/a}}"), 0, render.Error{Side: render.Front, Problem: render.UnknownField, Tag: "{{^a}}", Field: "a"}},
		{normal("{{A}}{{c1}}"), 0, render.Error{Side: render.Front, Problem: render.UnknownField, Tag: "{{c1}}", Field: "c1"}},
		{normal("{{A}}{{#c}}{{/c}}"), 0, render.Error{Side: render.Front, Problem: render.UnknownField, Tag: "{{#c}}", Field: "c"}},
		{normal("{{Nope}}{{#A}}"), 0, render.Error{Side: render.Front, Problem: render.NotClosed, Tag: "{{/A}}", Field: "A"}},
		{normal("{{#A}}{{#B}}{{/A}}"), 0, render.Error{Side: render.Front, Problem: render.WrongEnd, Tag: "{{/A}}", Field: "B"}},
		{normal("{{A}}{{/ B }}"), 0, render.Error{Side: render.Front, Problem: render.NotOpened, Tag: "{{/B}}", Field: "B"}},
		{clozes("{{cloze-only:A}}", "{{cloze:A}}"), 0, render.Error{Side: render.Front, Problem: render.NoCloze}},
		{clozes("{{cloze:A}}", "{{FrontSide}}<!--{{cloze:A}}-->"), 0, render.Error{Side: render.Back, Problem: render.NoCloze}},
		{clozes("{{cloze:A}}", "{{cloze:Nope}}"), 0, render.Error{Side: render.Back, Problem: render.UnknownField, Tag: "{{cloze:Nope}}", Field: "Nope"}},
	} {
		ord, err := render.CheckTemplates(c.n)
		if err == nil || ord != c.ord || *err != c.want {
			t.Errorf("%+v: %d, %+v, want %d, %+v", c.n.Templates, ord, err, c.ord, c.want)
		}
		if err != nil && err.Error() == "" {
			t.Error("no message")
		}
	}
	for _, n := range []*render.Notetype{
		normal("{{A}}{{#c1}}{{/c1}}{{#FrontSide}}{{/FrontSide}}{{A:B:C}}{{Tags:A}}"), clozes("{{text:cloze:A}}", "{{cloze:text:B}}{{#c0}}{{/c0}}{{Subdeck}}"),
		clozes("{{=<% %>=}}<%cloze:A%>", "{{#c1}}{{cloze:A}}{{/c1}}"),
	} {
		if _, err := render.CheckTemplates(n); err != nil {
			t.Errorf("%+v: %v", n.Templates, err)
		}
	}
}
