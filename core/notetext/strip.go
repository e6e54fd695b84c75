package notetext

import "strings"

// Strip returns the text of a field without its mark-up: media elements become the names of their files between
// spaces, tags go, entities become characters (collection-format.md §5.2). Nothing is trimmed.
//
// The reference defines this by regular expressions. They are written out here, so that any text takes time in
// proportion to its length, and so that the guest does without package regexp.
func Strip(html string) string {
	if strings.IndexByte(html, '<') >= 0 {
		html = StripTags(replaceMedia(html))
	}
	return DecodeEntities(html)
}

// StripTags deletes comments, style and script blocks and tags, in one pass from the left.
func StripTags(s string) string {
	i := strings.IndexByte(s, '<')
	if i < 0 {
		return s
	}
	var dst []byte // nil until something is deleted
	blocks := blocks{text: s}
	copied := 0
	for i >= 0 {
		end := blocks.end(i)
		switch {
		case end < 0:
			// No '>' follows, so that no later '<' begins a tag either.
			if dst == nil {
				return s
			}
			return string(append(dst, s[copied:]...))
		case dst == nil:
			dst = make([]byte, 0, len(s))
		}
		dst = append(dst, s[copied:i]...)
		copied = end
		if i = strings.IndexByte(s[end:], '<'); i >= 0 {
			i += end
		}
	}
	return string(append(dst, s[copied:]...))
}

// blocks finds the ends of what StripTags deletes. A closing mark that was looked for and is not in the rest of the
// text is not looked for again: otherwise a text of nothing but "<style>" would take quadratic time.
type blocks struct {
	text                         string
	noComment, noStyle, noScript bool
}

// end returns the end of the comment, block or tag that begins at s[i], which is '<'; -1 if there is none.
func (b *blocks) end(i int) int {
	s := b.text
	if strings.HasPrefix(s[i:], "<!--") && !b.noComment {
		if n := strings.Index(s[i+4:], "-->"); n >= 0 {
			return i + 4 + n + 3
		}
		b.noComment = true
	}
	n := strings.IndexByte(s[i+1:], '>')
	if n < 0 {
		return -1
	}
	tag := i + 1 + n + 1
	if end := closing(s, i, tag, "<style", "</style>", &b.noStyle); end >= 0 {
		return end
	}
	if end := closing(s, i, tag, "<script", "</script>", &b.noScript); end >= 0 {
		return end
	}
	return tag
}

// closing returns the end of the block whose opening tag is s[i:tag], -1 if it does not begin with open or if nothing
// closes it. A '>' that comes before the end of the name closes nothing: open has none.
func closing(s string, i, tag int, open, close string, none *bool) int {
	if *none || PrefixFold(s[i:tag], open) < 0 {
		return -1
	}
	for k := tag; ; k++ {
		n := strings.IndexByte(s[k:], '<')
		if n < 0 {
			*none = true
			return -1
		}
		k += n
		if n := PrefixFold(s[k:], close); n >= 0 {
			return k + n
		}
	}
}

// PrefixFold returns the length of the prefix of s that is equal to the lower-case ASCII word, -1 if there is none.
// Case is ignored as in a Unicode-aware regular expression: U+017F is an s. No word here has a k, for which U+212A
// would be another.
func PrefixFold(s, word string) int {
	i := 0
	for _, w := range []byte(word) {
		if i >= len(s) {
			return -1
		}
		switch c := s[i]; {
		case c == w, 'A' <= c && c <= 'Z' && c+'a'-'A' == w:
			i++
		case w == 's' && strings.HasPrefix(s[i:], "ſ"):
			i += len("ſ")
		default:
			return -1
		}
	}
	return i
}
