package study

import (
	"cmp"
	"slices"
)

// shuffled is an SQL expression that puts cards or notes into an order which is another one every day, and stays for a day,
// however often the queue is built.
func shuffled(column string) string {
	return "((" + column + " % 1000003) * (?2 % 997 * 7919 + 104729) % 1000003)"
}

// The SQL expressions for what FSRS knows, which damaged data does not stop. ?2 is the day, ?3 its end.
const (
	jsonData = "CASE WHEN json_valid(c.data) THEN c.data END"
	hardness = "coalesce(json_extract(" + jsonData + ", '$.d'), 0)"
	decay    = "coalesce(json_extract(" + jsonData + ", '$.decay'), 0.5)"
	waited   = "c.ivl + ?2 - iif(c.odue, c.odue, c.due)"
	// The power of the forgetting curve grows from 1 with the days; after S days it is that of a retrievability of 0.9.
	grown    = "coalesce((?3 - json_extract(" + jsonData + ", '$.lrt')) / 86400, " + waited + ") / max(json_extract(" + jsonData + ", '$.s'), 0.001) * (pow(0.9, -1.0 / " + decay + ") - 1)"
	retained = "pow(1 + " + grown + ", -" + decay + ")"
	overdue  = "coalesce(" + grown + " / (pow(json_extract(" + jsonData + ", '$.dr'), -1.0 / " + decay + ") - 1), (" + waited + " + 0.0) / max(c.ivl, 1))"
)

// reviewOrder returns what a deck configuration's number sorts reviews by, as SQL (collection-format.md §2.6).
func reviewOrder(number int64, fsrs bool) string {
	switch number {
	case 1: // day, then deck
		return "c.due, k.key"
	case 2: // deck, then day
		return "k.key, c.due"
	case 3:
		return "c.ivl"
	case 4:
		return "c.ivl DESC"
	case 5, 6: // ease, ascending or descending; the difficulty says the same the other way round
		if fsrs {
			return [...]string{hardness + " DESC", hardness}[number-5]
		}
		return [...]string{"c.factor", "c.factor DESC"}[number-5]
	case 7: // retrievability, ascending: first what has none, also without FSRS
		return retained
	case 11: // the same, descending
		return retained + " DESC"
	case 12: // relative overdueness
		if fsrs {
			return overdue + " DESC"
		}
		return "(?2 - c.due + 0.0) / max(c.ivl, 1) DESC" // of a filtered deck below, with the place in it
	case 8:
		return shuffled("c.id")
	case 9: // added
		return "c.nid, c.ord"
	case 10:
		return "c.nid DESC, c.ord"
	}
	return "c.due"
}

// newOrder returns what new cards are gathered by, as SQL; "" for one deck after the other, by position. The cards of a note share
// one: the first template comes first, whatever their ids, which the real program gives to clozes in any order.
func newOrder(number int64) string {
	switch number {
	case 1: // lowest position
		return "c.due, c.ord, c.did"
	case 2: // highest position
		return "c.due DESC, c.ord, c.did"
	case 3: // random notes
		return shuffled("c.nid") + ", c.ord"
	case 4: // random cards
		return shuffled("c.id")
	case 5: // deck, then random notes
		return "k.key, " + shuffled("c.nid") + ", c.ord"
	}
	return ""
}

// sortNew sorts the new cards that were gathered.
func sortNew(list []entry, number, day int64) {
	shuffle := func(id int64) int64 { return (id % 1000003) * (day%997*7919 + 104729) % 1000003 }
	key := func(e *entry) (first, second int64) {
		switch number {
		case 0:
			return e.ord, 0
		case 2:
			return e.ord, shuffle(e.id)
		case 3:
			return shuffle(e.note), e.ord
		case 4:
			return shuffle(e.id), 0
		}
		return 0, 0
	}
	slices.SortStableFunc(list, func(a, b entry) int {
		a1, a2 := key(&a)
		b1, b2 := key(&b)
		return cmp.Or(cmp.Compare(a1, b1), cmp.Compare(a2, b2))
	})
}
