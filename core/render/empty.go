package render

import "strings"

// whitespace is what counts as white space in fields: ASCII only.
const whitespace = " \t\n\v\f\r"

// isEmpty reports whether a field counts as empty (§1.1): it has nothing but white space, <br> and <div>, in these
// spellings. Only what an editor leaves behind in a field that was emptied is meant.
func isEmpty(field string) bool {
	for {
		field = strings.TrimLeft(field, whitespace)
		if field == "" {
			return true
		}
		n := emptyTag(field)
		if n == 0 {
			return false
		}
		field = field[n:]
	}
}

// emptyTag returns the length of the tag that field begins with, 0 if it is not one of those that do not count: an optional
// slash, a name, an optional space, an optional slash.
func emptyTag(field string) int {
	if field[0] != '<' {
		return 0
	}
	i := 1
	i += optional(field[i:], '/')
	switch s := field[i:]; {
	case len(s) >= 2 && strings.EqualFold(s[:2], "br"):
		i += 2
	case len(s) >= 3 && strings.EqualFold(s[:3], "div"):
		i += 3
	default:
		return 0
	}
	i += optional(field[i:], ' ')
	i += optional(field[i:], '/')
	if optional(field[i:], '>') == 0 {
		return 0
	}
	return i + 1
}

// optional returns 1 if s begins with c.
func optional(s string, c byte) int {
	if s != "" && s[0] == c {
		return 1
	}
	return 0
}
