package render

import (
	"strconv"
	"strings"

	"github.com/cardferry/cardferry/core/mediaref"
)

// Card is a card to render: of a note in a collection, or one that an editor shows before it is stored.
type Card struct {
	Notetype *Notetype
	Ord      int
	Fields   []string
	Tags     []string
	Deck     string // the full name of the home deck
	Flag     int    // 0 to 7
	ID       int64  // 0 if it is not stored
}

// Sides is what a card shows.
type Sides struct {
	Question, Answer     string // HTML
	QuestionAV, AnswerAV []AV
	Empty                Empty
	Typed                *Typed // nil unless the question asks for a typed answer
	Err                  *Error // why there is neither question nor answer, or nil
}

// Empty is why there is nothing to ask. The question is what there is of it then, and the answer is empty; a program says so
// in its own words, where the reference has a text in its own language.
type Empty string

// The reasons.
const (
	BlankFront Empty = "blank_front" // the front shows no field that has content
	NoNumber   Empty = "no_number"   // no cloze has the card's number
)

// Render renders both sides of a card. Every mistake of a template is in the result: nothing else can fail.
func Render(c *Card) *Sides {
	s := c.sides()
	if s.Err == nil {
		s.Typed = c.typed(s)
	}
	return s
}

// sides renders a card but for its typed answer.
func (c *Card) sides() *Sides {
	s := &Sides{}
	r := newCard(c)
	s.Err = r.render(s, func(html string, side Side) string {
		text, list := extractAV(html, side)
		if side == Front {
			s.QuestionAV = list
		} else {
			s.AnswerAV = list
		}
		return text
	})
	if s.Err != nil {
		return &Sides{Err: s.Err}
	}
	s.Question, s.Answer = c.latex(s.Question), c.latex(s.Answer)
	return s
}

// card is the state of rendering one.
type card struct {
	*Card
	note      note
	ord       int
	side      Side
	frontSide string // what {{FrontSide}} stands for
	work      int    // bytes that tags and filters had to do with on this side
}

func newCard(c *Card) card { return card{Card: c, note: newNote(c.Notetype, c.Fields), ord: c.Ord} }

// render renders the question, then the answer; the reference looks at the answer only if all is well with the question.
// finish completes a side, before the answer takes over the question.
func (c *card) render(s *Sides, finish func(html string, side Side) string) (err *Error) {
	if s.Question, err = c.renderSide(s, Front, c.template().Front); err != nil {
		return err
	}
	s.Question = finish(s.Question, Front)
	if s.Empty != "" {
		return nil
	}
	c.frontSide = s.Question
	if s.Answer, err = c.renderSide(s, Back, c.template().Back); err == nil {
		s.Answer = finish(s.Answer, Back)
	}
	return err
}

// template returns the template of the card: there is only one for clozes. A card of a template that is gone has none.
func (c *card) template() (t Template) {
	ord := c.ord
	if c.Notetype.Cloze {
		ord = 0
	}
	if ord >= 0 && ord < len(c.Notetype.Templates) {
		t = c.Notetype.Templates[ord]
	}
	return t
}

// renderSide renders a side, and on the front looks whether there is anything to ask.
func (c *card) renderSide(s *Sides, side Side, text string) (string, *Error) {
	t, err := c.Notetype.parseSide(side, text)
	if err != nil {
		return "", err
	}
	c.side, c.work = side, 0
	if side == Front {
		s.Empty = c.emptiness(t)
	}
	var b strings.Builder
	err = c.expand(&b, t)
	return b.String(), err
}

// emptiness tells whether a front asks nothing. Of clozes only the number counts, whatever the front shows.
func (c *card) emptiness(front template) Empty {
	switch {
	case !c.Notetype.Cloze:
		if !front.shows(c.filled) {
			return BlankFront
		}
	case !c.hasNumber():
		return NoNumber
	}
	return ""
}

func (c *card) hasNumber() bool {
	for _, field := range c.Fields {
		if _, ok := parseClozes(field, c.ord+1, Front); ok {
			return true
		}
	}
	return false
}

// maxWork bounds what is done for a side, in bytes: a template may repeat a long field, and filters, as often as it likes.
const maxWork = 16 << 20

// expand writes a template. Unknown fields are mistakes also where a conditional hides them.
func (c *card) expand(b *strings.Builder, t template) *Error {
	hidden := -1 // up to this node nothing is shown
	for i := range t {
		n := &t[i]
		switch n.kind {
		case literal:
			if i > hidden {
				b.WriteString(n.text)
			}
		case replace:
			text, ok := c.replacement(n, i <= hidden)
			if !ok {
				return unknown(n, c.side)
			}
			b.WriteString(text)
			if c.work += len(text); c.work > maxWork {
				return &Error{Side: c.side, Problem: TooLong, Tag: "{{" + n.text + "}}", Field: n.text}
			}
		case ifFilled, ifEmpty:
			filled, ok := c.isFilled(n.text)
			if !ok && !isClozeKey(n.text) {
				return unknown(n, c.side)
			}
			if i > hidden && filled != (n.kind == ifFilled) {
				hidden = n.end
			}
		}
	}
	return nil
}

// replacement returns what a tag stands for, nothing if it is hidden; ok is false if it names no field.
func (c *card) replacement(n *node, hidden bool) (text string, ok bool) {
	switch {
	case n.text == "" && n.filtered:
		return "", true
	case n.text == "FrontSide":
		text, ok = c.frontSide, true
	default:
		if text, ok = c.content(n.text); ok && n.filtered && !hidden {
			text = c.filter(n, text)
		}
	}
	if hidden {
		text = ""
	}
	return text, ok
}

func (c *card) filled(key string) bool {
	filled, _ := c.isFilled(key)
	return filled
}

// isFilled reports whether a field or special field has content; ok is false if there is none of this name.
func (c *card) isFilled(key string) (filled, ok bool) {
	if i := c.note.field(key); i >= 0 {
		return c.note.filled[i], true
	}
	content, ok := c.content(key)
	return !isEmpty(content), ok
}

// content returns the content of a field or special field (§2.2); ok is false if there is none of this name. A field hides a
// special one.
func (c *card) content(key string) (content string, ok bool) {
	if i := c.note.field(key); i >= 0 {
		return c.note.fields[i], true
	}
	switch key {
	case "Tags":
		return strings.Join(c.Tags, " "), true
	case "Type":
		return c.Notetype.Name, true
	case "Deck":
		return c.Deck, true
	case "Subdeck":
		i := strings.LastIndex("::"+c.Deck, "::") // one colon is part of a name
		return c.Deck[i:], true
	case "Card":
		return c.template().Name, true
	case "CardFlag":
		return "flag" + strconv.Itoa(c.Flag), true
	case "CardID":
		return strconv.FormatInt(c.ID, 10), true
	case "c" + strconv.Itoa(c.ord+1):
		return "1", true
	}
	return "", false
}

// latex replaces LaTeX by the images of it, which may exist or not (§2.6).
func (c *Card) latex(html string) string {
	if !strings.Contains(html, "[/") {
		return html
	}
	var b []byte
	copied := 0
	mediaref.EachLatex(html, func(body string, start, end int) bool {
		b = append(append(b, html[copied:start]...), `<img class=latex alt="`...)
		b = append(appendAttribute(b, body), `" src="`...)
		b = append(append(b, mediaref.LatexName(body, c.Notetype.LatexSVG)...), `">`...)
		copied = end
		return true
	})
	return string(append(b, html[copied:]...))
}
