package edit

import (
	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/study"
	"github.com/cardferry/cardferry/core/wire"
)

// The values of cards.type and cards.queue that edits set.
const (
	typeNew, typeLearning, typeReview, typeRelearning = 0, 1, 2, 3

	userBuried, buried, suspended            = -3, -2, -1
	queueNew, queueLearn, queueReview, later = 0, 1, 2, 3 // later: learning that waits for another day
)

// setCards changes cards in one or more ways: where they are, what they are, how they are queued (§5).
func (e *edit) setCards(op *Op) error {
	if op.CardIDs == nil {
		return invalid("the field \"cardIds\" is missing")
	}
	change, err := e.prepare(op)
	if err != nil {
		return err
	}
	for _, id := range op.CardIDs {
		c, err := collection.ReadCard(e.db, id)
		if fault.KindOf(err) == fault.NotFound {
			return invalid("there is no card %d", id)
		}
		if err != nil {
			return err
		}
		if err := change.apply(c); err != nil {
			return err
		}
	}
	return nil
}

// cardChange is a setCards at work: what is the same for all its cards.
type cardChange struct {
	*edit
	*Op
	study  *study.Session // only to move cards, or set when they are due
	due    dueDays
	places map[int64]int64 // positions given, by note
}

func (e *edit) prepare(op *Op) (x *cardChange, err error) {
	x = &cardChange{edit: e, Op: op, places: map[int64]int64{}}
	if op.DeckID != 0 || op.Due != nil {
		if x.study, err = e.session(); err != nil {
			return nil, err
		}
	}
	if op.DeckID != 0 {
		if err := e.needDeck(op.DeckID); err != nil {
			return nil, err
		}
		if normal, err := e.normalDeck(op.DeckID); err != nil {
			return nil, err
		} else if normal != op.DeckID {
			return nil, invalid("cards cannot be moved into the filtered deck %d", op.DeckID)
		}
	}
	if op.Due != nil {
		x.due, err = parseDue(*op.Due)
	}
	return x, err
}

// apply changes one card.
func (x *cardChange) apply(c wire.Card) error {
	before := c
	if x.DeckID != 0 && x.DeckID != c.DeckID {
		if err := x.move(&c); err != nil {
			return err
		}
	}
	if x.Forget {
		if err := x.forget(&c); err != nil {
			return err
		}
	}
	if x.Due != nil {
		if err := x.setDue(&c); err != nil {
			return err
		}
	}
	if x.Position != nil {
		if err := x.reposition(&c); err != nil {
			return err
		}
	}
	x.enqueue(&c)
	if c != before || x.Forget || x.Due != nil {
		if err := x.putCard(&c); err != nil {
			return err
		}
	}
	if x.Flag == nil {
		return nil
	}
	// A flag does not move mod on (§5).
	return x.exec("UPDATE cards SET flags = flags & ~7 | ?1, usn = -1, data = ?2 WHERE flags & 7 <> ?1 AND id = ?3", *x.Flag, wire.CardData(c.Data), c.ID)
}

func (e *edit) putCard(c *wire.Card) error {
	e.changed = true
	return collection.EditCard(e.db, e.now, c)
}

// move puts a card into another deck.
func (x *cardChange) move(c *wire.Card) error {
	leaveFiltered(c)
	from, err := x.study.Options(c.DeckID)
	if err != nil {
		return err
	}
	to, err := x.study.Options(x.DeckID)
	if err != nil {
		return err
	}
	switch c.Type {
	case typeLearning:
		c.Left = stepsLeft(c.Left, from.LearnSteps, to.LearnSteps)
	case typeRelearning:
		c.Left = stepsLeft(c.Left, from.RelearnSteps, to.RelearnSteps)
	}
	c.DeckID = x.DeckID
	return x.study.Remember(c)
}

// stepsLeft returns how many steps are left in another deck: those behind the last one that is no longer than what was done.
func stepsLeft(left uint32, from, to []float32) uint32 {
	n := len(to)
	if done := len(from) - int(left%1000); done > 0 {
		n = 0
		for n < len(to) && to[len(to)-1-n] > from[done-1] {
			n++
		}
	}
	if n = max(1, n); len(from) == 0 || n == int(left%1000) {
		return left
	}
	return uint32(n)
}

// leaveFiltered sends a card home from a filtered deck (§4.7); suspended and buried ones stay that.
func leaveFiltered(c *wire.Card) {
	if c.ODeckID == 0 {
		return
	}
	c.DeckID, c.Due, c.ODeckID, c.ODue = c.ODeckID, homeDue(c), 0, 0
	if c.Queue >= 0 {
		c.Queue = queueOf(c)
	}
}

// homeDue is the due that a card has outside of filtered decks.
func homeDue(c *wire.Card) int32 {
	if c.ODeckID != 0 && c.ODue != 0 {
		return c.ODue
	}
	return c.Due
}

// queueOf returns the queue that belongs to a card's type.
func queueOf(c *wire.Card) int8 {
	switch {
	case c.Type == typeNew:
		return queueNew
	case c.Type == typeReview:
		return queueReview
	case homeDue(c) > 1_000_000_000: // a time, not a day
		return queueLearn
	}
	return later
}

// reposition gives a new card a place in the queue of new cards: in the order in which the cards were given, those of a note
// together.
func (x *cardChange) reposition(c *wire.Card) error {
	step := int64(1)
	if x.Step != nil {
		step = *x.Step
	}
	at, known := x.places[c.NoteID]
	if !known {
		at = *x.Position + int64(len(x.places))*step
		x.places[c.NoteID] = at
	}
	switch {
	case at > maxPosition:
		return invalid("the position %d is too large", at)
	case c.Type != typeNew:
	case c.ODeckID != 0:
		c.ODue = int32(at)
	default:
		c.Due = int32(at)
	}
	return nil
}

// enqueue suspends and buries, or takes it back.
func (x *cardChange) enqueue(c *wire.Card) {
	if x.Suspended != nil && *x.Suspended != (c.Queue == suspended) {
		c.Queue = suspended
		if !*x.Suspended {
			c.Queue = queueOf(c)
		}
	}
	isBuried := c.Queue == userBuried || c.Queue == buried
	switch {
	case x.Buried == nil:
	case *x.Buried && c.Queue != suspended:
		c.Queue = userBuried
	case !*x.Buried && isBuried:
		c.Queue = queueOf(c)
	}
}
