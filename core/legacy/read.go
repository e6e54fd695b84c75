package legacy

import "github.com/cardferry/cardferry/core/fault"

// NotetypeCards returns what a notetype's stored configuration says about cards: whether it is one of clozes, whether images
// of LaTeX are SVG, and its style.
func NotetypeCards(config []byte) (cloze, latexSVG bool, css string, err error) {
	var kind int64
	for m := newMessage(config, &err); m.next(); {
		switch m.num {
		case 1:
			m.int32(&kind)
		case 3:
			m.string(&css)
		case 7:
			m.bool(&latexSVG)
		}
	}
	return kind == 1, latexSVG, css, err
}

// TemplateCards returns the question and the answer of a template's stored configuration, and the deck of new cards, 0 for
// any.
func TemplateCards(config []byte) (question, answer string, deck int64, err error) {
	for m := newMessage(config, &err); m.next(); {
		switch m.num {
		case 1:
			m.string(&question)
		case 2:
			m.string(&answer)
		case 5:
			m.int64(&deck)
		}
	}
	return question, answer, max(0, deck), err
}

// NewPerDay returns the number of new cards per day of a deck configuration.
func NewPerDay(config []byte) (n int64, err error) {
	for m := newMessage(config, &err); m.next(); {
		if m.num == 9 {
			m.uint32(&n)
		}
	}
	return n, err
}

// NewLimits is what a deck says about its new cards.
type NewLimits struct {
	Filtered bool   // no limits
	ConfigID int64  // the deck configuration, whose number counts unless the deck has its own
	PerDay   *int64 // the deck's own number
	Today    *int64 // the number for this day only
	Studied  int64  // how many were studied this day
}

// DeckNewLimits reads the columns of a deck; day is today's number.
func DeckNewLimits(common, kind []byte, day int64) (l NewLimits, err error) {
	k, err := decodeKind(kind)
	if err != nil {
		return l, fault.Wrap(fault.DamagedFile, err, "kind of a deck")
	}
	c, err := decodeCommon(common)
	if err != nil {
		return l, fault.Wrap(fault.DamagedFile, err, "counters of a deck")
	}
	if k.normal == nil {
		return NewLimits{Filtered: true}, nil
	}
	l = NewLimits{ConfigID: k.normal.configID, PerDay: k.normal.newLimit}
	if t := k.normal.newLimitToday; t != nil && t.today == day {
		l.Today = &t.limit
	}
	if c.lastDay == day {
		l.Studied = c.newStudied
	}
	return l, nil
}
