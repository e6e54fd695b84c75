// Package cloze divides a field into clozes, {{c1::text::hint}} (study.md §2.4).
package cloze

import (
	"slices"
	"strconv"
	"strings"

	"github.com/cardferry/cardferry/core/order"
)

// Token is a piece of a field: what opens a cloze, what closes it, or text.
type Token struct {
	Kind    Kind
	Text    string   // of text
	Numbers []uint16 // of what opens: sorted, each once
	Hint    string   // of what opens; NoHint if there is none
	End     int      // of what opens: the index of the token that closes it
}

// Kind is what a token is.
type Kind uint8

// The kinds of tokens.
const (
	Text Kind = iota
	Open
	Close
)

// maxDepth is how deep clozes nest. Deeper ones are text without their opening marks, as in the reference.
const maxDepth = 10

// NoHint is what stands in the place of a cloze without a hint.
const NoHint = "..."

// Numbers returns the numbers of the clozes in a field, each once, without 0.
func Numbers(tokens []Token) (list []uint16) {
	seen := make([]bool, 1<<16)
	seen[0] = true
	for _, t := range tokens {
		for _, n := range t.Numbers {
			if !seen[n] {
				seen[n] = true
				list = append(list, n)
			}
		}
	}
	return list
}

// Parse divides a field. A cloze that is not closed is left out with all that follows.
func Parse(field string) []Token {
	var tokens []Token
	var open []int // the clozes that are open at this place
	text := func(s string) {
		if s == "" {
			return
		}
		if len(open) > 0 {
			// The text of a cloze ends at a "::"; what comes behind is its hint, the last one if there are several.
			before, hint, ok := strings.Cut(s, "::")
			if ok {
				tokens[open[len(open)-1]].Hint = hint
			}
			s = before
		}
		tokens = append(tokens, Token{Kind: Text, Text: s})
	}
	start := 0 // of the text that is not in tokens yet
	for i := 0; i < len(field); {
		switch numbers, size := opening(field[i:]); {
		case size > 0:
			text(field[start:i])
			if len(open) < maxDepth {
				open = append(open, len(tokens))
				tokens = append(tokens, Token{Kind: Open, Numbers: numbers, Hint: NoHint})
			}
			i += size
			start = i
		case strings.HasPrefix(field[i:], "}}") && len(open) > 0:
			text(field[start:i])
			tokens[open[len(open)-1]].End = len(tokens)
			open = open[:len(open)-1]
			tokens = append(tokens, Token{Kind: Close})
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

// opening returns the numbers and the length of "{{c1,2::" at the beginning of s; the length is 0 if there is none.
// Numbers that do not fit 16 bits do not count.
func opening(s string) (numbers []uint16, size int) {
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
			order.By(len(numbers), func(i, j int) bool { return numbers[i] < numbers[j] }, func(i, j int) { numbers[i], numbers[j] = numbers[j], numbers[i] })
			return slices.Compact(numbers), i + len("::")
		default:
			return nil, 0
		}
	}
	return nil, 0
}

// Has reports whether a cloze that opens here has a number.
func (t *Token) Has(number uint16) bool { return slices.Contains(t.Numbers, number) }

// AppendNumbers appends the numbers of a cloze, with commas between them.
func (t *Token) AppendNumbers(dst []byte) []byte {
	for i, n := range t.Numbers {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendUint(dst, uint64(n), 10)
	}
	return dst
}

// HasNumber reports whether any cloze of a field has a number.
func HasNumber(tokens []Token, number uint16) bool {
	for i := range tokens {
		if tokens[i].Has(number) {
			return true
		}
	}
	return false
}

// Occlusion is what the text of an image occlusion's shape begins with.
const Occlusion = "image-occlusion:"

// Shape returns what is written of the shape of an image occlusion, if the cloze that opens at tokens[i] is one. All else
// in it does not count.
func Shape(tokens []Token, i int) (text string, ok bool) {
	if next := &tokens[i+1]; next.Kind == Text {
		return strings.CutPrefix(next.Text, Occlusion)
	}
	return "", false
}
