package mediaref

import (
	"slices"
	"strings"
)

// maxRendered bounds how much text a field's clozes are rendered to, in bytes: a field has as many numbers as its author
// likes, and each takes the whole field twice. It is 100 numbers in a field of 20 KiB, 500 in one of 4.
const maxRendered = 4 << 20

// A clozeToken is a piece of a field: what opens a cloze, what closes it, or text.
type clozeToken struct {
	kind    clozeKind
	text    string   // of text
	numbers []uint16 // of what opens
	hint    string   // of what opens; "..." if there is none
	end     int      // of what opens: the index of the token that closes it
}

type clozeKind uint8

const (
	clozeText clozeKind = iota
	clozeOpen
	clozeClose
)

// renderClozes returns what the cards of a field with clozes show of it: for each number the question and the answer, all
// in one text. Every cloze is put into <span>, in which the reference has attributes, too; tags are all that matters.
//
// LaTeX that is opened in one side and closed in the next thus counts, as in the reference, where the order of the
// numbers changes from run to run.
func renderClozes(field string) string {
	tokens := parseClozes(field)
	var b strings.Builder
	work := 0
	for _, number := range numbersOf(tokens) {
		if work += 2 * len(field); work > maxRendered {
			break
		}
		render(&b, tokens, number, true)
		render(&b, tokens, number, false)
	}
	return b.String()
}

// numbersOf returns the numbers for which there are cards, each once.
func numbersOf(tokens []clozeToken) (list []uint16) {
	seen := make([]bool, 1<<16)
	seen[0] = true
	for _, t := range tokens {
		for _, n := range t.numbers {
			if !seen[n] {
				seen[n] = true
				list = append(list, n)
			}
		}
	}
	return list
}

// parseClozes divides a field. A cloze that is not closed is left out with all that follows.
func parseClozes(field string) []clozeToken {
	var tokens []clozeToken
	var open []int // the clozes that are open at this place
	text := func(s string) {
		if s == "" {
			return
		}
		if len(open) > 0 {
			// The text of a cloze ends at a "::"; what comes behind is its hint, the last one if there are several.
			before, hint, ok := strings.Cut(s, "::")
			if ok {
				tokens[open[len(open)-1]].hint = hint
			}
			s = before
		}
		tokens = append(tokens, clozeToken{kind: clozeText, text: s})
	}
	start := 0 // of the text that is not in tokens yet
	for i := 0; i < len(field); {
		switch numbers, size := clozeOpening(field[i:]); {
		case size > 0:
			text(field[start:i])
			open = append(open, len(tokens))
			tokens = append(tokens, clozeToken{kind: clozeOpen, numbers: numbers, hint: "..."})
			i += size
			start = i
		case strings.HasPrefix(field[i:], "}}") && len(open) > 0:
			text(field[start:i])
			tokens[open[len(open)-1]].end = len(tokens)
			open = open[:len(open)-1]
			tokens = append(tokens, clozeToken{kind: clozeClose})
			i += len("}}")
			start = i
		default:
			i++
		}
	}
	text(field[start:])
	if len(open) > 0 {
		return tokens[:open[0]]
	}
	return tokens
}

// clozeOpening returns the numbers and the length of "{{c1,2::" at the beginning of s; the length is 0 if there is none.
// Numbers that do not fit 16 bits do not count.
func clozeOpening(s string) (numbers []uint16, size int) {
	const open = "{{c"
	if !strings.HasPrefix(s, open) {
		return nil, 0
	}
	n, digits, tooLarge := 0, false, false
	for i := len(open); i < len(s); i++ {
		switch c := s[i]; {
		case '0' <= c && c <= '9':
			n = n*10 + int(c-'0')
			digits = true
			if n > 0xffff {
				n, tooLarge = 0, true
			}
		case c == ',' || c == ':':
			if digits && !tooLarge {
				numbers = append(numbers, uint16(n))
			}
			n, digits, tooLarge = 0, false, false
			if c == ',' {
				continue
			}
			if len(numbers) == 0 || !strings.HasPrefix(s[i:], "::") {
				return nil, 0
			}
			return numbers, i + len("::")
		default:
			return nil, 0
		}
	}
	return nil, 0
}

// render appends one side of the card for a number.
func render(b *strings.Builder, tokens []clozeToken, number uint16, question bool) {
	for i := 0; i < len(tokens); i++ {
		text := ""
		switch t := &tokens[i]; t.kind {
		case clozeText:
			text = t.text
		case clozeClose:
			text = "</span>"
		case clozeOpen:
			text = "<span>"
			switch {
			case isOcclusion(tokens[i+1]):
				text, i = "<div class></div>", t.end
			case question && slices.Contains(t.numbers, number):
				text, i = "<span>["+t.hint+"]</span>", t.end
			}
		}
		b.WriteString(text)
	}
}

// isOcclusion reports whether a cloze whose first token is t is the shape of an image occlusion.
func isOcclusion(t clozeToken) bool {
	return t.kind == clozeText && strings.HasPrefix(t.text, "image-occlusion:")
}
