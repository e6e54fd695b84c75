package study

import (
	"math"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/wire"
)

// The values of the column queue in cards.
const (
	queueUserBuried = -3
	queueBuried     = -2
	queueSuspended  = -1
	queueNew        = 0
	queueLearning   = 1
	queueReview     = 2
	queueInterday   = 3
	queuePreview    = 4
)

// Answered says what an answer has changed.
type Answered struct {
	Card   wire.Card   // as it is now
	Log    wire.Revlog // the new entry
	Leech  bool        // it has become a leech, the first time or again
	Buried []int64     // its siblings that wait until tomorrow
}

// Answer stores the answer to a card, given now after takenMs milliseconds: its new state, an entry in the log, the counters of
// its deck and of those above, siblings that are buried, and a leech's tag (§4). It runs inside the caller's transaction.
// fault.NotFound if there is no such card; fault.InvalidInput for a button other than 1 to 4.
func Answer(db host.DB, clock host.Clock, cardID int64, button int, takenMs int64) (*Answered, error) {
	if button < again || button > easy || takenMs < 0 {
		return nil, fault.New(fault.InvalidInput, "an answer has a button from 1 to 4 and a time that is not negative")
	}
	c, err := Begin(db, clock)
	if err != nil {
		return nil, err
	}
	x, err := c.Choices(cardID)
	if err != nil {
		return nil, err
	}
	a := &Answered{Card: x.card, Leech: x.Next[button-1].Leech}
	a.Log = c.logEntry(x, button, min(takenMs, x.options.CapAnswerTime*1000))
	x.apply(c, &a.Card, &x.Next[button-1])
	if err := collection.EditCard(db, c.now, &a.Card); err != nil {
		return nil, err
	}
	if err := c.putLog(&a.Log); err != nil {
		return nil, err
	}
	if err := c.count(x, int64(a.Log.Time)); err != nil {
		return nil, err
	}
	if a.Leech {
		if err := collection.AddTag(db, c.now, x.card.NoteID, "leech"); err != nil {
			return nil, err
		}
	}
	if a.Buried, err = c.burySiblings(x); err != nil {
		return nil, err
	}
	return a, collection.TouchCol(db, c.now)
}

// apply puts a state into a card.
func (x *Choices) apply(c *Session, card *wire.Card, next *State) {
	x.writeData(c, next)
	card.Data = x.data.String()
	if next.Kind == Preview {
		x.applyPreview(c, card, next)
		return
	}
	card.Reps++
	card.Type = uint8(next.Kind)
	card.Left = uint32(next.Left)
	if next.Kind != Learning {
		card.Interval = uint32(min(next.Days, math.MaxUint32))
		card.Factor = uint16(min(round(float64(next.Ease)*1000), math.MaxUint16))
		card.Lapses = uint32(min(next.Lapses, math.MaxUint32))
	}
	if next.Kind == Review {
		card.Queue, card.Due = queueReview, int32(min(c.Today+next.Days, math.MaxInt32))
		x.goHome(card)
	} else {
		c.applyStep(x, card, next.Seconds)
		if x.filtered {
			card.ODue = card.Due
		}
	}
	if next.Leech && x.options.LeechSuspends {
		card.Queue = queueSuspended
	}
}

// applyStep makes a card due after some seconds: at a time, or on a day if that is not today.
func (c *Session) applyStep(x *Choices, card *wire.Card, seconds int64) {
	if days := c.stepDays(seconds); days > 0 {
		card.Queue, card.Due = queueInterday, int32(min(c.Today+days, math.MaxInt32))
		return
	}
	card.Queue, card.Due = queueLearning, x.timeDue(c, seconds)
}

// timeDue returns the time after some seconds and a few more, so that cards do not come back in the order in which they went.
func (x *Choices) timeDue(c *Session, seconds int64) int32 {
	r := newGenerator(x.card.ID, int64(x.card.Reps))
	extra := int64(r.below(uint32(min(seconds/4, 300))))
	return int32(min(c.now.Unix()+seconds+extra, math.MaxInt32))
}

func (x *Choices) applyPreview(c *Session, card *wire.Card, next *State) {
	if next.Seconds > 0 {
		card.Queue, card.Due = queuePreview, x.timeDue(c, next.Seconds)
		return
	}
	if card.ODue != 0 {
		card.Due = card.ODue
	}
	if card.Queue >= queueNew {
		card.Queue = queueOf(card)
	}
	x.goHome(card)
}

// goHome takes a card out of its filtered deck.
func (x *Choices) goHome(card *wire.Card) {
	if x.filtered {
		card.DeckID, card.ODeckID, card.ODue = card.ODeckID, 0, 0
	}
}

// queueOf returns the queue that fits the type of a card.
func queueOf(card *wire.Card) int8 {
	switch {
	case card.Type == uint8(New):
		return queueNew
	case card.Type == uint8(Review):
		return queueReview
	case card.Due > 1_000_000_000:
		return queueLearning
	}
	return queueInterday
}

// writeData sets the members of the card's data.
func (x *Choices) writeData(c *Session, next *State) {
	if next.memory != (memory{}) || next.Kind != Preview {
		writeMemory(&x.data, next.memory)
	}
	if x.fsrs != nil {
		x.data.SetFloat(wire.CardDecay, x.fsrs.written)
	}
	if next.Kind == Preview {
		return
	}
	if x.Now.Kind == New {
		x.data.SetInt(wire.CardPos, max(0, x.due()))
	}
	x.data[wire.CardRetention] = nil
	if x.fsrs != nil {
		x.data.SetFloat(wire.CardRetention, x.fsrs.retention)
	}
	x.data.SetInt(wire.CardLastTime, c.now.Unix())
}

// logEntry describes an answer.
func (c *Session) logEntry(x *Choices, button int, millis int64) wire.Revlog {
	next := &x.Next[button-1]
	e := wire.Revlog{
		ID: c.now.UnixMilli(), CardID: x.card.ID, USN: -1, Ease: uint8(button), Time: uint32(millis),
		Interval: c.logInterval(next), LastInterval: c.logInterval(x.lastStep()),
	}
	switch x.Now.Kind {
	case Preview:
		e.Type = logFiltered
		return e
	case Review, Relearning:
		e.Type = uint8(x.Now.Kind) - 1
	}
	if x.early {
		e.Type = logFiltered
	}
	switch {
	case next.memory != (memory{}):
		e.Factor = uint32(round(float64((next.memory.difficulty-1)/9*1000))) + 100
	case next.Kind != Learning:
		e.Factor = uint32(round(float64(next.Ease) * 1000))
	}
	return e
}

// lastStep returns the present state with the length of its step.
func (x *Choices) lastStep() *State {
	now := x.Now
	if now.Kind == Learning || now.Kind == Relearning {
		s := scheduler{options: x.options, now: now}
		steps := s.stepList()
		if n := int64(len(steps)); n > 0 {
			now.Seconds = stepSeconds(steps, stepIndex(n, now.Left%1000))
		}
	}
	return &now
}

// logInterval returns the interval of a state as the log has it: days, or seconds below zero.
func (c *Session) logInterval(s *State) int32 {
	switch {
	case s.Kind == New:
		return 0
	case s.Kind == Review:
		return int32(min(s.Days, math.MaxInt32))
	case s.Kind != Preview:
		if days := c.stepDays(s.Seconds); days > 0 {
			return int32(days)
		}
	}
	return int32(max(-s.Seconds, math.MinInt32))
}

// putLog stores an entry. Its id is the time, if that is free.
func (c *Session) putLog(e *wire.Revlog) (err error) {
	if e.ID, err = collection.FreeID(c.db, "revlog", e.ID); err != nil {
		return err
	}
	_, err = rows.Exec(c.db, "INSERT INTO revlog (id, cid, usn, ease, ivl, lastIvl, factor, time, type) VALUES (?, ?, -1, ?, ?, ?, ?, ?, ?)",
		e.ID, e.CardID, int(e.Ease), e.Interval, e.LastInterval, int64(e.Factor), int64(e.Time), int(e.Type))
	return err
}
