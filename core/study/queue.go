package study

import (
	"cmp"
	"slices"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/legacy"
	"github.com/cardferry/cardferry/core/rows"
)

// entry is a card in the queue.
type entry struct {
	id, note   int64
	due        int64
	key1, key2 float64 // by which it is sorted among those of its kind
	ord        int64
	home       int64 // the deck to which it belongs, 0 for the one in which it is
	place      int   // of its deck in the tree
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
	if err := b.gatherLearning(); err != nil {
		return nil, err
	}
	if err := b.gatherInterday(); err != nil {
		return nil, err
	}
	if err := b.gatherReviews(); err != nil {
		return nil, err
	}
	return b, b.gatherNew()
}

// each runs a query for one deck after the other and hands over the rows; what the query selects is that of entry. It stops
// reading a deck when read returns false.
func (b *builder) each(sql string, params func(*node) []any, read func(*node, entry) bool) error {
	st, err := b.db.Prepare(sql)
	if err != nil {
		return err
	}
	defer st.Close()
	for i, n := range b.nodes {
		if err := b.eachOf(st, n, i, params(n), read); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) eachOf(st host.Stmt, n *node, place int, params []any, read func(*node, entry) bool) error {
	for row, err := range rows.Each(st, rows.Pack(nil, params...)) {
		if err != nil {
			return err
		}
		e := entry{
			id: row[0].Int(), note: row[1].Int(), due: row[2].Int(), ord: row[3].Int(), key1: row[4].Float(), key2: row[5].Float(), home: row[6].Int(),
			place: place,
		}
		if !read(n, e) {
			break
		}
	}
	return nil
}

// see notes that the note of a card has one in the queue.
func (b *builder) see(note int64) {
	if b.burying {
		b.seen[note] = true
	}
}

func (b *builder) gatherLearning() error {
	ahead := b.now.Unix() + b.learnAhead
	err := b.each("SELECT id, nid, due, ord, due, 0, 0 FROM cards WHERE did = ? AND queue IN (1, 4) AND due < ?",
		func(n *node) []any { return []any{n.id, b.nextDay} },
		func(_ *node, e entry) bool {
			if b.see(e.note); e.due <= ahead {
				b.learning = append(b.learning, e)
			} else if at := e.due * 1000; b.later == 0 || at < b.later {
				b.later = at
			}
			return true
		})
	sortEntries(b.learning)
	return err
}

// candidates reads the cards of one kind, of each deck as many as its limit allows. Where siblings are left out there may have to
// be more, until there are enough of different notes.
func (b *builder) candidates(sql string, limit func(*node) int64, until ...any) (list []entry, err error) {
	notes := map[int64]bool{}
	var enough int64
	err = b.each(sql, func(n *node) []any {
		most := limit(n)
		enough = most + int64(len(b.seen)+len(notes))
		if b.burying && most > 0 {
			most = -1 // no limit
		}
		return append(append([]any{n.id}, until...), most)
	}, func(_ *node, e entry) bool {
		list = append(list, e)
		if b.burying && !notes[e.note] {
			notes[e.note] = true
			enough--
		}
		return enough > 0
	})
	return list, err
}

// sortEntries sorts by the keys, then by deck and id.
func sortEntries(list []entry) {
	slices.SortFunc(list, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.key1, b.key1), cmp.Compare(a.key2, b.key2), a.place-b.place, cmp.Compare(a.id, b.id))
	})
}

func reviewLimit(n *node) int64 { return n.limit().review }

func (b *builder) gatherInterday() error {
	list, err := b.candidates("SELECT id, nid, due, ord, due, 0, odid FROM cards WHERE did = ? AND queue = 3 AND due <= ? ORDER BY due, id LIMIT ?",
		reviewLimit, b.today)
	if err != nil {
		return err
	}
	sortEntries(list)
	b.interday, err = b.take(list, func(o *legacy.StudyOptions) bool { return o.BuryInterday }, (*node).takeReview)
	return err
}

// take returns the cards that the limits allow, without those whose note has one in the queue before them, where that hides them.
func (b *builder) take(list []entry, bury func(*legacy.StudyOptions) bool, allowed func(*node) bool) (out []entry, err error) {
	for _, e := range list {
		n := b.nodes[e.place]
		if b.burying && b.seen[e.note] {
			o := n.options
			if o == nil {
				if o, err = b.homeOptions(e.home); err != nil {
					return nil, err
				}
			}
			if bury(o) {
				continue
			}
		}
		if allowed(n) {
			out = append(out, e)
			b.see(e.note)
		}
	}
	return out, nil
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

func (b *builder) gatherReviews() error {
	order := reviewOrder(b.top.ReviewOrder, b.fsrs)
	list, err := b.candidates("SELECT id, nid, due, ord, "+order.key1+", "+order.key2+", odid FROM cards WHERE did = ?1 AND queue = 2 AND due <= ?2 ORDER BY "+
		order.by()+", id LIMIT ?4", reviewLimit, b.today, b.nextDay)
	if err != nil {
		return err
	}
	for i := range list {
		order.place(&list[i])
	}
	sortEntries(list)
	b.review, err = b.take(list, func(o *legacy.StudyOptions) bool { return o.BuryReviews }, (*node).takeReview)
	return err
}

func (b *builder) gatherNew() error {
	order := newOrder(b.top.NewGather)
	list, err := b.candidates("SELECT id, nid, due, ord, "+order.key1+", ord, odid FROM cards WHERE did = ?1 AND queue = 0 ORDER BY "+order.by()+", ord, id LIMIT ?3",
		func(n *node) int64 {
			l := n.limit()
			if b.ignoreReviews {
				return l.new
			}
			return min(l.new, l.review)
		}, b.today)
	if err != nil {
		return err
	}
	for i := range list {
		order.place(&list[i])
	}
	sortEntries(list)
	b.new, err = b.take(list, func(o *legacy.StudyOptions) bool { return o.BuryNew }, func(n *node) bool { return n.takeNew(b.ignoreReviews) })
	sortNew(b.new, b.top.NewSortOrder, b.today)
	return err
}
