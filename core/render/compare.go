package render

import (
	"strings"
	"unicode"

	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/notetext"
)

// CompareTyped returns the HTML that compares a typed answer with the expected one, which is HTML itself (§2.6). With noMarks
// combining marks do not matter.
//
// The reference takes characters that are frequent in long texts as no start of a match. That is left out: it only
// makes the colours of answers of more than 200 characters stranger.
func CompareTyped(text host.Text, expected, typed string, noMarks bool) string {
	expected = expectedText(expected)
	const open, end = "<code id=typeans>", "</code>"
	if typed == "" {
		return string(append(appendText([]byte(open), expected), end...))
	}
	var e, t []letter
	if noMarks {
		e, t = withoutMarks(text.NFKD(valid(expected))), withoutMarks(text.NFKD(valid(typed)))
		for i := range t {
			t[i].shown = string(t[i].key)
		}
	} else {
		expected = text.NFC(valid(expected))
		e, t = letters(expected), letters(text.NFC(valid(typed)))
	}
	b := []byte(open)
	if same(e, t) {
		return string(append(appendRun(b, "typeGood", expected), end...))
	}
	d := differ{typed: t, expected: e, budget: maxCompared}
	d.compare(0, len(t), 0, len(e))
	b = d.appendTyped(b)
	b = append(b, `<br><span id=typearrow>&darr;</span><br>`...)
	b = d.appendExpected(b)
	return string(append(b, end...))
}

// letter is a character to compare, and what is shown for it.
type letter struct {
	key   rune
	shown string
}

func letters(s string) []letter {
	list := make([]letter, 0, len(s))
	for _, r := range s {
		list = append(list, letter{r, string(r)})
	}
	return list
}

// withoutMarks returns the characters that are no combining marks; those that follow one are shown with it.
func withoutMarks(s string) (list []letter) {
	for _, r := range s {
		switch last := len(list) - 1; {
		case !unicode.Is(unicode.M, r):
			list = append(list, letter{r, string(r)})
		case last >= 0:
			list[last].shown += string(r)
		}
	}
	return list
}

func same(a, b []letter) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].key != b[i].key {
			return false
		}
	}
	return true
}

func valid(s string) string { return strings.ToValidUTF8(s, "\ufffd") }

// expectedText returns the text that is expected of what a field has: without what is played.
func expectedText(html string) string {
	var b strings.Builder
	x := avScanner{rest: html}
	for more := true; more; {
		var before string
		before, more = x.skip()
		b.WriteString(before)
	}
	return strings.TrimSpace(notetext.DecodeEntities(notetext.StripTags(joinLines(b.String()))))
}

// joinLines puts a space in the place of line breaks and the tags that break lines, of several in a row, too.
func joinLines(html string) string {
	var b strings.Builder
	broken := false
	for html != "" {
		n := lineBreak(html)
		if n == 0 {
			b.WriteByte(html[0])
			n = 1
			broken = false
		} else if !broken {
			b.WriteByte(' ')
			broken = true
		}
		html = html[n:]
	}
	return b.String()
}

// lineBreak returns the length of the line break that s begins with, 0 if there is none.
func lineBreak(s string) int {
	switch {
	case s[0] == '\n':
		return 1
	case s[0] != '<':
		return 0
	}
	if n := notetext.PrefixFold(s, "<br"); n > 0 {
		if n < len(s) && unicode.IsSpace(rune(s[n])) {
			n++
		}
		n += optional(s[n:], '/')
		if optional(s[n:], '>') > 0 {
			return n + 1
		}
		return 0
	}
	return max(0, notetext.PrefixFold(s, "<div>"), notetext.PrefixFold(s, "</div>"))
}

// appendText appends text, escaped for HTML.
func appendText(dst []byte, s string) []byte {
	for i := range len(s) {
		switch c := s[i]; c {
		case '&':
			dst = append(dst, "&amp;"...)
		case '<':
			dst = append(dst, "&lt;"...)
		case '>':
			dst = append(dst, "&gt;"...)
		case '"':
			dst = append(dst, "&quot;"...)
		case '\'':
			dst = append(dst, "&#x27;"...)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// appendRun appends characters of one kind. A combining mark gets a space to stand on.
func appendRun(dst []byte, class, text string) []byte {
	dst = append(append(append(dst, "<span class="...), class...), '>')
	for _, r := range text {
		if unicode.Is(unicode.M, r) {
			dst = append(dst, "\u00a0"...)
		}
		break
	}
	return append(appendText(dst, text), "</span>"...)
}
