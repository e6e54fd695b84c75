package study

import (
	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/legacy"
	"github.com/cardferry/cardferry/core/names"
	"github.com/cardferry/cardferry/core/rows"
)

// count adds an answer to the counters of the card's deck and of all decks above it (§4.1).
func (c *Session) count(x *Choices, millis int64) error {
	var newCards, reviews int64
	switch x.card.Queue {
	case queueNew:
		newCards = 1
	case queueReview, queueInterday:
		reviews = 1
	}
	add := func(id int64, common []byte) error {
		common, err := legacy.AddStudied(common, c.Today, newCards, reviews, millis)
		if err != nil {
			return fault.Wrap(fault.DamagedFile, err, "deck %d", id)
		}
		return collection.EditDeckCommon(c.db, c.now, id, common)
	}
	if err := add(x.deck.id, x.deck.common); err != nil {
		return err
	}
	for name := names.DeckParent(x.deck.name); name != ""; name = names.DeckParent(name) {
		row, err := rows.One(c.db, "SELECT id, common FROM decks WHERE name = ?", name)
		if err != nil || row == nil {
			return err
		}
		if err := add(row[0].Int(), row[1].Bytes); err != nil {
			return err
		}
	}
	return nil
}

// kindOfQueue returns what a card counts as, by the queue in which it was shown. One that was in none, being suspended or buried, is
// treated as a new one.
func kindOfQueue(queue int8) Kind {
	switch queue {
	case queueReview:
		return Review
	case queueLearning, queueInterday, queuePreview:
		return Learning
	}
	return New
}

// burySiblings buries the other cards of the note until tomorrow, as the options want it (§3.4), and returns them.
func (c *Session) burySiblings(x *Choices) (buried []int64, err error) {
	o, kind := x.options, kindOfQueue(x.card.Queue)
	buryReviews := o.BuryReviews && kind != New
	buryInterday := o.BuryInterday && kind == Learning
	if !o.BuryNew && !buryReviews && !buryInterday {
		return nil, nil
	}
	for row, err := range rows.Query(c.db, "SELECT id, queue FROM cards WHERE nid = ? AND id <> ?", x.card.NoteID, x.card.ID) {
		if err != nil {
			return nil, err
		}
		queue := row[1].Int()
		if queue == queueNew && o.BuryNew || queue == queueReview && buryReviews || queue == queueInterday && buryInterday {
			buried = append(buried, row[0].Int())
		}
	}
	for _, id := range buried {
		card, err := collection.ReadCard(c.db, id)
		if err != nil {
			return nil, err
		}
		card.Queue = queueBuried
		if err := collection.EditCard(c.db, c.now, &card); err != nil {
			return nil, err
		}
	}
	return buried, nil
}
