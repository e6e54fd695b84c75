package simtest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/hostrunner/anki"
)

// Two decks of one name: each side keeps its own name and puts a + to the other's, with the time of that, by its own clock, as the deck's
// time of change (sync spec §8.1). Nobody sends what was renamed in that way, so a deck has two times of change, and an edit by a third device that
// lies between them, or in the second in which both put their +, reaches one side only. Edits that are later than both reach everybody.

// meetNames notes which decks have a + here or at the server after a sync, with the later one of their times.
func (w *world) meetNames(d *device) {
	server, err := w.serverCollection(d.own)
	if err != nil {
		return // no collection yet, or a session holds it
	}
	both := func(sql string, do func(rows.Row), args ...any) {
		d.each(sql, do, args...)
		server.each(sql, do, args...)
	}
	var ids []int64
	both("SELECT id FROM decks WHERE instr(name, '+')", func(r rows.Row) { ids = append(ids, r[0].Int()) })
	for _, id := range ids {
		both("SELECT mtime_secs FROM decks WHERE id = ?", func(r rows.Row) { d.own.met[id] = max(d.own.met[id], r[0].Int()) }, id)
	}
}

// namesMet reports whether two rows of a deck may differ, as its name has met another deck's after the last edit of either.
func (own *account) namesMet(id int64, columns []string, a, b []any) bool {
	n, m := slices.Index(columns, "name"), slices.Index(columns, "mtime_secs")
	if a[n] != b[n] && (marked(a[n]) || marked(b[n])) {
		return true
	}
	here, _ := a[m].(int64)
	there, _ := b[m].(int64)
	return max(here, there) <= own.met[id]
}

// renamed excuses the times of decks whose name has met another one: the time of the meeting may be behind the clock of who has edited it.
func (own *account) renamed(d anki.Dump) {
	decks := d["decks"]
	for _, row := range decks.Rows {
		id, _ := row[slices.Index(decks.Columns, "id")].(int64)
		o := object{"decks", id}
		if marked(row[slices.Index(decks.Columns, "name")]) || own.truth.latest[o] <= own.met[id] {
			delete(own.truth.latest, o)
		}
	}
}

// marked reports whether a deck's name has signs that set it apart from another one's.
func marked(name any) bool {
	return slices.ContainsFunc(strings.Split(fmt.Sprint(name), "\x1f"), func(part string) bool { return strings.HasSuffix(part, "+") })
}
