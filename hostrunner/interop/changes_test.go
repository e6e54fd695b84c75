package interop_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/hostrunner/anki"
)

// edit is one kind of change to the world. The changes touch different objects, so that all of them can be made one after
// the other.
type edit struct {
	name string
	// do makes the change and returns what to look for: it reports whether a collection has the change.
	do func(t testing.TB, w *world, e editor) func(anki.Dump) bool
}

// edits are all kinds of changes that can be merged.
var edits = []edit{
	{"add note", func(t testing.TB, w *world, e editor) func(anki.Dump) bool {
		note, card := e.addNote(t, w.child, "<b>new</b> &amp; 3 < 4", "fresh", "words::new")
		return func(d anki.Dump) bool {
			return d.Has("notes", note) && d.Has("cards", card) && d.Has("tags", "words::new")
		}
	}},
	{"edit note", func(t testing.TB, w *world, e editor) func(anki.Dump) bool {
		e.editNote(t, w.notes[1], "edited 漢字")
		return func(d anki.Dump) bool { return d.Get("notes", "sfld", w.notes[1]) == "edited 漢字" }
	}},
	{"number as sort field", func(t testing.TB, w *world, e editor) func(anki.Dump) bool {
		e.editNote(t, w.notes[2], "0012")
		return func(d anki.Dump) bool { return d.Get("notes", "sfld", w.notes[2]) == int64(12) }
	}},
	{"tag note", func(t testing.TB, w *world, e editor) func(anki.Dump) bool {
		e.tagNote(t, w.notes[3], "später")
		return func(d anki.Dump) bool {
			return d.Get("notes", "tags", w.notes[3]) == " später " && d.Has("tags", "später")
		}
	}},
	{"remove note", func(t testing.TB, w *world, e editor) func(anki.Dump) bool {
		e.removeNote(t, w.notes[4])
		return func(d anki.Dump) bool { return !d.Has("notes", w.notes[4]) && !d.Has("cards", w.cards[4]) }
	}},
	{"add deck", func(t testing.TB, w *world, e editor) func(anki.Dump) bool {
		id := e.addDeck(t, "Base::Ünïcode 🎉")
		return func(d anki.Dump) bool { return d.Get("decks", "name", id) == "Base\x1fÜnïcode 🎉" }
	}},
	{"rename deck", func(t testing.TB, w *world, e editor) func(anki.Dump) bool {
		e.renameDeck(t, w.spare[0], "Base::Moved")
		return func(d anki.Dump) bool { return d.Get("decks", "name", w.spare[0]) == "Base\x1fMoved" }
	}},
	{"describe deck", func(t testing.TB, w *world, e editor) func(anki.Dump) bool {
		e.describeDeck(t, w.child, "a description")
		return func(d anki.Dump) bool {
			b, _ := d.Get("decks", "kind", w.child).([]byte)
			return strings.Contains(string(b), "a description")
		}
	}},
	{"remove empty deck", func(t testing.TB, w *world, e editor) func(anki.Dump) bool {
		e.removeDeck(t, w.spare[1])
		return func(d anki.Dump) bool { return !d.Has("decks", w.spare[1]) }
	}},
	{"remove filtered deck, then full deck", func(t testing.TB, w *world, e editor) func(anki.Dump) bool {
		e.removeDeck(t, w.filtered)
		e.removeDeck(t, w.full)
		return func(d anki.Dump) bool {
			return !d.Has("decks", w.full) && !d.Has("decks", w.filtered) && !d.Has("notes", w.fullNote)
		}
	}},
	{"add deck config", func(t testing.TB, w *world, e editor) func(anki.Dump) bool {
		id := e.addDeckConfig(t, "New config")
		return func(d anki.Dump) bool { return d.Get("deck_config", "name", id) == "New config" }
	}},
	{"edit deck config", func(t testing.TB, w *world, e editor) func(anki.Dump) bool {
		e.editDeckConfig(t, w.deckConfig, 77)
		return func(d anki.Dump) bool {
			b, _ := d.Get("deck_config", "config", w.deckConfig).([]byte)
			return strings.Contains(string(b), "\x48\x4d") // new_per_day = 77
		}
	}},
	{"add notetype", func(t testing.TB, w *world, e editor) func(anki.Dump) bool {
		id := e.addNotetype(t, "New type")
		return func(d anki.Dump) bool {
			return d.Get("notetypes", "name", id) == "New type" && d.Has("fields", fmt.Sprint(id, "/1"))
		}
	}},
	{"style notetype", func(t testing.TB, w *world, e editor) func(anki.Dump) bool {
		e.styleNotetype(t, w.notetype, ".card { color: tomato }")
		return func(d anki.Dump) bool {
			b, _ := d.Get("notetypes", "config", w.notetype).([]byte)
			return strings.Contains(string(b), "tomato")
		}
	}},
	{"rename notetype", func(t testing.TB, w *world, e editor) func(anki.Dump) bool {
		e.renameNotetype(t, w.otherType, "Renamed type")
		return func(d anki.Dump) bool { return d.Get("notetypes", "name", w.otherType) == "Renamed type" }
	}},
	{"add config key", func(t testing.TB, w *world, e editor) func(anki.Dump) bool {
		e.setConfig(t, "newKey", `[true,null,"ä"]`)
		return func(d anki.Dump) bool { return d.Config("newKey") != "" }
	}},
	{"change config key", func(t testing.TB, w *world, e editor) func(anki.Dump) bool {
		e.setConfig(t, w.key, `9007199254740995`)
		return func(d anki.Dump) bool { return d.Config(w.key) == "9007199254740995" }
	}},
	{"remove config key", func(t testing.TB, w *world, e editor) func(anki.Dump) bool {
		e.removeConfig(t, "goneKey")
		return func(d anki.Dump) bool { return d.Config("goneKey") == "" }
	}},
	{"answer card", func(t testing.TB, w *world, e editor) func(anki.Dump) bool {
		e.answer(t, w.cards[5])
		return func(d anki.Dump) bool {
			for key, row := range d["revlog"].Rows {
				if row[1] == w.cards[5] && d.Get("cards", "reps", w.cards[5]) == int64(1) {
					return d.Has("revlog", key)
				}
			}
			return false
		}
	}},
	{"suspend card", func(t testing.TB, w *world, e editor) func(anki.Dump) bool {
		e.suspend(t, w.cards[6])
		return func(d anki.Dump) bool { return d.Get("cards", "queue", w.cards[6]) == int64(-1) }
	}},
	{"flag card", func(t testing.TB, w *world, e editor) func(anki.Dump) bool {
		e.flag(t, w.cards[7], 3)
		return func(d anki.Dump) bool { return d.Get("cards", "flags", w.cards[7]) == int64(3) }
	}},
	{"move card", func(t testing.TB, w *world, e editor) func(anki.Dump) bool {
		e.move(t, w.cards[8], w.child)
		return func(d anki.Dump) bool { return d.Get("cards", "did", w.cards[8]) == w.child }
	}},
}
