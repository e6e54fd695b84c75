package interop_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/cardferry/cardferry/hostrunner/anki"
)

// A conflict is decided as between two real clients. first is the device that syncs first.
func TestConflicts(t *testing.T) {
	t.Parallel()
	for _, age := range []struct {
		name   string
		second int64 // how much newer the second device's changes are, in seconds
	}{
		{"second is newer", 10}, {"second is older", -10}, {"same second", 0},
	} {
		t.Run(age.name, func(t *testing.T) {
			t.Parallel()
			want := outcomeOf(t, nil, func(s *setup) (device, device) { return s.real, s.anotherReal(t) }, age.second)
			for _, oursFirst := range []bool{true, false} {
				name := "real client first"
				if oursFirst {
					name = "ours first"
				}
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					hosts(t, 2, func(t *testing.T, e engine) {
						got := outcomeOf(t, &e, func(s *setup) (device, device) {
							if oursFirst {
								return s.ours, s.real
							}
							return s.real, s.ours
						}, age.second)
						for _, k := range slices.Sorted(maps.Keys(want)) {
							if got[k] != want[k] {
								t.Errorf("%s: %s, between real clients %s", k, got[k], want[k])
							}
						}
					})
				})
			}
		})
	}
}

// anotherReal adds a second real client.
func (s *setup) anotherReal(t testing.TB) *real {
	first := s.real
	s.addReal(t, s.file)
	second := s.real
	s.real = first
	return second
}

// outcomeOf makes conflicting changes on two devices and returns, for each object, what the first device, the second one
// and the server have in the end.
func outcomeOf(t *testing.T, e *engine, devices func(*setup) (device, device), newer int64) map[string]string {
	t.Helper()
	on := inProcess
	if e != nil {
		on = *e
	}
	s := newSetup(t, on)
	first, second := devices(s)
	out := s.fight(t, first, second, newer)
	// Not the database check: a card answered on both devices has the state of one answer and the review of the other, which it
	// reports for two real clients as well.
	s.ours.intact(t)
	return out
}

// fight makes the conflicting changes, syncs, and returns what each side has.
func (s *setup) fight(t *testing.T, first, second device, newer int64) map[string]string {
	t.Helper()
	now := time.Now().Unix()
	for i, d := range []device{first, second} {
		side := []string{"first", "second"}[i]
		mod := now - 100 + int64(i)*newer
		d.editNote(t, s.notes[1], side)
		d.age(t, "notes", s.notes[1], mod)
		d.flag(t, s.cards[2], i+1)
		d.age(t, "cards", s.cards[2], mod)
		d.describeDeck(t, s.child, "by "+side)
		d.age(t, "decks", s.child, mod)
		d.renameDeck(t, s.spare[0], "Renamed by "+side)
		d.age(t, "decks", s.spare[0], mod)
		d.editDeckConfig(t, s.deckConfig, 10+i)
		d.age(t, "deck_config", s.deckConfig, mod)
		d.styleNotetype(t, s.notetype, ".by-"+side+"{}")
		d.renameNotetype(t, s.notetype, "Type by "+side)
		d.age(t, "notetypes", s.notetype, mod)
		d.setConfig(t, s.key, `"`+side+`"`)
		d.setConfig(t, "only by "+side, "1")
		d.answer(t, s.cards[9])
		d.age(t, "cards", s.cards[9], mod)
		d.tagNote(t, s.notes[10], []string{"Case", "case"}[i])
		d.age(t, "notes", s.notes[10], mod)
		d.addDeck(t, "Same deck")
		d.addDeckConfig(t, "Same config")
		d.addNotetype(t, "Same type")
		if i == 0 {
			d.removeNote(t, s.notes[11])
			d.editNote(t, s.notes[12], "edited by first")
			d.removeDeck(t, s.spare[1])
			d.describeDeck(t, s.spare[2], "by first")
		} else {
			d.editNote(t, s.notes[11], "edited by second")
			d.removeNote(t, s.notes[12])
			d.describeDeck(t, s.spare[1], "by second")
			d.removeDeck(t, s.spare[2])
		}
	}
	first.sync(t)
	second.sync(t)
	first.sync(t)
	out := map[string]string{}
	for who, d := range map[string]anki.Dump{"first": first.dump(t), "second": second.dump(t), "server": anki.Read(t, s.acc.Download(t))} {
		for k, v := range s.results(d) {
			out[k+" at "+who] = v
		}
	}
	return out
}

// results are the values that the devices fought about.
func (s *setup) results(d anki.Dump) map[string]string {
	names := func(table, like string) (found []string) {
		for key := range d[table].Rows {
			if name, _ := d.Get(table, "name", key).(string); len(name) >= len(like) && name[:len(like)] == like {
				found = append(found, name)
			}
		}
		slices.Sort(found)
		return found
	}
	tags := []string{}
	for key := range d["tags"].Rows {
		if key == "Case" || key == "case" {
			tags = append(tags, key)
		}
	}
	out := map[string]any{
		"note":           d.Get("notes", "sfld", s.notes[1]),
		"flag":           d.Get("cards", "flags", s.cards[2]),
		"deck":           fmt.Sprintf("%q", d.Get("decks", "kind", s.child)),
		"deck name":      d.Get("decks", "name", s.spare[0]),
		"deck config":    fmt.Sprintf("%q", d.Get("deck_config", "config", s.deckConfig)),
		"notetype":       fmt.Sprintf("%q", d.Get("notetypes", "config", s.notetype)),
		"notetype name":  d.Get("notetypes", "name", s.notetype),
		"config":         d.Config(s.key) + d.Config("only by first") + "," + d.Config("only by second"),
		"reviews":        len(d["revlog"].Rows),
		"answers":        d.Get("cards", "reps", s.cards[9]),
		"tags":           tags,
		"tags of note":   d.Get("notes", "tags", s.notes[10]),
		"equal decks":    names("decks", "Same"),
		"equal configs":  names("deck_config", "Same"),
		"equal types":    names("notetypes", "Same"),
		"removed first":  d.Get("notes", "sfld", s.notes[11]),
		"removed second": d.Get("notes", "sfld", s.notes[12]),
		"deck gone 1":    d.Has("decks", s.spare[1]),
		"deck gone 2":    d.Has("decks", s.spare[2]),
	}
	text := map[string]string{}
	for k, v := range out {
		text[k] = fmt.Sprint(v)
	}
	return text
}
