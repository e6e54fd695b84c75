package study

import (
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/jsontext"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/wire"
)

// Next is the head of a deck's queue.
type Next struct {
	// Counts are how many cards are left today.
	Counts struct {
		New    int64 `json:"new"`
		Learn  int64 `json:"learn"`
		Review int64 `json:"review"`
	} `json:"counts"`
	Cards []NextCard `json:"cards"`
	// LearnAt is when the next learning card falls due that is not yet, in ms; 0 if there is none today.
	LearnAt int64 `json:"learn_at"`
	// Finished is nil while there are cards.
	Finished *Finished `json:"finished,omitempty"`
}

// NextCard is a card to be shown.
type NextCard struct {
	CardID  int64     `json:"card_id"`
	NoteID  int64     `json:"note_id"`
	DeckID  int64     `json:"deck_id"` // where it is, which may be a filtered deck
	Ord     int64     `json:"ord"`     // the template, or one less than the number of the cloze
	Kind    string    `json:"kind"`    // the count to which it belongs: new, learn, review
	Flag    int64     `json:"flag"`
	Reps    int64     `json:"reps"`
	Elapsed int64     `json:"elapsed"` // seconds since the last answer, -1 if none is known
	State   Outcome   `json:"state"`
	Answers []Outcome `json:"answers"` // what Again, Hard, Good and Easy lead to
	Labels  []string  `json:"labels"`  // what their buttons say, in English
}

// Outcome is a State in few words.
type Outcome struct {
	Kind    string `json:"kind"` // new, learning, review, relearning, preview
	Seconds int64  `json:"seconds"`
	Days    int64  `json:"days"`
	Leech   bool   `json:"leech"`
}

// Finished says what there is in a deck although nothing is to be studied now.
type Finished struct {
	Learning   int64 `json:"learning"` // learning cards that come later, also after today
	New        int64 `json:"new"`      // kept back by a limit, as the next
	Review     int64 `json:"review"`
	Suspended  int64 `json:"suspended"`
	Buried     int64 `json:"buried"` // as siblings of others
	UserBuried int64 `json:"user_buried"`
	Filtered   bool  `json:"filtered"` // it is a filtered deck
}

// NextCards returns the first cards of a deck's queue, at most count, and how many are left (study.md §3). fault.NotFound if there is no
// such deck.
func (c *Session) NextCards(deckID int64, count int) (*Next, error) {
	b, err := c.buildQueue(deckID)
	if err != nil {
		return nil, err
	}
	out := &Next{}
	left := &out.Counts
	left.New, left.Learn, left.Review = int64(len(b.new)), int64(len(b.learning)+len(b.interday)), int64(len(b.review))
	out.LearnAt = b.later
	for _, e := range b.learning {
		if e.due > c.now.Unix() {
			out.LearnAt = e.due * 1000
			break
		}
	}
	if left.New+left.Learn+left.Review == 0 {
		return out, b.finished(out)
	}
	for id := range b.order() {
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

// order yields the cards in the order in which they are shown: learning cards that are due, all others mixed, learning cards that
// are due soon.
func (b *builder) order() func(yield func(int64) bool) {
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
	card := &x.card
	n = NextCard{
		CardID: card.ID, NoteID: card.NoteID, DeckID: card.DeckID, Ord: int64(card.Ord), Flag: int64(card.Flags & 7), Reps: int64(card.Reps),
		Kind: [...]string{New: "new", Learning: "learn", Review: "review"}[kindOfQueue(card.Queue)], Elapsed: -1, State: outcome(&x.Now),
		Labels: x.Labels[:],
	}
	for i := range x.Next {
		n.Answers = append(n.Answers, outcome(&x.Next[i]))
	}
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
	return b.each(false, "SELECT c.queue, count(*), 0"+fromDecks+"(c.queue <= 1 OR c.queue IN (2, 3) AND c.due <= ?2 OR c.queue = 4) GROUP BY c.queue",
		func(e entry) (bool, error) {
			queue, number := e.id, e.due
			switch queue {
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
			return true, nil
		}, string(b.ids), b.Today)
}

// outcome returns a state in few words. The interval of a learning step is not said: it is that of the last review.
func outcome(s *State) Outcome {
	o := Outcome{Kind: [...]string{"new", "learning", "review", "relearning", "preview"}[s.Kind], Seconds: s.Seconds, Leech: s.Leech}
	if s.Kind == Review {
		o.Seconds, o.Days = 0, s.Days
	}
	return o
}

// AppendJSON appends n as JSON.
func (n *Next) AppendJSON(dst []byte) []byte {
	dst = append(jsontext.AppendKey(append(dst, '{'), "counts"), '{')
	dst = putInts(dst, "new", n.Counts.New, "learn", n.Counts.Learn, "review", n.Counts.Review)
	dst = append(jsontext.AppendKey(append(dst, '}'), "cards"), '[')
	for i := range n.Cards {
		dst = n.Cards[i].appendJSON(jsontext.Separate(dst))
	}
	dst = jsontext.PutInt(append(dst, ']'), "learn_at", n.LearnAt)
	if f := n.Finished; f != nil {
		dst = append(jsontext.AppendKey(dst, "finished"), '{')
		dst = putInts(dst, "learning", f.Learning, "new", f.New, "review", f.Review, "suspended", f.Suspended, "buried", f.Buried,
			"user_buried", f.UserBuried)
		dst = append(jsontext.PutBool(dst, "filtered", f.Filtered), '}')
	}
	return append(dst, '}')
}

// putInts appends members: keys, each before its integer.
func putInts(dst []byte, members ...any) []byte {
	for i := 0; i < len(members); i += 2 {
		dst = jsontext.PutInt(dst, members[i].(string), members[i+1].(int64))
	}
	return dst
}

func (n *NextCard) appendJSON(dst []byte) []byte {
	dst = putInts(append(dst, '{'), "card_id", n.CardID, "note_id", n.NoteID, "deck_id", n.DeckID, "ord", n.Ord)
	dst = jsontext.PutText(dst, "kind", n.Kind)
	dst = putInts(dst, "flag", n.Flag, "reps", n.Reps, "elapsed", n.Elapsed)
	dst = n.State.append(jsontext.AppendKey(dst, "state"))
	dst = append(jsontext.AppendKey(dst, "answers"), '[')
	for i := range n.Answers {
		dst = n.Answers[i].append(jsontext.Separate(dst))
	}
	return append(jsontext.AppendStrings(jsontext.AppendKey(append(dst, ']'), "labels"), n.Labels), '}')
}

func (o *Outcome) append(dst []byte) []byte {
	dst = putInts(jsontext.PutText(append(dst, '{'), "kind", o.Kind), "seconds", o.Seconds, "days", o.Days)
	return append(jsontext.PutBool(dst, "leech", o.Leech), '}')
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
