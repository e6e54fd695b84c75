package render

import "strings"

// Typed is what a card asks to type in. In the question and the answer Marker stands for the input and the comparison
// (CompareTyped).
type Typed struct {
	Marker   string `json:"marker"`
	Field    string `json:"field"`
	Expected string `json:"expected"` // HTML
	NoMarks  bool   `json:"nc"`       // combining marks do not matter
}

const typedOpen, typedClose = "[[type:", "]]"

// typed finds the marker of the question; only the first one counts (§2.6). All others go, and so does it when nothing is
// expected or its field is unknown.
func (c *Card) typed(s *Sides) *Typed {
	marker, ok := typedMarker(s.Question)
	if !ok {
		if marker, ok = typedMarker(s.Answer); !ok {
			return nil
		}
	}
	t := &Typed{Marker: marker, Field: strings.TrimSuffix(strings.TrimPrefix(marker, typedOpen), typedClose)}
	field, isCloze := strings.CutPrefix(t.Field, "cloze:")
	if !isCloze {
		field, t.NoMarks = strings.CutPrefix(t.Field, "nc:")
	}
	t.Field = field
	if i := c.Notetype.field(field); i >= 0 && i < len(c.Fields) {
		t.Expected = c.Fields[i]
	}
	if isCloze {
		t.Expected = typedCloze(t.Expected, c.Ord+1)
	}
	keep := marker
	if t.Expected == "" {
		t, keep = nil, ""
	}
	s.Question, s.Answer = onlyMarker(s.Question, keep), onlyMarker(s.Answer, keep)
	return t
}

// typedMarker returns the first marker of a side.
func typedMarker(html string) (marker string, ok bool) {
	i := strings.Index(html, typedOpen)
	if i < 0 {
		return "", false
	}
	n := strings.Index(html[i:], typedClose)
	if n < 0 {
		return "", false
	}
	return html[i : i+n+len(typedClose)], true
}

// onlyMarker removes all markers from a side but the first, and that one unless it is the one to keep.
func onlyMarker(html, keep string) string {
	var b strings.Builder
	for {
		marker, ok := typedMarker(html)
		if !ok {
			b.WriteString(html)
			return b.String()
		}
		before, after, _ := strings.Cut(html, marker)
		b.WriteString(before)
		if marker == keep {
			b.WriteString(marker)
			keep = ""
		}
		html = after
	}
}
