package simtest

import (
	"fmt"
	"slices"

	"github.com/cardferry/cardferry/hostrunner/anki"
)

// invariants checks what the real program's database check would complain about (study spec §6). What the protocol itself leaves
// behind when a deletion meets an edit is counted and let pass: cards of a deck or of a note that someone has deleted.
func (a *account) invariants(w *world, whose string, d anki.Dump) {
	in := func(table string) func(row []any, column string) any {
		columns := d[table].Columns
		return func(row []any, column string) any { return row[slices.Index(columns, column)] }
	}
	bad := func(format string, args ...any) { w.fail(whose+": "+format, args...) }
	has := func(table string, key any) bool { return d[table].Rows[fmt.Sprint(key)] != nil }
	note, card := in("notes"), in("cards")

	fields, templates := map[any]int{}, map[any]int{}
	for _, row := range d["fields"].Rows {
		fields[in("fields")(row, "ntid")]++
	}
	for _, row := range d["templates"].Rows {
		templates[in("templates")(row, "ntid")]++
	}
	for id, row := range d["notes"].Rows {
		mid := note(row, "mid")
		if !has("notetypes", mid) {
			bad("note %s has no notetype", id)
		}
		if n := countFields(note(row, "flds")); n != fields[mid] {
			bad("note %s has %d fields, its notetype %d", id, n, fields[mid])
		}
	}
	seen := map[string]string{}
	for id, row := range d["cards"].Rows {
		nid, did := card(row, "nid"), card(row, "did")
		if !has("notes", nid) {
			if o := (object{"notes", nid.(int64)}); len(a.truth.deleted[o]) == 0 && !a.truth.excused[o] {
				bad("card %s has no note", id)
			}
			w.cover.add("known: card of a deleted note")
		}
		if !has("decks", did) {
			if o := (object{"decks", did.(int64)}); len(a.truth.deleted[o]) == 0 && !a.truth.excused[o] {
				bad("card %s has no deck", id)
			}
			w.cover.add("known: card of a deleted deck")
		}
		if card(row, "odid") != int64(0) || card(row, "odue") != int64(0) {
			bad("card %s is in no filtered deck and has odid %v, odue %v", id, card(row, "odid"), card(row, "odue"))
		}
		key := fmt.Sprint(nid, "/", card(row, "ord"))
		if other := seen[key]; other != "" {
			w.cover.add("known: two cards of one template")
		}
		seen[key] = id
		if !sound(card(row, "type"), card(row, "queue")) {
			bad("card %s has type %v and queue %v", id, card(row, "type"), card(row, "queue"))
		}
	}
}

// usns checks that nothing has a usn that is still to come. Between a sync's merge and its end there is such, so it holds at rest only.
func usns(w *world, whose string, d anki.Dump) {
	of := func(table string) int { return slices.Index(d[table].Columns, "usn") }
	for _, row := range d["col"].Rows {
		usn := row[of("col")].(int64)
		for _, table := range []string{"notes", "cards", "revlog", "graves", "decks"} {
			for key, row := range d[table].Rows {
				if n := row[of(table)].(int64); n > usn || n < -1 {
					w.fail("%s: %s %s has usn %d, the collection %d", whose, table, key, n, usn)
				}
			}
		}
	}
}

func countFields(v any) int {
	n := 1
	for _, c := range fmt.Sprint(v) {
		if c == '\x1f' {
			n++
		}
	}
	return n
}

// sound reports whether a card's type and queue fit (study spec §6).
func sound(kind, queue any) bool {
	q, t := queue.(int64), kind.(int64)
	switch {
	case q >= -3 && q < 0:
		return t >= 0 && t <= 3
	case t == 0:
		return q == 0
	case t == 1, t == 3:
		return q == 1 || q == 3
	case t == 2:
		return q == 2
	}
	return false
}
