package study

import (
	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/legacy"
	"github.com/cardferry/cardferry/core/wire"
)

// Choices are a card's state and what the four buttons would make of it.
type Choices struct {
	Now    State
	Next   [4]State // after Again, Hard, Good, Easy
	Labels [4]string

	card     wire.Card
	data     wire.CardMembers
	deck     *deck // where the card is
	options  *legacy.StudyOptions
	fsrs     *fsrs
	filtered bool // it is in a filtered deck
	early    bool // which shows it before it is due
}

// Choices computes the states of a card. fault.NotFound if there is none; fault.InvalidInput if the deck options cannot be used.
func (c *Session) Choices(cardID int64) (*Choices, error) {
	card, err := collection.ReadCard(c.db, cardID)
	if err != nil {
		return nil, err
	}
	return c.choices(card)
}

func (c *Session) choices(card wire.Card) (*Choices, error) {
	x := &Choices{card: card, data: wire.ParseCardMembers(card.Data)}
	home, err := c.decksOf(x)
	if err != nil {
		return nil, err
	}
	if x.options, err = c.deckOptions(home); err != nil {
		return nil, err
	}
	s := scheduler{options: x.options, factor: newGenerator(card.ID, int64(card.Reps)).fuzzFactor(), short: c.short}
	x.Now = State{
		Kind: Kind(card.Type), Days: int64(card.Interval), Left: int64(card.Left), Ease: float32(card.Factor) / 1000, Lapses: int64(card.Lapses),
	}
	if c.FSRS {
		if x.fsrs, err = c.deckFSRS(home, x.options); err != nil {
			return nil, err
		}
		known, err := c.recallOf(x.fsrs, x.options, &x.card, &x.data)
		if err != nil {
			return nil, err
		}
		x.Now.memory, s.fsrs, s.elapsed = known.memory, x.fsrs, known.elapsed
	} else {
		x.Now.memory, _ = storedMemory(&x.data)
	}
	if x.filtered && !x.deck.Reschedule {
		x.preview()
	} else {
		if x.Now.Kind == Review {
			x.early = x.filtered && x.due() > c.Today && x.Now.Days > 0 // an interval of 0 cannot be cut short
			s.late = max(0, c.Today-x.due())
			if x.early {
				s.early = x.due() - c.Today
			}
		}
		x.Next = s.next(x.Now)
	}
	for i := range x.Next {
		x.Labels[i] = c.label(&x.Next[i])
	}
	return x, nil
}

// decksOf finds the deck in which the card is, and returns its home.
func (c *Session) decksOf(x *Choices) (home *deck, err error) {
	if x.deck, err = c.readDeck(x.card.DeckID); err == nil {
		home = x.deck
		if x.card.ODeckID != 0 {
			x.filtered = x.deck.Filtered
			home, err = c.readDeck(x.card.ODeckID)
		}
	}
	if fault.KindOf(err) == fault.NotFound {
		return nil, fault.New(fault.DamagedFile, "the deck of card %d is missing", x.card.ID).
			WithHint("Let the desktop program check the database.")
	}
	return home, err
}

// deckFSRS returns the parameters of a deck.
func (c *Session) deckFSRS(home *deck, o *legacy.StudyOptions) (*fsrs, error) {
	if f := c.schedulers[home.id]; f != nil {
		return f, nil
	}
	retention := o.DesiredRetention
	if home.Retention != nil {
		retention = *home.Retention
	}
	f, err := newFSRS(o.Params, retention)
	if err == nil {
		c.schedulers[home.id] = f
	}
	return f, err
}

// due returns when the card is due at home.
func (x *Choices) due() int64 {
	if x.filtered {
		return int64(x.card.ODue)
	}
	return int64(x.card.Due)
}

// preview sets the states of a card in a filtered deck that does not reschedule (§4.7).
func (x *Choices) preview() {
	seconds := x.deck.PreviewSeconds
	x.Now = State{Kind: Preview, Seconds: seconds[0], memory: x.Now.memory}
	for i := range x.Next {
		x.Next[i] = x.Now
		x.Next[i].Seconds = 0
		if i < len(seconds) {
			x.Next[i].Seconds = seconds[i]
		}
	}
}
