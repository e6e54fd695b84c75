package mediause

import (
	"context"
	"math"
	"sort"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/legacy"
	"github.com/cardferry/cardferry/core/rows"
)

// The values of the column queue in cards (collection-format.md §1.3).
const (
	userBuried      = -3
	schedulerBuried = -2
	newQueue        = 0
	learning        = 1
	review          = 2
	interday        = 3
	preview         = 4
)

// secondsDue is the least value of due that is a time, not a day.
const secondsDue = 1_000_000_001

// queue knows when cards are due.
type queue struct {
	today, nextDay int64
	// decks has, by deck, the positions up to which new cards are shown by the end of today, of tomorrow, and so on;
	// all others come on the day after the last of these.
	decks map[int64][]int64
}

// day returns the number of days until a card is shown.
func (q *queue) day(deck, state, kind, due int64) int {
	switch state {
	case newQueue:
		return q.newDay(deck, due)
	case learning, preview:
		return q.timeDay(due)
	case review, interday:
		return clamp(due - q.today)
	case userBuried, schedulerBuried:
		switch {
		case kind == newQueue: // the types have the numbers of the queues
			return max(1, q.newDay(deck, due))
		case due >= secondsDue:
			return max(1, q.timeDay(due))
		}
		return max(1, clamp(due-q.today))
	}
	return Rest
}

// timeDay returns the day of a time.
func (q *queue) timeDay(due int64) int {
	const daySeconds = 86400
	if due < q.nextDay {
		return 0
	}
	return clamp((due-q.nextDay)/daySeconds + 1)
}

func (q *queue) newDay(deck, position int64) int {
	ends, ok := q.decks[deck]
	if !ok {
		return Rest
	}
	return sort.Search(len(ends), func(day int) bool { return position <= ends[day] })
}

func clamp(day int64) int { return int(max(0, min(day, Rest-1))) }

// readDecks finds out which new cards are shown when.
func (q *queue) readDecks(ctx context.Context, c *Collection) error {
	perDay := map[int64]int64{}
	err := c.each(func(row rows.Row) (err error) {
		perDay[row[0].Int()], err = legacy.NewPerDay(row[1].Bytes)
		return fault.Wrap(fault.DamagedFile, err, "deck configuration %d", row[0].Int())
	}, "SELECT id, config FROM deck_config")
	if err != nil {
		return err
	}
	var decks []deck
	err = c.each(func(row rows.Row) error {
		limits, err := legacy.DeckNewLimits(row[1].Bytes, row[2].Bytes, q.today)
		decks = append(decks, newDeck(row[0].Int(), limits, perDay))
		return fault.Wrap(fault.DamagedFile, err, "deck %d", row[0].Int())
	}, "SELECT id, common, kind FROM decks")
	if err != nil {
		return err
	}
	for _, d := range decks {
		if err := c.Yield.Tick(ctx); err != nil {
			return err
		}
		ends, err := d.ends(c)
		if err != nil {
			return err
		}
		if ends != nil {
			q.decks[d.id] = ends
		}
	}
	return nil
}

// deck is how many new cards a deck shows today, and on each later day.
type deck struct{ id, first, later int64 }

// newDeck works out the limits of a deck. A configuration that does not exist counts as the default one.
func newDeck(id int64, l legacy.NewLimits, perDay map[int64]int64) deck {
	if l.Filtered {
		return deck{id, math.MaxInt64, math.MaxInt64}
	}
	later, ok := perDay[l.ConfigID]
	if !ok {
		later = perDay[1]
	}
	if l.PerDay != nil {
		later = *l.PerDay
	}
	first := later
	if l.Today != nil {
		first = *l.Today
	}
	return deck{id, max(0, first-l.Studied), later}
}

// plannedDays is how many days are told apart for new cards. Those of later days come on the day after.
const plannedDays = 30

// ends returns the last position of each day but the last one, nil if the deck never shows any new card.
func (d deck) ends(c *Collection) ([]int64, error) {
	ends := []int64{}
	last, next := int64(math.MinInt64), d.first
	if d.first == 0 {
		if d.later == 0 {
			return nil, nil
		}
		ends, next = append(ends, last), d.later
	}
	for len(ends) < plannedDays && next > 0 {
		row, err := rows.One(c.DB, "SELECT due FROM cards WHERE did = ? AND queue = 0 AND due > ? ORDER BY due LIMIT 1 OFFSET ?", d.id, last, next-1)
		if err != nil {
			return nil, err
		}
		if row == nil {
			break
		}
		last = row[0].Int()
		ends, next = append(ends, last), d.later
	}
	return ends, nil
}
