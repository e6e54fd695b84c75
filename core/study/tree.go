package study

import (
	"github.com/cardferry/cardferry/core/jsontext"
	"github.com/cardferry/cardferry/core/rows"
)

// Counts are numbers of cards.
type Counts struct {
	New       int64 `json:"new"` // to be shown today in the deck and those below it, within the limits; as the next two
	Learn     int64 `json:"learn"`
	Review    int64 `json:"review"`
	Intraday  int64 `json:"intraday"`   // in the deck alone, as all but the last: learning steps that end within the learn-ahead limit
	Interday  int64 `json:"interday"`   // learning cards that are due by their day, without limits
	NewAll    int64 `json:"new_all"`    // without limits
	ReviewAll int64 `json:"review_all"` // without limits
	Total     int64 `json:"total"`      // all cards
	TotalAll  int64 `json:"total_all"`  // all cards, with those of the decks below
}

// DeckNode is a deck with those below it.
type DeckNode struct {
	ID        int64  `json:"id"`
	Name      string `json:"name"`  // the last part; more of it where decks above it are missing
	Level     int64  `json:"level"` // 1 at the top
	Collapsed bool   `json:"collapsed"`
	Filtered  bool   `json:"filtered"`
	Counts
	Children []*DeckNode `json:"children"`
}

// Tree is the list of decks, and what was studied today.
type Tree struct {
	Decks   []*DeckNode `json:"decks"`
	Studied struct {
		Cards  int64 `json:"cards"` // answers
		Millis int64 `json:"ms"`    // the time that they took
	} `json:"studied"`
	Today   int64 `json:"today"`    // the number of the day
	NextDay int64 `json:"next_day"` // when the next one begins, in ms
}

// DeckTree counts what is to be studied today, in each deck (§3.5). Buried siblings are not subtracted.
func (c *Session) DeckTree() (*Tree, error) {
	t := &Tree{Today: c.Today, NextDay: c.NextDay * 1000}
	nodes, err := c.readNodes("1")
	if err != nil {
		return nil, err
	}
	if err := c.countCards(nodes); err != nil {
		return nil, err
	}
	if c.parentLimits {
		for _, n := range nodes {
			n.left = n.limit()
			if n.Filtered && !c.ignoreReviews {
				n.left.new = min(n.left.new, n.left.review)
			}
		}
	}
	for i := len(nodes) - 1; i >= 0; i-- { // a deck after those below it
		nodes[i].sum(c.ignoreReviews)
	}
	made := make(map[*node]*DeckNode, len(nodes))
	for _, n := range nodes {
		d := &DeckNode{ID: n.id, Name: n.label(), Level: 1, Collapsed: n.Collapsed, Filtered: n.Filtered, Counts: n.counts}
		made[n] = d
		if n.above == nil {
			t.Decks = append(t.Decks, d)
		} else {
			up := made[n.above]
			d.Level = up.Level + 1
			up.Children = append(up.Children, d)
		}
	}
	row, err := rows.One(c.db, "SELECT count(*), sum(time) FROM revlog WHERE id >= ? AND ease > 0", (c.NextDay-daySeconds)*1000)
	if err != nil {
		return nil, err
	}
	t.Studied.Cards, t.Studied.Millis = row[0].Int(), row[1].Int()
	return t, nil
}

// countCards counts the cards of all decks. It reads nothing but the index over deck, queue and due.
func (c *Session) countCards(nodes []*node) error {
	byID := make(map[int64]*node, len(nodes))
	for _, n := range nodes {
		byID[n.id] = n
	}
	const sql = "SELECT did, queue, count(*), sum(due <= CASE WHEN queue IN (1, 4) THEN ?2 ELSE ?1 END) FROM cards GROUP BY did, queue"
	for row, err := range rows.Query(c.db, sql, c.Today, c.now.Unix()+c.learnAhead-1) {
		if err != nil {
			return err
		}
		n := byID[row[0].Int()]
		if n == nil {
			continue
		}
		k, all, due := &n.counts, row[2].Int(), row[3].Int()
		k.Total += all
		k.TotalAll += all
		switch row[1].Int() {
		case queueNew:
			k.New, k.NewAll = all, all
		case queueReview:
			k.Review, k.ReviewAll = due, due
		case queueInterday:
			k.Learn, k.Interday = due, due
		case queueLearning, queuePreview:
			k.Intraday += due
		}
	}
	return nil
}

// sum applies the limits to the counts, of which Learn has only the cards that are limited, and adds them to the deck above.
func (n *node) sum(ignoreReviews bool) {
	k := &n.counts
	k.Learn = min(k.Learn, n.left.review)
	k.Review = min(k.Review, n.left.review-k.Learn)
	k.New = min(k.New, n.left.new)
	if !ignoreReviews && !n.Filtered {
		k.New = min(k.New, n.left.review-k.Learn-k.Review)
	}
	n.intraday += k.Intraday
	if up := n.above; up != nil {
		up.counts.New += k.New
		up.counts.Learn += k.Learn
		up.counts.Review += k.Review
		up.counts.TotalAll += k.TotalAll
		up.intraday += n.intraday
	}
	k.Learn += n.intraday
}

// AppendJSON appends t as JSON.
func (t *Tree) AppendJSON(dst []byte) []byte {
	dst = appendDecks(append(dst, '{'), "decks", t.Decks)
	dst = append(jsontext.AppendKey(dst, "studied"), '{')
	dst = append(putInts(dst, "cards", t.Studied.Cards, "ms", t.Studied.Millis), '}')
	return append(putInts(dst, "today", t.Today, "next_day", t.NextDay), '}')
}

func appendDecks(dst []byte, key string, list []*DeckNode) []byte {
	dst = append(jsontext.AppendKey(dst, key), '[')
	for _, d := range list {
		dst = append(jsontext.Separate(dst), '{')
		dst = jsontext.PutInt(dst, "id", d.ID)
		dst = jsontext.PutText(dst, "name", d.Name)
		dst = jsontext.PutInt(dst, "level", d.Level)
		dst = jsontext.PutBool(dst, "collapsed", d.Collapsed)
		dst = jsontext.PutBool(dst, "filtered", d.Filtered)
		dst = putInts(dst, "new", d.New, "learn", d.Learn, "review", d.Review, "intraday", d.Intraday, "interday", d.Interday, "new_all", d.NewAll,
			"review_all", d.ReviewAll, "total", d.Total, "total_all", d.TotalAll)
		dst = append(appendDecks(dst, "children", d.Children), '}')
	}
	return append(dst, ']')
}
