package simtest

import (
	"fmt"

	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/hostrunner/anki"
)

// versions are what the learner has made of each note, by its time of change: in the end the one with the latest time must be there
// (sync spec §8: the newer edit wins), whoever synced first.
type versions map[int64]map[string]int64

// noteState is a note as the learner sees it.
type noteState struct {
	mod     int64
	content string
}

func (d *device) notes() map[int64]noteState {
	all := map[int64]noteState{}
	d.each("SELECT id, mod, flds, tags FROM notes", func(r rows.Row) {
		all[r[0].Int()] = noteState{r[1].Int(), r[2].String() + "\x1e" + r[3].String()}
	})
	return all
}

// changed notes what an edit made of the notes. An undo takes the latest version back, which no one has seen.
func (v versions) changed(before, after map[int64]noteState) {
	for id, now := range after {
		old, was := before[id]
		if was && old == now {
			continue
		}
		if was && now.mod <= old.mod {
			if v[id][old.content] == old.mod {
				delete(v[id], old.content)
			}
			if len(v[id]) == 0 {
				delete(v, id) // what others made of it was excused
			}
			continue
		}
		if v[id] == nil {
			v[id] = map[string]int64{}
		}
		v[id][now.content] = max(v[id][now.content], now.mod) // another device may have made the same of it
	}
}

// judge compares the notes in the end with their versions.
func (v versions) judge(w *world, t *truth, d anki.Dump) {
	for id, list := range v {
		o := object{"notes", id}
		flds, ok := d.Get("notes", "flds", id).(string)
		if !ok || t.excused[o] {
			continue
		}
		tags, _ := d.Get("notes", "tags", id).(string)
		var latest int64
		for _, mod := range list {
			latest = max(latest, mod)
		}
		mod, made := list[flds+"\x1e"+tags]
		if now, _ := d.Get("notes", "mod", id).(int64); !made && now > latest {
			continue // made before a one-way sync, which has excused it and then failed, by a clock that is ahead
		}
		if !made || mod < latest {
			w.fail("note %d is not as it was edited last (%d): %s", id, latest, fmt.Sprintf("%q %q of %d, known: %v", flds, tags, mod, made))
		}
	}
}
