package render

// Raw renders both sides without looking for sounds, LaTeX and typed answers, as the vectors have them.
func Raw(c *Card) *Sides {
	s := &Sides{}
	r := newCard(c)
	s.Err = r.render(s, func(html string, _ Side) string { return html })
	return s
}

// Untyped renders both sides with the marks of typed answers as they are.
func Untyped(c *Card) *Sides { return c.sides() }
