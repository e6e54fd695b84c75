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
	seen    map[int64]bool       // notes that have a card in the queue
	ids     []byte               // of the decks, a JSON array
}

// buildQueue gathers the cards of a deck and those below it.
func (c *Session) buildQueue(deckID int64) (*builder, error) {
	nodes, err := c.subtree(deckID)
	if err != nil {
		return nil, err
	}
	b := &builder{Session: c, nodes: nodes, seen: map[int64]bool{}}
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
	return b.each(b.burying, "SELECT c.id, c.due, k.key"+fromDecks+"c.queue IN (1, 4) AND c.due < ?2 ORDER BY c.due, c.id", func(e entry) (bool, error) {
		if e.due <= ahead {
			b.learning = append(b.learning, e)
		} else if at := e.due * 1000; b.later == 0 {
			b.later = at
		}
		if b.burying {
			b.seen[e.note] = true
		}
		return true, nil
	}, string(b.ids), b.NextDay)
}

// gatherer takes cards of one kind, as far as the limits go.
type gatherer struct {
	*builder
	list    *[]entry
	bury    func(*legacy.StudyOptions) bool
	allowed func(*node) bool
	full    func(*node) bool // nothing more is allowed, whatever the deck below it
}

// take takes a card if the limits allow it, unless its note has one in the queue before it and that hides it.
func (g *gatherer) take(e entry) (more bool, err error) {
	top, n := g.nodes[0], g.nodes[e.place]
	if g.full(top) {
		return false, nil
	}
	if g.full(n) {
		return true, nil
	}
	if g.burying && g.seen[e.note] {
		o := n.options
		if o == nil {
			if o, err = g.homeOptions(e.home); err != nil {
				return false, err
			}
		}
		if g.bury(o) {
			return true, nil
		}
	}
	if g.allowed(n) {
		*g.list = append(*g.list, e)
		if g.burying {
			g.seen[e.note] = true
		}
	}
	return true, nil
}

// gatherInterday gathers what is learned over days, which comes in the order of reviews and within their limits.
func (b *builder) gatherInterday() error {
	return b.gatherDue("3", &b.interday, func(o *legacy.StudyOptions) bool { return o.BuryInterday })
}

func (b *builder) gatherReviews() error {
	return b.gatherDue("2", &b.review, func(o *legacy.StudyOptions) bool { return o.BuryReviews })
}

func (b *builder) gatherDue(queue string, list *[]entry, bury func(*legacy.StudyOptions) bool) error {
	g := gatherer{builder: b, list: list, bury: bury, allowed: (*node).takeReview, full: func(n *node) bool { return n.left.review <= 0 }}
	sql := "SELECT c.id, c.due, k.key" + fromDecks + "c.queue = " + queue + " AND c.due <= ?2 AND ?3 IS NOT NULL ORDER BY " + reviewOrder(b.top.ReviewOrder, b.FSRS) + ", c.id"
	return b.each(b.burying, sql, g.take, string(b.ids), b.Today, b.NextDay)
}

func (b *builder) gatherNew() error {
	g := gatherer{builder: b, list: &b.new, bury: func(o *legacy.StudyOptions) bool { return o.BuryNew },
		allowed: func(n *node) bool { return n.takeNew(b.ignoreReviews) },
		full:    func(n *node) bool { return n.left.new <= 0 || n.left.review <= 0 && !b.ignoreReviews },
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
			if !more || g.full(n) {
				break
			}
		}
		if g.full(b.nodes[0]) {
			break
		}
	}
	return nil
}

// homeOptions returns the options of the deck from which a filtered deck has a card.
func (b *builder) homeOptions(id int64) (*legacy.StudyOptions, error) {
	home, err := b.readDeck(id)
	if err != nil {
		if fault.KindOf(err) == fault.NotFound {
			return &legacy.StudyOptions{}, nil
		}
		return nil, err
	}
	return b.deckOptions(home)
}
