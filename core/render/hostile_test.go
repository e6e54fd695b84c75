package render_test

import (
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/render"
)

// hostile are pieces of text whose repetition would take a careless program quadratic time or worse, or all of the stack.
var hostile = []string{
	"{{", "}}", "{{#A}}", "{{^A}}", "{{#A}}{{/A}}", "{{/A}}", "{{A", "{{#", "<!--", "<!-- {{", "{{A}}", "{{text:text:", "{{A:B:", ":", "{{=<% %>=}}", "<%", "{",
	"{{c1::", "{{c1::a", "{{c1::}}", "{{c1::{{c2::", "{{c1,", "{{c1,2,3::a}}", "{{c1::::", "{{c0::", "{{c1::image-occlusion:rect:left=1", "image-occlusion:text=\\:",
	"[sound:", "[sound:]", "[sound:a]", "[anki:tts ", "[anki:tts a=", "[anki:tts lang=a]", "[anki:tts lang=\"", "[anki:tts]", "[/anki:tts]", "[[type:", "[[type:A]]", "[[type:]]",
	"[$]", "[/$]", "[latex]", "[$]x", `\(`, `\)`, `\(\)`, `\[<`, "[", "[[", "a[", "a[\n", "a[b", "a[b]", "[]", " a[", "<br>", "<div", "<", "</", "&nbsp;", "&", " ", "\n", "\x00", "\u0301",
}

func renderAll(front, back string, fields ...string) {
	for _, isCloze := range []bool{false, true} {
		c := card(front, back, fields...)
		c.Notetype.Cloze = isCloze
		render.Render(c)
		render.Ordinals(c.Notetype, c.Fields, c.Tags)
		render.CheckTemplates(c.Notetype)
		if _, err := render.CheckFields(c.Notetype, c.Fields, nil); err != nil {
			panic(err)
		}
	}
}

const everyFilter = "{{A}}{{text:A}}{{hint:A}}{{type:A}}{{furigana:A}}{{kana:A}}{{kanji:A}}{{cloze:A}}{{cloze-only:A}}{{tts en:A}}{{text:cloze:A}}{{#A}}x{{/A}}"

// TestHostileTextIsLinear would take from minutes to years if one of these were not linear.
func TestHostileTextIsLinear(t *testing.T) {
	t.Parallel()
	size := 1 << 14
	if testing.Short() {
		size = 1 << 11
	}
	for _, unit := range hostile {
		text := strings.Repeat(unit, size/len(unit))
		renderAll(text, text, "a", text)
		renderAll("{{A}}"+text+"}}", "<!-- "+text, "a")
		for _, field := range []string{text, text + "]", text + "}}", text + ">", "{{c1::x}}" + text, "{{c1::" + text + "}}", text + "-->[/$]" + `\)`} {
			renderAll(everyFilter, "{{FrontSide}}"+everyFilter, field)
		}
		render.CompareTyped(coretest.Text{}, text, "b"+text, true)
	}
}

// TestNesting has depths at which recursion would end the program.
func TestNesting(t *testing.T) {
	t.Parallel()
	const depth = 50_000
	front := strings.Repeat("{{#A}}", depth) + "{{A}}" + strings.Repeat("{{/A}}", depth)
	if s := render.Render(card(front, "", "x")); s.Question != "x" || s.Err != nil {
		t.Errorf("%.50q, %v", s.Question, s.Err)
	}
	if s := render.Render(card(front, "", "")); s.Empty != render.BlankFront {
		t.Errorf("%+v", s)
	}
	// The reference takes ten levels of clozes; what is too deep is text, with marks that close nothing.
	for depth, want := range map[int]string{
		3: "...", 10: "...", 11: "...}}", 5000: "..." + strings.Repeat("}}", 4990),
	} {
		c := card("{{cloze-only:A}}", "{{text:cloze:A}}", strings.Repeat("{{c2::", depth)+"x"+strings.Repeat("}}", depth)+"{{c1::y}}")
		c.Notetype.Cloze = true
		s := render.Render(c)
		if answer := "x" + strings.TrimPrefix(want, "...") + "y"; s.Question != "..." || s.Answer != answer {
			t.Errorf("depth %d: %.50q, %.50q", depth, s.Question, s.Answer)
		}
	}
	// Each level of one number would make an attribute about three times as long.
	c := card("{{cloze:A}}", "", strings.Repeat("{{c1::", 10)+strings.Repeat("/", 1<<16)+strings.Repeat("}}", 10))
	c.Notetype.Cloze = true
	if s := render.Render(c); s.Err != nil || len(s.Question) > 16<<20 || !strings.HasSuffix(s.Question, `data-cloze="" data-ordinal="1">[...]</span>`) {
		t.Errorf("%d bytes, %.200q", len(s.Question), s.Question)
	}
	// A template can repeat a field, and filters.
	for _, front := range []string{strings.Repeat("{{A}}", 1<<13), "{{A}}" + strings.Repeat("{{cloze:A}}", 1<<13), "{{" + strings.Repeat("hint:", 1<<15) + "A}}"} {
		if s := render.Render(card(front, "", strings.Repeat("x", 1<<12))); s.Err == nil || s.Err.Problem != render.TooLong {
			t.Errorf("%.50s: %v", front, s.Err)
		}
	}
	if s := render.Render(card(strings.Repeat("{{#A}}{{/A}}", 1<<15)+"{{B}}", "", strings.Repeat(" ", 1<<20), "x")); s.Question != "x" {
		t.Errorf("%+v", s)
	}
}

func FuzzRender(f *testing.F) {
	for _, unit := range hostile {
		f.Add(unit+"{{A}}"+unit, unit, unit+unit)
	}
	f.Add(everyFilter, "{{FrontSide}}", "{{c1::a::h}} [sound:x] 日[に] [$]x[/$] \\({{c1::image-occlusion:rect:left=1}}\\)")
	f.Fuzz(func(t *testing.T, front, back, field string) {
		renderAll(front, back, field)
		c := card(front, back, field)
		s := render.Render(c)
		if s.Err != nil && (s.Question+s.Answer != "" || s.Err.Side == "" || s.Err.Error() == "") {
			t.Errorf("%+v", s)
		}
		// What is saved can be shown, but for conditionals on the front side.
		if _, err := render.CheckTemplates(c.Notetype); err == nil && s.Err != nil && s.Err.Field != "FrontSide" && s.Err.Problem != render.TooLong {
			t.Errorf("%q, %q: %v", front, back, s.Err)
		}
	})
}

func FuzzCompareTyped(f *testing.F) {
	for _, unit := range hostile {
		f.Add(unit+"a", "a"+unit, true)
	}
	f.Fuzz(func(t *testing.T, expected, typed string, noMarks bool) {
		html := render.CompareTyped(coretest.Text{}, expected, typed, noMarks)
		if !strings.HasPrefix(html, "<code id=typeans>") || !strings.HasSuffix(html, "</code>") || strings.Count(html, "<span ") != strings.Count(html, "</span>") {
			t.Errorf("%q", html)
		}
	})
}
