package mediaref

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/cardferry/cardferry/core/notetext"
)

// Static is a media file named by a card template or by a notetype's style: literally, not through a field.
type Static struct {
	// Readings are the names that can be meant, the likeliest first: what is written may be percent-encoded and have a
	// query behind it, or not.
	Readings []string
}

// Name is the likeliest name of the file.
func (s Static) Name() string { return s.Readings[0] }

// Template returns the files that one side of a card template names, each once: in the HTML elements that fields have
// (§11.1) and in [sound:…]; in the styles within it; and wherever a name that begins with "_", as static files are called
// by convention, is quoted or the value of an attribute. What stands in comments does not count.
//
// The reference looks for such names only to export them, and otherwise (§11.2): it takes any quoted text that begins
// with "_", also "_blank", and none without it.
func Template(html string) []Static {
	var c collector
	html = without(html, "<!--", "-->")
	notetext.EachMedia(html, func(name string, _, _ int) bool {
		c.add(name, false)
		return true
	})
	sounds(html, func(name string) { c.add(name, false) })
	c.conventional(html)
	c.style(html)
	return c.list
}

// Style returns the files that a style names, each once: in url(…) and after @import.
func Style(css string) []Static {
	var c collector
	c.style(css)
	return c.list
}

// maxWritten bounds how far the end of a name is looked for.
const maxWritten = 512

// collector gathers names.
type collector struct {
	list []Static
	seen map[string]bool
}

// add adds the file that a name in a text stands for, unless it is not literal or none of ours.
func (c *collector) add(raw string, isURL bool) {
	name := strings.TrimSpace(notetext.DecodeEntities(raw))
	plain := name
	if i := strings.IndexAny(plain, "?#"); i >= 0 {
		plain = plain[:i]
	}
	decoded := unescape(plain)
	if !isFile(plain) || !isFile(decoded) || strings.ContainsAny(name, "{}") || strings.Contains(name, "<%") {
		return
	}
	s := Static{[]string{name}}
	if isURL || strings.Contains(name, "?") {
		s.Readings[0] = decoded
	}
	if c.seen[s.Name()] {
		return
	}
	if c.seen == nil {
		c.seen = map[string]bool{}
	}
	c.seen[s.Name()] = true
	for _, other := range [...]string{plain, decoded, name} {
		if !slices.Contains(s.Readings, other) {
			s.Readings = append(s.Readings, other)
		}
	}
	c.list = append(c.list, s)
}

// isFile reports whether name can be that of a media file: no address, no path.
func isFile(name string) bool {
	if name == "" || len(name) > 255 || strings.ContainsAny(name, "/\\\n") {
		return false
	}
	scheme, _, ok := strings.Cut(name, ":")
	return !ok || strings.ContainsFunc(scheme, func(r rune) bool { return !isSchemeRune(r) })
}

func isSchemeRune(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '+' || r == '-' || r == '.'
}

// hasExtension reports whether name ends in a dot and a few letters or digits.
func hasExtension(name string) bool {
	i := strings.LastIndexByte(name, '.')
	return i > 0 && i < len(name)-1 && len(name)-i <= len(".woff2")+1 &&
		!strings.ContainsFunc(name[i+1:], func(r rune) bool { return r == '+' || r == '-' || r == '.' || !isSchemeRune(r) })
}

// conventional adds names like "_file.ext": those between quotes, and those right behind a "=". Others that begin with
// "_" are mostly no files ("_blank").
func (c *collector) conventional(html string) {
	for i := 0; i+1 < len(html); i++ {
		if html[i+1] != '_' {
			continue
		}
		stop := ""
		switch html[i] {
		case '"', '\'':
			stop = html[i:i+1] + "\n<>"
		case '=':
			stop = " \t\n>\"'"
		default:
			continue
		}
		rest := html[i+1:]
		n := strings.IndexAny(rest[:min(len(rest), maxWritten)], stop)
		if n < 0 {
			continue
		}
		name := rest[:n]
		if plain, _, _ := strings.Cut(name, "?"); hasExtension(plain) && !strings.ContainsAny(name, "${}()") {
			c.add(name, false)
		}
	}
}

// style adds what a style, or the styles in a text, refer to. A name without "_" in front needs an extension there, since a
// script may have something that looks like it.
func (c *collector) style(css string) {
	css = without(css, "/*", "*/")
	for i := 0; i < len(css); i++ {
		n := notetext.PrefixFold(css[i:], "url(")
		end := ")"
		if n < 0 {
			if n = notetext.PrefixFold(css[i:], "@import"); n < 0 {
				continue
			}
			end = ""
		}
		rest := strings.TrimLeft(css[i+n:min(len(css), i+n+maxWritten)], " \t\n")
		if rest != "" && (rest[0] == '"' || rest[0] == '\'') {
			rest, end = rest[1:], rest[:1]
		}
		if end == "" {
			continue
		}
		stop := strings.IndexAny(rest, end+"\n")
		if stop < 0 {
			continue
		}
		if name := rest[:stop]; strings.HasPrefix(strings.TrimSpace(name), "_") || hasExtension(strings.TrimSpace(name)) || strings.ContainsAny(name, "?#") {
			c.add(name, true)
		}
	}
}

// without returns s without comments. One that is not closed goes to the end.
func without(s, open, close string) string {
	if !strings.Contains(s, open) {
		return s
	}
	var b strings.Builder
	for {
		before, after, ok := strings.Cut(s, open)
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		if _, s, ok = strings.Cut(after, close); !ok {
			return b.String()
		}
		b.WriteByte(' ')
	}
}

// unescape decodes percent-encoding; what is none, or would not be UTF-8, stays.
func unescape(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if c, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(c))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	if decoded := b.String(); utf8.ValidString(decoded) {
		return decoded
	}
	return s
}
