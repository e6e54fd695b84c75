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
	editors map[edition]map[int]bool
	latest  map[object]int64 // the time of the last change: the newer edit wins, whoever synced first
}

// edition is a row with its time of change. Two devices that edit a row in the same second make two of one edition, of which neither
// wins (sync spec §8: "the copies stay different until the next edit").
type edition struct {
	object
	mod int64
}

// object names a row.
type object struct {
	table string
	id    int64
}

var watched = []string{"notes", "cards", "revlog", "decks", "notetypes"}

func newTruth() truth {
	return truth{made: map[object]bool{}, deleted: map[object]map[int]bool{}, excused: map[object]bool{}, editors: map[edition]map[int]bool{}, latest: map[object]int64{}}
}

// watchedRows reads the watched rows: the number of the table, the id, the time of change.
const watchedRows = "SELECT 0, id, mod FROM notes UNION ALL SELECT 1, id, mod FROM cards UNION ALL SELECT 2, id, 0 FROM revlog " +
	"UNION ALL SELECT 3, id, mtime_secs FROM decks UNION ALL SELECT 4, id, mtime_secs FROM notetypes"

// look returns the rows of a device, with their times of change.
func (t *truth) look(d *device) map[object]int64 {
	all := map[object]int64{}
	d.each(watchedRows, func(r rows.Row) {
		all[object{watched[r[0].Int()], r[1].Int()}] = r[2].Int()
	})
	return all
}

// changed notes what an edit of a device did: the learner sees what is there before and after it.
func (t *truth) changed(d *device, before map[object]int64) {
	after := t.look(d)
	for o, mod := range after {
		old, was := before[o]
		if !was {
			if t.made[o] && !t.deleted[o][d.id] { // another one was given the same id
				t.excused[o] = true
				d.w.cover.add("known: an id given twice")
			}
			t.made[o] = true
			delete(t.deleted[o], d.id) // an undo
		}
		if !was || old != mod {
			note(t.editors, edition{o, mod}, d.id)
			if last, is := t.latest[o]; is && (!was || mod < old) { // an undo of what no one has seen, or the id of what was taken back
				t.latest[o] = min(last, mod)
			}
			t.latest[o] = max(t.latest[o], mod)
		}
	}
	for o := range before {
		if _, is := after[o]; !is {
			note(t.deleted, o, d.id)
		}
	}
	t.excuseUnseen(d, before, after)
}

// excuseUnseen excuses the ids that a device has given and taken back in one edit: another device may have given one in the same millisecond,
// and the grave is for that one, too.
func (t *truth) excuseUnseen(d *device, before, after map[object]int64) {
	d.each("SELECT type, oid FROM graves WHERE usn = -1", func(r rows.Row) {
		o := object{[]string{"cards", "notes", "decks"}[r[0].Int()], r[1].Int()}
		_, was := before[o]
		if _, is := after[o]; !was && !is && len(t.deleted[o]) == 0 {
			t.excused[o] = true
		}
	})
}

func note[K comparable](m map[K]map[int]bool, key K, device int) {
	if m[key] == nil {
		m[key] = map[int]bool{}
	}
	m[key][device] = true
}

// excuse is called before a one-way sync: of what is not everywhere, anything may be left.
func (a *account) excuse(w *world) {
	sides := []map[object]int64{w.serverObjects(a)}
	for _, d := range a.devices {
		sides = append(sides, a.truth.look(d))
	}
	all := map[object]int64{}
	for _, s := range sides {
		maps.Copy(all, s)
	}
	for o := range all {
		for _, s := range sides {
			if _, there := s[o]; !there {
				a.truth.excused[o] = true
			}
		}
	}
	clear(a.versions) // of edits, too
	clear(a.truth.latest)
	// What is deleted and not sent is in no one's rows any more, and comes back with a download.
	for o := range a.truth.deleted {
		a.truth.excused[o] = true
	}
}

// excuseNew is called after a download with what was made before it: what was edited meanwhile may be lost.
func (a *account) excuseNew(before map[object]bool) {
	clear(a.versions)
	clear(a.truth.latest)
	for o := range a.truth.made {
		if !before[o] {
			a.truth.excused[o] = true
		}
	}
	for o := range a.truth.deleted { // what was deleted meanwhile is back
		a.truth.excused[o] = true
	}
}

// judge compares what there is in the end with what should be.
func (t *truth) judge(w *world, have map[object]int64) {
	for o := range t.made {
		gone := len(t.deleted[o]) > 0
		_, here := have[o]
		switch {
		case t.excused[o]:
		case !gone && !here:
			w.fail("lost: %s %d, which nobody has deleted", o.table, o.id)
		case gone && here:
			w.fail("back: %s %d, which was deleted", o.table, o.id)
		}
	}
	for o := range have {
		if !t.made[o] {
			w.fail("%s %d, which nobody of this account has made", o.table, o.id)
		}
	}
	for o, mod := range t.latest {
		if now, here := have[o]; here && now < mod {
			w.fail("%s %d was edited at %d, and is as it was at %d", o.table, o.id, mod, now)
		}
	}
}
