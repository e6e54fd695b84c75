package render

import (
	"strings"

	"github.com/cardferry/cardferry/core/cloze"
)

// appendShape appends the element of a shape of an image occlusion. The number 0 is that of a shape that is shown on both
// sides of all cards. Values go in as they are written: the reference's script relies on it, and a card can have any HTML
// anyway.
func (s *clozeSide) appendShape(dst []byte, t *cloze.Token, shape string, active bool) []byte {
	dst = append(dst, `<div class="cloze`...)
	switch {
	case t.Has(0), active && s.question:
	case active:
		dst = append(dst, "-highlight"...)
	default:
		dst = append(dst, "-inactive"...)
	}
	dst = append(t.AppendNumbers(append(dst, `" data-ordinal="`...)), '"', ' ')
	kind, rest, ok := strings.Cut(shape, ":")
	switch kind {
	case "rect", "ellipse", "polygon", "text":
		if ok {
			dst = append(append(append(dst, `data-shape="`...), kind...), '"', ' ')
		}
	}
	for ok && rest != "" {
		var key, value string
		if key, value, rest, ok = property(rest); !ok {
			break
		}
		name := key
		switch key {
		case "left", "top", "width", "height", "rx", "ry", "points", "text", "scale", "angle":
		case "fs":
			name = "font-size"
		case "oi":
			name = "occludeInactive"
		default:
			continue
		}
		dst = append(append(append(dst, "data-"...), name...), '=', '"')
		if key == "text" {
			dst = appendAttribute(dst, value)
		} else {
			dst = append(dst, value...)
		}
		dst = append(dst, '"', ' ')
	}
	return append(dst, "></div>"...)
}

// property divides "key=value:rest". In the value a backslash stands before a colon and another backslash; before anything
// else it makes the rest unreadable.
func property(s string) (key, value, rest string, ok bool) {
	key, s, ok = strings.Cut(s, "=")
	if !ok || key == "" {
		return "", "", "", false
	}
	var b []byte
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case ':':
			return key, string(b), s[i+1:], len(b) > 0
		case '\\':
			if i++; i == len(s) || s[i] != ':' && s[i] != '\\' {
				return "", "", "", false
			}
			b = append(b, s[i])
		default:
			b = append(b, c)
		}
	}
	return key, string(b), "", len(b) > 0
}
