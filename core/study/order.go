package study

import (
	"cmp"
	"slices"
)

// order says how cards of one kind are sorted: by two SQL expressions, of which the deck's place may be put before one.
type order struct {
	key1, key2  string
	index       string // what to sort by in SQL, where that is an index, else ""
	deck, after bool   // the deck's place goes before key1, or after it
}

func (o *order) by() string {
	if o.index != "" {
		return o.index
	}
	return "5, 6"
}

// place puts the place of the deck into the keys of an entry.
func (o *order) place(e *entry) {
	switch {
	case o.after:
		e.key2 = float64(e.place)
	case o.deck:
		e.key1, e.key2 = float64(e.place), e.key1
	}
}

// shuffled is an SQL expression that puts cards or notes into an order which is another one every day, and stays for a day, however often
// the queue is built.
func shuffled(column, day string) string {
	return "((" + column + " % 1000003) * (" + day + " % 997 * 7919 + 104729) % 1000003)"
}

// The expressions for what FSRS knows, which damaged data does not stop.
const (
	jsonData  = "CASE WHEN json_valid(data) THEN data END"
	hardness  = "coalesce(json_extract(" + jsonData + ", '$.d'), 0)"
	faded     = "coalesce((?3 - json_extract(" + jsonData + ", '$.lrt')) / 86400 / max(json_extract(" + jsonData + ", '$.s'), 0.001), " + overdue + ")"
	overdue   = "(?2 - due + 1.0) / max(ivl, 1)"
	ofReviews = "due, id"
)

// reviewOrder returns the order of a deck configuration's number (collection-format.md §2.6).
func reviewOrder(number int64, fsrs bool) order {
	late := overdue
	if fsrs {
		late = faded
	}
	switch number {
	case 1: // day, then deck
		return order{key1: "due", key2: "0", index: ofReviews, after: true}
	case 2: // deck, then day
		return order{key1: "due", key2: "0", index: ofReviews, deck: true}
	case 3:
		return order{key1: "ivl", key2: "0"}
	case 4:
		return order{key1: "-ivl", key2: "0"}
	case 5, 6: // ease, ascending or descending; the difficulty says the same the other way round
		key := "factor"
		if fsrs {
			key = "-" + hardness
		}
		if number == 6 {
			key = "-(" + key + ")"
		}
		return order{key1: key, key2: "0"}
	case 7: // retrievability, ascending
		return order{key1: "-(" + late + ")", key2: "0"}
	case 11: // the same, descending
		return order{key1: late, key2: "0"}
	case 12: // relative overdueness
		return order{key1: "-(" + overdue + ")", key2: "0"}
	case 8:
		return order{key1: shuffled("id", "?2"), key2: "0"}
	case 9: // added
		return order{key1: "nid", key2: "ord"}
	case 10:
		return order{key1: "-nid", key2: "ord"}
	}
	return order{key1: "due", key2: "0", index: ofReviews}
}

// newOrder returns the order in which new cards are gathered.
func newOrder(number int64) order {
	switch number {
	case 1: // lowest position
		return order{key1: "due", index: "due"}
	case 2: // highest position
		return order{key1: "-due", index: "due DESC"}
	case 3: // random notes
		return order{key1: shuffled("nid", "?2")}
	case 4: // random cards
		return order{key1: shuffled("id", "?2")}
	case 5: // deck, then random notes
		return order{key1: shuffled("nid", "?2"), deck: true}
	}
	return order{key1: "due", index: "due", deck: true}
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
