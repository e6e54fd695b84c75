package study

import (
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/jsontext"
	"github.com/cardferry/cardferry/core/legacy"
	"github.com/cardferry/cardferry/core/rows"
)

// entry is a card in the queue.
type entry struct {
	id, due int64
	place   int   // of its deck among the nodes
	note    int64 // this and the next two are read only where they are needed
	ord     int64
	home    int64 // the deck to which it belongs, 0 for the one in which it is
}

// queue has the cards that are to be studied today, the next one first in each list.
type queue struct {
	learning []entry // steps that end within the learn-ahead limit
	interday []entry
	review   []entry
	new      []entry
	later    int64 // when the next step ends that comes after the limit, but today, in ms; 0 if there is none
}

// builder fills a queue (study.md §3.2).
type builder struct {
	*Session
	queue
	nodes   []*node
	top     *legacy.StudyOptions // of the selected deck: the orders
	burying bool                 // some deck buries siblings, so that seen is kept
	seen    map[int64]hiding     // by note, what its cards that were looked at hide of those that come after them
	homes   map[int64]*legacy.StudyOptions
	ids     []byte // of the decks, a JSON array
}

// hiding is which kinds of siblings are hidden: the options of the deck in which a card is say what it hides, wherever those are.
type hiding uint8

const (
	hidesNew hiding = 1 << iota
	hidesReviews
	hidesInterday
)

// buildQueue gathers the cards of a deck and those below it.
func (c *Session) buildQueue(deckID int64) (*builder, error) {
	nodes, err := c.subtree(deckID)
	if err != nil {
		return nil, err
	}
	b := &builder{Session: c, nodes: nodes, seen: map[int64]hiding{}, homes: map[int64]*legacy.StudyOptions{}}
	for _, n := range nodes {
		// Cards in a filtered deck have the options of their home.
		if o := n.options; o == nil || o.BuryNew || o.BuryReviews || o.BuryInterday {
			b.burying = true
		}
	}
	if b.top = nodes[0].options; b.top == nil {
		b.top = &legacy.StudyOptions{NewSortOrder: 1}
	}
	b.ids = []byte{'['}
	for _, n := range nodes {
		b.ids = jsontext.AppendInt(jsontext.Separate(b.ids), n.id)
	}
	b.ids = append(b.ids, ']')
	for _, gather := range [...]func() error{b.gatherLearning, b.gatherInterday, b.gatherReviews, b.gatherNew} {
		if err := gather(); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// fromDecks is the beginning of queries for cards of all decks. Without more than the columns of the index over deck, queue and
// due they read nothing else; k.key is the place of the deck.
const fromDecks = " FROM json_each(?1) AS k CROSS JOIN cards AS c ON c.did = k.value WHERE "

// each hands over the cards that a query selects (id, due, place) until take returns false. It reads only so far ahead as a
// batch of rows goes. If whole is set, what is not in the index is read as well, card by card in the order of the query, so that
// nothing is read of those that come after the end; a LIMIT keeps SQLite from dropping that order.
func (b *builder) each(whole bool, sql string, take func(entry) (bool, error), args ...any) error {
	if whole {
		sql = "SELECT q.*, c.nid, c.ord, c.odid FROM (" + sql + " LIMIT -1) AS q CROSS JOIN cards AS c ON c.id = q.id"
	}
	for row, err := range rows.Query(b.db, sql, args...) {
		if err != nil {
			return err
		}
		more, err := take(asEntry(row, int(row[2].Int())))
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// asEntry reads id, due, place and, where they were selected, note, template and home.
func asEntry(row []rows.Value, place int) entry {
	e := entry{id: row[0].Int(), due: row[1].Int(), place: place}
	if len(row) > 3 {
		e.note, e.ord, e.home = row[3].Int(), row[4].Int(), row[5].Int()
	}
	return e
}

func (b *builder) gatherLearning() error {
	ahead := b.now.Unix() + b.learnAhead
	return b.each(b.burying, "SELECT c.id, c.due, k.key"+fromDecks+"c.queue IN (1, 4) AND c.due <= ?2 ORDER BY c.due, c.id", func(e entry) (bool, error) {
		if e.due <= ahead {
			b.learning = append(b.learning, e)
		} else if at := e.due * 1000; b.later == 0 {
			b.later = at
		}
		_, err := b.meet(e)
		return true, err
	}, string(b.ids), b.NextDay)
}

// meet returns what the cards of a note that were looked at before this one hide.
func (b *builder) meet(e entry) (before hiding, err error) {
	if !b.burying {
		return 0, nil
	}
	o := b.nodes[e.place].options
	if o == nil {
		if o, err = b.homeOptions(e.home); err != nil {
			return 0, err
		}
	}
	before = b.seen[e.note]
	after := before
	if o.BuryNew {
		after |= hidesNew
	}
	if o.BuryReviews {
		after |= hidesReviews
	}
	if o.BuryInterday {
		after |= hidesInterday
	}
	b.seen[e.note] = after
	return before, nil
}

// gatherer takes cards of one kind, as far as the limits go.
type gatherer struct {
	*builder
	list    *[]entry
	kind    hiding
	allowed func(*node) bool
	full    func(limits) bool // nothing more is allowed
}

// take takes a card if the limits allow it, unless its note has one in the queue before it and that hides it.
func (g *gatherer) take(e entry) (more bool, err error) {
	n := g.nodes[e.place]
	if g.full(g.nodes[0].left) {
		return false, nil
	}
	if g.full(n.limit()) {
		return true, nil
	}
	before, err := g.meet(e)
	if err == nil && before&g.kind == 0 && g.allowed(n) {
		*g.list = append(*g.list, e)
	}
	return true, err
}

// gatherInterday gathers what is learned over days, which comes in the order of reviews and within their limits.
func (b *builder) gatherInterday() error {
	return b.gatherDue("3", &b.interday, hidesInterday)
}

func (b *builder) gatherReviews() error {
	return b.gatherDue("2", &b.review, hidesReviews)
}

func (b *builder) gatherDue(queue string, list *[]entry, kind hiding) error {
	g := gatherer{builder: b, list: list, kind: kind, allowed: (*node).takeReview, full: func(l limits) bool { return l.review <= 0 }}
	sql := "SELECT c.id, c.due, k.key" + fromDecks + "c.queue = " + queue + " AND c.due <= ?2 AND ?3 IS NOT NULL ORDER BY " + reviewOrder(b.top.ReviewOrder, b.FSRS) + ", c.id"
	return b.each(b.burying, sql, g.take, string(b.ids), b.Today, b.NextDay)
}

func (b *builder) gatherNew() error {
	g := gatherer{builder: b, list: &b.new, kind: hidesNew,
		allowed: func(n *node) bool { return n.takeNew(b.ignoreReviews) },
		full:    func(l limits) bool { return l.new <= 0 || l.review <= 0 && !b.ignoreReviews },
	}
	var err error
	if order := newOrder(b.top.NewGather); order != "" {
		err = b.each(true, "SELECT c.id, c.due, k.key"+fromDecks+"c.queue = 0 AND ?2 IS NOT NULL ORDER BY "+order+", c.id", g.take, string(b.ids), b.Today)
	} else {
		err = b.newByDeck(&g)
	}
	sortNew(b.new, b.top.NewSortOrder, b.Today)
	return err
}

// newByDeck gathers the new cards of one deck after the other, which sorts only those that share a place.
func (b *builder) newByDeck(g *gatherer) error {
	st, err := b.db.Prepare("SELECT id, due, 0, nid, ord, odid FROM cards WHERE did = ? AND queue = 0 ORDER BY due, ord, id")
	if err != nil {
		return err
	}
	defer st.Close()
	for place, n := range b.nodes {
		for row, err := range rows.Each(st, rows.Pack(nil, n.id)) {
			if err != nil {
				return err
			}
			more, err := g.take(asEntry(row, place))
			if err != nil {
				return err
			}
			if !more || g.full(n.limit()) {
				break
			}
		}
		if g.full(b.nodes[0].left) {
			break
		}
	}
	return nil
}

// homeOptions returns the options of the deck from which a filtered deck has a card.
func (b *builder) homeOptions(id int64) (o *legacy.StudyOptions, err error) {
	if o = b.homes[id]; o != nil {
		return o, nil
	}
	home, err := b.readDeck(id)
	switch {
	case err == nil:
		o, err = b.deckOptions(home)
	case fault.KindOf(err) == fault.NotFound:
		o, err = &legacy.StudyOptions{}, nil
	}
	b.homes[id] = o
	return o, err
}
