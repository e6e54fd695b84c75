package edit

import (
	"strings"

	"github.com/cardferry/cardferry/core/jsontext"
	"github.com/cardferry/cardferry/core/wire"
)

// dueDays is a parsed Op.Due.
type dueDays struct {
	from, to int64
	interval bool // it becomes the days, too
}

// maxDays is the longest interval of the reference.
const maxDays = 36500

func parseDue(s string) (d dueDays, err error) {
	text, interval := strings.CutSuffix(s, "!")
	from, to, ranged := strings.Cut(text, "-")
	a, ok := jsontext.IntIn([]byte(from), 0, maxDays)
	b := a
	if ok && ranged {
		b, ok = jsontext.IntIn([]byte(to), 0, maxDays)
	}
	if !ok {
		return d, invalid("the due date %q is not one like \"0\", \"3\", \"1-7\" or \"3!\"", s)
	}
	return dueDays{min(a, b), max(a, b), interval}, nil
}

// setDue makes a card one to review on a day (§5).
func (x *cardChange) setDue(c *wire.Card) error {
	data := wire.ParseCardMembers(c.Data)
	after := x.due.from + x.random(x.due.to-x.due.from+1)
	day := x.study.Today + after
	was := c.Interval
	switch {
	case x.study.FSRS:
		c.Interval = uint32(x.sinceReview(c, &data, day))
	case c.Type < typeReview || x.due.interval:
		c.Interval = uint32(max(1, after))
	}
	if c.Type == typeNew {
		data.SetInt(wire.CardPos, max(0, int64(homeDue(c))))
	}
	if c.Factor == 0 {
		deck := c.DeckID
		if c.ODeckID != 0 {
			deck = c.ODeckID
		}
		o, err := x.study.Options(deck)
		if err != nil {
			return err
		}
		c.Factor = uint16(o.InitialEase*1000 + 0.5)
	}
	leaveFiltered(c)
	c.Type, c.Queue, c.Due, c.Data = typeReview, queueReview, int32(day), data.String()
	factor := int64(c.Factor)
	if d, ok := data.Number(wire.CardDifficulty); ok {
		factor = int64(((float32(d)-1)/9 + 0.1) * 1000) // cut off, while an answer rounds it
	}
	return x.log(c, was, factor)
}

// sinceReview returns the days from the last review to a day, 0 for a card that had none. Without its time, the card was due
// when its interval had passed.
func (x *cardChange) sinceReview(c *wire.Card, data *wire.CardMembers, day int64) int64 {
	if c.Type < typeReview {
		return 0
	}
	if last, ok := jsontext.Int(data[wire.CardLastTime]); ok {
		return day - x.study.Today + max(0, (x.study.NextDay-last)/86400)
	}
	due := int64(homeDue(c))
	if due > 1_000_000_000 { // a time, not a day
		due = x.study.Today - (x.study.NextDay-due)/86400
	}
	return max(0, day-due+int64(c.Interval))
}

// forget makes a card new again (§5).
func (x *cardChange) forget(c *wire.Card) error {
	data := wire.ParseCardMembers(c.Data)
	at, known := int64(0), false
	if x.RestorePosition {
		if at, known = jsontext.IntIn(data[wire.CardPos], 0, maxPosition); c.Type == typeNew {
			at, known = int64(homeDue(c)), true
		}
	}
	if !known {
		next, err := x.takePosition()
		if err != nil {
			return err
		}
		at = next
	}
	data[wire.CardPos], data[wire.CardStability], data[wire.CardDifficulty] = nil, nil, nil
	was := c.Interval
	leaveFiltered(c)
	c.Type, c.Queue, c.Due, c.Interval, c.Factor, c.Data = typeNew, queueNew, int32(at), 0, 0, data.String()
	if x.ResetCounts {
		c.Reps, c.Lapses = 0, 0
	}
	return x.log(c, was, 0)
}

// log adds the entry of a change by hand to the review log.
func (x *cardChange) log(c *wire.Card, was uint32, factor int64) error {
	id, err := x.newID("revlog")
	if err != nil {
		return err
	}
	return x.exec("INSERT INTO revlog (id, cid, usn, ease, ivl, lastIvl, factor, time, type) VALUES (?, ?, -1, 0, ?, ?, ?, 0, 4)",
		id, c.ID, int64(c.Interval), int64(was), factor)
}
