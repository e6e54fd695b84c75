package mediaref

import (
	"strings"

	"github.com/cardferry/cardferry/core/cloze"
)

// maxRendered bounds how much text a field's clozes are rendered to, in bytes: a field has as many numbers as its author
// likes, and each takes the whole field twice. It is 100 numbers in a field of 20 KiB, 500 in one of 4.
const maxRendered = 4 << 20

// renderClozes returns what the cards of a field with clozes show of it: for each number the question and the answer, all
// in one text. Every cloze is put into <span>, in which the reference has attributes, too; tags are all that matters.
//
// LaTeX that is opened in one side and closed in the next thus counts, as in the reference, where the order of the
// numbers changes from run to run.
func renderClozes(field string) string {
	tokens := cloze.Parse(field)
	var b strings.Builder
	work := 0
	for _, number := range cloze.Numbers(tokens) {
		if work += 2 * len(field); work > maxRendered {
			break
		}
		render(&b, tokens, number, true)
		render(&b, tokens, number, false)
	}
	return b.String()
}

// render appends one side of the card for a number.
func render(b *strings.Builder, tokens []cloze.Token, number uint16, question bool) {
	for i := 0; i < len(tokens); i++ {
		text := ""
		switch t := &tokens[i]; t.Kind {
		case cloze.Text:
			text = t.Text
		case cloze.Close:
			text = "</span>"
		case cloze.Open:
			text = "<span>"
			if _, ok := cloze.Shape(tokens, i); ok {
				text, i = "<div class></div>", t.End
			} else if question && t.Has(number) {
				text, i = "<span>["+t.Hint+"]</span>", t.End
			}
		}
		b.WriteString(text)
	}
}
