package study

import (
	"strings"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/legacy"
	"github.com/cardferry/cardferry/core/names"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/unicase"
)

// limits are how many cards may still be shown today.
type limits struct{ new, review int64 }

// unlimited is more cards than any deck has.
const unlimited = 1 << 40

// node is a deck in the tree of decks that a call looks at.
type node struct {
	deck
	options  *legacy.StudyOptions // nil for a filtered deck
	above    *node                // the nearest deck above that is there, nil at the top
	left     limits
	counts   Counts // while they are computed, as the next
	intraday int64  // with the decks below
}

// readNodes reads the decks that a condition on the table selects, in the order of their names, so that a deck comes after those
// above it.
func (c *Session) readNodes(where string, args ...any) (list []*node, err error) {
	for row, err := range rows.Query(c.db, "SELECT id, name, common, kind FROM decks WHERE "+where+" ORDER BY name", args...) {
		if err != nil {
			return nil, err
		}
		n := &node{deck: deck{id: row[0].Int(), name: row[1].String()}}
		if n.StudyDeck, err = legacy.ReadStudyDeck(row[2].Bytes, row[3].Bytes, c.Today); err != nil {
			return nil, fault.Wrap(fault.DamagedFile, err, "deck %d", n.id)
		}
		list = append(list, n)
	}
	byName := make(map[string]*node, len(list)) // folded: a sync may bring decks below another spelling of a name
	for _, n := range list {
		folded := unicase.Fold(n.name)
		byName[folded] = n
		for name := names.DeckParent(folded); name != "" && n.above == nil; name = names.DeckParent(name) {
			n.above = byName[name]
		}
		if err := c.readLimits(n); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// readLimits finds out how many cards a deck may still show today (study.md §3.3).
func (c *Session) readLimits(n *node) (err error) {
	if n.Filtered {
		n.left = limits{unlimited, unlimited}
		return nil
	}
	if n.options, err = c.deckOptions(&n.deck); err != nil {
		return err
	}
	newLimit, reviewLimit := n.options.NewPerDay, n.options.ReviewsPerDay
	if n.NewLimit != nil {
		newLimit = *n.NewLimit
	}
	if n.ReviewLimit != nil {
		reviewLimit = *n.ReviewLimit
	}
	reviewLimit -= n.Review
	if !c.ignoreReviews {
		reviewLimit -= n.New
	}
	n.left = limits{max(0, newLimit-n.New), max(0, reviewLimit)}
	return nil
}

// capBy lowers the limits to those of another deck.
func (l *limits) capBy(by limits) { *l = limits{min(l.new, by.new), min(l.review, by.review)} }

// subtree returns a deck, then those below it. Where the config wants it, the limits of those above count as well.
func (c *Session) subtree(id int64) ([]*node, error) {
	top, err := c.readDeck(id)
	if err != nil {
		return nil, err
	}
	list, err := c.readNodes("name = ?1 OR name > ?1 || char(31) AND name < ?1 || ' '", top.name)
	if err != nil || len(list) == 0 || !c.parentLimits {
		return list, err
	}
	for name := names.DeckParent(top.name); name != ""; name = names.DeckParent(name) {
		above, err := c.readNodes("name = ?", name)
		if err != nil {
			return nil, err
		}
		for _, n := range above {
			list[0].left.capBy(n.left)
		}
	}
	return list, nil
}

// takeReview takes one from the review limits of a deck and of all above it, if they allow it.
func (n *node) takeReview() bool {
	for up := n; up != nil; up = up.above {
		if up.left.review <= 0 {
			return false
		}
	}
	for up := n; up != nil; up = up.above {
		up.left.review--
	}
	return true
}

// takeNew is takeReview for a new card. Unless both limits are independent, new cards get what reviews have left.
func (n *node) takeNew(ignoreReviews bool) bool {
	for up := n; up != nil; up = up.above {
		if up.left.new <= 0 || up.left.review <= 0 && !ignoreReviews {
			return false
		}
	}
	for up := n; up != nil; up = up.above {
		up.left.new--
		up.left.review--
	}
	return true
}

// limit returns the limits that count for a deck, with those above it.
func (n *node) limit() limits {
	l := n.left
	for up := n.above; up != nil; up = up.above {
		l.capBy(up.left)
	}
	return l
}

// label returns the name of a deck below another one that is shown above it.
func (n *node) label() string {
	name := n.name
	if n.above != nil {
		for range 1 + strings.Count(n.above.name, "\x1f") {
			_, name, _ = strings.Cut(name, "\x1f")
		}
	}
	return names.DeckHuman(name)
}
