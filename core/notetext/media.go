package notetext

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// EachMedia calls yield for each media element of a field, with the name of its file as it is written and where the
// element begins and ends, until yield returns false. An element matches what a backtracking engine finds for
//
//	<(?:img|audio|video|object|source)\b
//	(?:[^>]|"[^"]+?"|'[^']+?')+?
//	\b(?:src|data)=
//	(?:"([^"]+?)"[^>]*>|'([^']+?)'[^>]*>|([^>]+?)(?: [^>]*>|>))
//
// without regard to case (collection-format.md §5.2, media-sync.md §11.1). It takes time in proportion to the length.
func EachMedia(html string, yield func(name string, start, end int) bool) {
	m := media{text: html, lastGT: strings.LastIndexByte(html, '>')}
	for i := strings.IndexByte(html, '<'); i >= 0 && i < m.lastGT; {
		if name, end, ok := m.element(i); ok {
			if !yield(name, i, end) {
				return
			}
			i = end - 1
		}
		n := strings.IndexByte(html[i+1:], '<')
		if n < 0 {
			return
		}
		i += 1 + n
	}
}

// replaceMedia replaces each media element by the name of its file between spaces.
func replaceMedia(s string) string {
	var dst []byte
	copied := 0
	EachMedia(s, func(name string, start, end int) bool {
		dst = append(dst, s[copied:start]...)
		dst = append(append(append(dst, ' '), name...), ' ')
		copied = end
		return true
	})
	if dst == nil {
		return s
	}
	return string(append(dst, s[copied:]...))
}

// media finds media elements. What can follow a place in the middle of an element does not depend on where the
// element began. So a place from which no name can be reached is marked, and never tried again: each place of the
// text is tried once, whatever the number of elements, quotes and attributes.
type media struct {
	text   string
	lastGT int    // the last '>'; no element can end behind it
	failed []bool // by index into text; nil until the first failure
	quotes []int  // quotes passed on the current attempt, from which the search can be taken up again
}

// element returns the name and the end of the media element that begins at the '<' at i.
func (m *media) element(i int) (name string, end int, ok bool) {
	p := i + 1
	n := -1
	for _, tag := range [...]string{"img", "audio", "video", "object", "source"} {
		if n = PrefixFold(m.text[p:], tag); n >= 0 {
			break
		}
	}
	if n < 0 || m.isWordAt(p+n) {
		return "", 0, false
	}
	// The first unit may not be skipped, but no attribute begins right behind a tag's name anyway: there is no
	// word boundary between a letter and "src".
	return m.search(p + n)
}

// search looks for the attribute in the order of a backtracking engine: first one character after the other up to
// a '>', then again from the last quote passed, taking what is quoted as one unit, and so on.
func (m *media) search(p int) (name string, end int, ok bool) {
	m.quotes = m.quotes[:0]
	for p >= 0 {
		start := p
		for ; p < m.lastGT && m.text[p] != '>' && !m.hasFailed(p); p++ {
			switch m.text[p] {
			case 's', 'S', 'd', 'D', "ſ"[0]:
				if name, end, ok = m.attribute(p); ok {
					return name, end, true
				}
			case '"', '\'':
				m.quotes = append(m.quotes, p)
			}
		}
		m.fail(start, p)
		p = m.retry()
	}
	return "", 0, false
}

func (m *media) hasFailed(p int) bool { return m.failed != nil && m.failed[p] }

func (m *media) fail(from, to int) {
	if m.failed == nil {
		m.failed = make([]bool, len(m.text))
	}
	for i := from; i < to; i++ {
		m.failed[i] = true
	}
}

// retry takes the last quote off the list and returns where what it quotes ends; it goes on with the quote before if
// nothing is quoted. It returns -1 when there is no quote left.
func (m *media) retry() int {
	for len(m.quotes) > 0 {
		q := m.quotes[len(m.quotes)-1]
		m.quotes = m.quotes[:len(m.quotes)-1]
		if n := strings.IndexByte(m.text[q+1:], m.text[q]); n > 0 {
			return q + 1 + n + 1
		}
	}
	return -1
}

// attribute returns the name of the file and the end of the element if an attribute with a file begins at p.
func (m *media) attribute(p int) (name string, end int, ok bool) {
	n := PrefixFold(m.text[p:], "src=")
	if n < 0 {
		n = PrefixFold(m.text[p:], "data=")
	}
	if n < 0 || m.isWordBefore(p) {
		return "", 0, false
	}
	p += n
	if p >= m.lastGT || m.text[p] == '>' {
		return "", 0, false
	}
	if name, end, ok = m.quoted(p); ok {
		return name, end, true
	}
	// Unquoted, the name has at least one character, which may be a space, and ends before a space or the '>'.
	_, size := utf8.DecodeRuneInString(m.text[p:])
	stop := p + size + strings.IndexAny(m.text[p+size:], " >")
	return m.text[p:stop], m.after(stop), true
}

// quoted is attribute for a name in quotes; what they quote may contain '>'.
func (m *media) quoted(p int) (name string, end int, ok bool) {
	quote := m.text[p]
	if quote != '"' && quote != '\'' {
		return "", 0, false
	}
	n := strings.IndexByte(m.text[p+1:], quote)
	stop := p + 1 + n
	if n <= 0 || stop > m.lastGT {
		return "", 0, false
	}
	return m.text[p+1 : stop], m.after(stop), true
}

// after returns the place behind the next '>' at p or later; there is one.
func (m *media) after(p int) int { return p + strings.IndexByte(m.text[p:], '>') + 1 }

func (m *media) isWordAt(p int) bool {
	r, _ := utf8.DecodeRuneInString(m.text[p:])
	return isWord(r)
}

func (m *media) isWordBefore(p int) bool {
	r, _ := utf8.DecodeLastRuneInString(m.text[:p])
	return isWord(r)
}

// isWord reports whether r is a word character of a Unicode-aware regular expression (UTS #18, annex C).
func isWord(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '_'
	}
	return unicode.In(r, unicode.L, unicode.M, unicode.Nd, unicode.Nl, unicode.Pc, unicode.Other_Alphabetic, unicode.Join_Control)
}
