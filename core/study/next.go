package study

import (
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/jsontext"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/wire"
)

// Next is the head of a deck's queue.
type Next struct {
	New, Learn, Review int64 // how many are left today, as a session counts them
	Cards              []NextCard
	// LearnAt is when the next learning card falls due that is not yet, in ms; 0 if there is none today.
	LearnAt int64
	// Finished is nil while there are cards.
	Finished *Finished
}

// NextCard is a card to be shown.
type NextCard struct {
	Card    wire.Card
	Kind    string // the count to which it belongs: new, learn, review
	Elapsed int64  // seconds since the last answer, -1 if there is none that is known
	Choices *Choices
}

// Finished says what there is in a deck although nothing is to be studied now.
type Finished struct {
	Learning                      int64 // learning cards that come later today
	New, Review                   int64 // cards that the limits keep back
	Suspended, Buried, UserBuried int64
	Filtered                      bool
}

// NextCards returns the first cards of a deck's queue, at most count, and how many are left (study.md §3). fault.NotFound if there is no
// such deck.
func (c *Session) NextCards(deckID int64, count int) (*Next, error) {
	b, err := c.buildQueue(deckID)
	if err != nil {
		return nil, err
	}
	out := &Next{New: int64(len(b.new)), Learn: int64(len(b.learning) + len(b.interday)), Review: int64(len(b.review))}
	out.LearnAt = b.later
	for _, e := range b.learning {
		if e.due > c.now.Unix() {
			out.LearnAt = e.due * 1000
			break
		}
	}
	if out.New+out.Learn+out.Review == 0 {
		return out, b.finished(out)
	}
	for id := range b.ids() {
		if len(out.Cards) >= count {
			break
		}
		n, err := b.nextCard(id)
		if err != nil {
			return nil, err
		}
		out.Cards = append(out.Cards, n)
	}
	return out, nil
}

// ids yields the cards in the order in which they are shown: learning cards that are due, all others mixed, learning cards that
// are due soon.
func (b *builder) ids() func(yield func(int64) bool) {
	return func(yield func(int64) bool) {
		later := b.learning
		for len(later) > 0 && later[0].due <= b.now.Unix() {
			if !yield(later[0].id) {
				return
			}
			later = later[1:]
		}
		done := &b.nodes[0].StudyDeck
		reviews := mix{b.review, b.interday, b.top.InterdayMix, max(0, done.Review), 0}
		all := mix{nil, b.new, b.top.NewMix, max(0, done.Review), max(0, done.New)}
		for range len(b.review) + len(b.interday) {
			all.first = append(all.first, reviews.next())
		}
		for range len(all.first) + len(all.second) {
			if !yield(all.next().id) {
				return
			}
		}
		for _, e := range later {
			if !yield(e.id) {
				return
			}
		}
	}
}

// mix spreads the second of two lists evenly among the first. A queue is built anew after each answer, so it counts on from what
// was done today: else the first list would come before all of the second.
type mix struct {
	first, second         []entry
	mode                  int64 // ReviewMix: 0 spread, 1 the second list after the first, 2 before it
	doneFirst, doneSecond int64
}

func (m *mix) next() (e entry) {
	total1, total2 := int64(len(m.first))+m.doneFirst, int64(len(m.second))+m.doneSecond
	second := (m.doneSecond+1)*(total1+1) < (m.doneFirst+1)*(total2+1)
	switch m.mode {
	case 1:
		second = false
	case 2:
		second = true
	}
	if len(m.first) == 0 || second && len(m.second) > 0 {
		e, m.second = m.second[0], m.second[1:]
		m.doneSecond++
	} else {
		e, m.first = m.first[0], m.first[1:]
		m.doneFirst++
	}
	return e
}

func (b *builder) nextCard(id int64) (n NextCard, err error) {
	x, err := b.Choices(id)
	if err != nil {
		return n, err
	}
	n = NextCard{Card: x.card, Choices: x, Elapsed: -1}
	n.Kind = [...]string{New: "new", Learning: "learn", Review: "review"}[kindOfQueue(x.card.Queue)]
	last, known := x.data.Number(wire.CardLastTime)
	at := int64(last)
	if !known {
		row, err := rows.One(b.db, "SELECT max(id) / 1000 FROM revlog WHERE cid = ? AND ease > 0", id)
		if err != nil {
			return n, err
		}
		at, known = row[0].Int(), row[0].Tag == rows.TagInt
	}
	if known {
		n.Elapsed = max(0, b.now.Unix()-at)
	}
	return n, nil
}

// finished counts what is left in the decks although nothing is to be studied now.
func (b *builder) finished(out *Next) error {
	f := &Finished{Filtered: b.nodes[0].Filtered}
	out.Finished = f
	return b.each("SELECT queue, 0, count(*), 0, 0, 0, 0 FROM cards WHERE did = ?1 AND (queue <= 0 OR queue IN (2, 3) AND due <= ?2 "+
		"OR queue IN (1, 4) AND due < ?3) GROUP BY queue",
		func(n *node) []any { return []any{n.id, b.today, b.nextDay} },
		func(_ *node, e entry) bool {
			number := e.due
			switch e.id {
			case queueSuspended:
				f.Suspended += number
			case queueBuried:
				f.Buried += number
			case queueUserBuried:
				f.UserBuried += number
			case queueNew:
				f.New += number
			case queueReview, queueInterday:
				f.Review += number
			default:
				f.Learning += number
			}
			return true
		})
}

// AppendJSON appends n as JSON.
func (n *Next) AppendJSON(dst []byte) []byte {
	dst = append(jsontext.AppendKey(append(dst, '{'), "counts"), '{')
	dst = append(jsontext.PutInt(jsontext.PutInt(jsontext.PutInt(dst, "new", n.New), "learn", n.Learn), "review", n.Review), '}')
	dst = append(jsontext.AppendKey(dst, "cards"), '[')
	for i := range n.Cards {
		dst = n.Cards[i].appendJSON(jsontext.Separate(dst))
	}
	dst = jsontext.PutInt(append(dst, ']'), "learn_at", n.LearnAt)
	if f := n.Finished; f != nil {
		dst = append(jsontext.AppendKey(dst, "finished"), '{')
		dst = jsontext.PutInt(dst, "learning", f.Learning)
		dst = jsontext.PutInt(dst, "new", f.New)
		dst = jsontext.PutInt(dst, "review", f.Review)
		dst = jsontext.PutInt(dst, "suspended", f.Suspended)
		dst = jsontext.PutInt(dst, "buried", f.Buried)
		dst = jsontext.PutInt(dst, "user_buried", f.UserBuried)
		dst = append(jsontext.PutBool(dst, "filtered", f.Filtered), '}')
	}
	return append(dst, '}')
}

func (n *NextCard) appendJSON(dst []byte) []byte {
	c, x := &n.Card, n.Choices
	dst = jsontext.PutInt(append(dst, '{'), "card_id", c.ID)
	dst = jsontext.PutInt(dst, "note_id", c.NoteID)
	dst = jsontext.PutInt(dst, "deck_id", c.DeckID)
	dst = jsontext.PutInt(dst, "ord", int64(c.Ord))
	dst = jsontext.PutText(dst, "kind", n.Kind)
	dst = jsontext.PutInt(dst, "flag", int64(c.Flags&7))
	dst = jsontext.PutInt(dst, "reps", int64(c.Reps))
	dst = jsontext.PutInt(dst, "elapsed", n.Elapsed)
	dst = x.Now.append(jsontext.AppendKey(dst, "state"))
	dst = append(jsontext.AppendKey(dst, "answers"), '[')
	for i := range x.Next {
		dst = x.Next[i].append(jsontext.Separate(dst))
	}
	return append(jsontext.AppendStrings(jsontext.AppendKey(append(dst, ']'), "labels"), x.Labels[:]), '}')
}

// append appends a state as JSON.
func (s *State) append(dst []byte) []byte {
	dst = jsontext.PutText(append(dst, '{'), "kind", [...]string{"new", "learning", "review", "relearning", "preview"}[s.Kind])
	switch s.Kind {
	case Learning, Relearning, Preview:
		dst = jsontext.PutInt(dst, "seconds", s.Seconds)
	case Review:
		dst = jsontext.PutInt(dst, "days", s.Days)
	}
	if s.Leech {
		dst = jsontext.PutBool(dst, "leech", true)
	}
	return append(dst, '}')
}

// MaxCards is how many cards NextCards returns at most.
const MaxCards = 100

// CheckCount refuses a number of cards that NextCards does not return.
func CheckCount(count int64) error {
	if count < 1 || count > MaxCards {
		return fault.New(fault.InvalidInput, "the number of cards must be from 1 to %d, not %d", MaxCards, count)
	}
	return nil
}
