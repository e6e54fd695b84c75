package mediaref

import (
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"github.com/cardferry/cardferry/core/digest"
	"github.com/cardferry/cardferry/core/notetext"
)

// latexMark is one way to mark LaTeX in a field, and what is put around the body before it is hashed.
type latexMark struct{ open, close, before, after string }

var latexMarks = [...]latexMark{
	{"[latex]", "[/latex]", "", ""},
	{"[$]", "[/$]", "$", "$"},
	{"[$$]", "[/$$]", `\begin{displaymath}`, `\end{displaymath}`},
}

// latex yields the images of a field's LaTeX. In a field with clozes it is taken from what the cards will show, both
// sides for each number, instead of from the field; but only if the field itself has some.
func latex(field string, svg bool, yield func(Ref)) {
	if !strings.Contains(field, "[/") {
		return
	}
	if strings.Contains(field, "{{c") {
		if !hasLatex(field) {
			return
		}
		field = renderClozes(field)
	}
	EachLatex(field, func(body string, _, _ int) bool {
		yield(Ref{Name: LatexName(body, svg)})
		return true
	})
}

// LatexName returns the name of the image of a body of LaTeX.
func LatexName(body string, svg bool) string {
	sum := digest.SHA1(body)
	name := "latex-" + hex.EncodeToString(sum[:])
	if svg {
		return name + ".svg"
	}
	return name + ".png"
}

func hasLatex(text string) (has bool) {
	EachLatex(text, func(string, int, int) bool {
		has = true
		return false
	})
	return has
}

// EachLatex yields the bodies of the LaTeX in a text, without their HTML, and where they begin and end with their marks,
// until yield returns false.
func EachLatex(text string, yield func(body string, start, end int) bool) {
	var unclosed [len(latexMarks)]bool // nothing closes them in the rest of the text
	for i := strings.IndexByte(text, '['); i >= 0; {
		end := i + 1
		for k, mark := range latexMarks {
			n := notetext.PrefixFold(text[i:], mark.open)
			if n < 0 || unclosed[k] {
				continue
			}
			start := i + n
			stop := closing(text, start, mark.close)
			if stop < 0 {
				unclosed[k] = true
				continue
			}
			end = stop + len(mark.close)
			if !yield(mark.before+latexBody(text[start:stop])+mark.after, i, end) {
				return
			}
			break
		}
		n := strings.IndexByte(text[end:], '[')
		if n < 0 {
			return
		}
		i = end + n
	}
}

// closing returns the place of the first closing mark behind at least one character after start, -1 if there is none.
func closing(text string, start int, mark string) int {
	_, size := utf8.DecodeRuneInString(text[start:])
	for i := start + size; ; i++ {
		n := strings.IndexByte(text[i:], '[')
		if n < 0 {
			return -1
		}
		i += n
		if notetext.PrefixFold(text[i:], mark) >= 0 {
			return i
		}
	}
}

// latexBody returns LaTeX without its HTML.
func latexBody(html string) string {
	if strings.IndexByte(html, '<') >= 0 {
		html = notetext.StripTags(breakLines(html))
	}
	return notetext.DecodeEntities(html)
}

// breakLines replaces the three tags that are line breaks. Other spellings of them are not.
func breakLines(html string) string {
	var b strings.Builder
	for {
		i := strings.IndexByte(html, '<')
		if i < 0 {
			b.WriteString(html)
			return b.String()
		}
		b.WriteString(html[:i])
		html = html[i:]
		c, size := byte('<'), 1
		for _, tag := range [...]string{"<br>", "<br/>", "<div>"} {
			if n := notetext.PrefixFold(html, tag); n >= 0 {
				c, size = '\n', n
			}
		}
		b.WriteByte(c)
		html = html[size:]
	}
}
