package legacy

import "github.com/cardferry/cardferry/core/fault"

// NotetypeMedia returns what a notetype's stored configuration says about media: its style, and whether images of LaTeX
// are SVG.
func NotetypeMedia(config []byte) (css string, latexSVG bool, err error) {
	for m := newMessage(config, &err); m.next(); {
		switch m.num {
		case 3:
			m.string(&css)
		case 7:
			m.bool(&latexSVG)
		}
	}
	return css, latexSVG, err
}

// TemplateSides returns the question and the answer of a template's stored configuration.
func TemplateSides(config []byte) (question, answer string, err error) {
	for m := newMessage(config, &err); m.next(); {
		switch m.num {
		case 1:
			m.string(&question)
		case 2:
			m.string(&answer)
		}
	}
	return question, answer, err
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
