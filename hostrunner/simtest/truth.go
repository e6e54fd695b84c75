package simtest

import (
	"maps"

	"github.com/cardferry/cardferry/core/rows"
)

// truth is what the learner has made and deleted: what must be everywhere in the end, and what must be nowhere.
type truth struct {
	made    map[object]bool
	deleted map[object]map[int]bool // by whom
	excused map[object]bool         // what a one-way sync may have lost or brought back
}

// object names a row.
type object struct {
	table string
	id    int64
}

var watched = []string{"notes", "cards", "revlog", "decks"}

func newTruth() truth {
	return truth{made: map[object]bool{}, deleted: map[object]map[int]bool{}, excused: map[object]bool{}}
}

// look returns the rows of a device.
func (t *truth) look(d *device) map[object]bool {
	all := map[object]bool{}
	d.each("SELECT 0, id FROM notes UNION ALL SELECT 1, id FROM cards UNION ALL SELECT 2, id FROM revlog UNION ALL SELECT 3, id FROM decks", func(r rows.Row) {
		all[object{watched[r[0].Int()], r[1].Int()}] = true
	})
	return all
}

// changed notes what an edit of a device did: the learner sees what is there before and after it.
func (t *truth) changed(d *device, before map[object]bool) {
	after := t.look(d)
	for o := range after {
		if !before[o] {
			t.made[o] = true
			delete(t.deleted[o], d.id) // an undo
		}
	}
	for o := range before {
		if !after[o] {
			if t.deleted[o] == nil {
				t.deleted[o] = map[int]bool{}
			}
			t.deleted[o][d.id] = true
		}
	}
}

// excuse is called before a one-way sync: of what is not everywhere, anything may be left.
func (w *world) excuse() {
	sides := []map[object]bool{w.serverObjects()}
	for _, d := range w.devices {
		sides = append(sides, w.truth.look(d))
	}
	all := map[object]bool{}
	for _, s := range sides {
		maps.Copy(all, s)
	}
	for o := range all {
		for _, s := range sides {
			if !s[o] {
				w.truth.excused[o] = true
			}
		}
	}
	clear(w.versions) // of edits, too
	// What is deleted and not sent is in no one's rows any more, and comes back with a download.
	for o := range w.truth.deleted {
		w.truth.excused[o] = true
	}
}

// judge compares what there is in the end with what should be.
func (t *truth) judge(w *world, have map[object]bool) {
	for o := range t.made {
		gone := len(t.deleted[o]) > 0
		switch {
		case t.excused[o]:
		case !gone && !have[o]:
			w.fail("lost: %s %d, which nobody has deleted", o.table, o.id)
		case gone && have[o]:
			w.fail("back: %s %d, which was deleted", o.table, o.id)
		}
	}
}
