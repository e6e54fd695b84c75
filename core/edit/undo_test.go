package edit_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/edit"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/undo"
)

// TestUndo makes random edits and takes them back, some at once and the rest at the end: each time the collection is exactly as it
// was, with all mods and usns.
func TestUndo(t *testing.T) {
	t.Parallel()
	for seed := range uint64(12) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			a := newWorld(t)
			if err := undo.Discard(a.db, 0); err != nil {
				t.Fatal(err)
			}
			r := rand.New(rand.NewPCG(seed, 1))
			states := []map[string][]string{contents(t, a.db)}
			var steps []string
			back := func() {
				t.Helper()
				name, err := edit.Undo(a.host, a.db, nil)
				if last := len(steps) - 1; err != nil || !strings.Contains(steps[last], `[{"op":"`+name+`"`) {
					t.Fatalf("%s: %q, %v", steps[last], name, err)
				}
				states = states[:len(states)-1]
				if d := difference(states[len(states)-1], contents(t, a.db)); d != "" {
					t.Fatalf("after taking back %s:\n%s", steps[len(steps)-1], d)
				}
				steps = steps[:len(steps)-1]
			}
			for range 60 {
				if len(steps) > 0 && r.IntN(4) == 0 {
					back()
					continue
				}
				ops := randomEdit(a, r)
				if r.IntN(4) == 0 {
					ops = ops[:len(ops)-1] + "," + randomEdit(a, r)[1:]
				}
				before := states[len(states)-1]
				_, err := a.try(ops)
				after := contents(t, a.db)
				same := difference(before, after) == ""
				if err != nil && !same {
					t.Fatalf("%s: %v, and yet something has changed", ops, err)
				}
				if !same {
					states, steps = append(states, after), append(steps, ops)
				}
				if r.IntN(3) > 0 {
					a.clock.Advance(1e9)
				}
			}
			for kept := max(0, len(steps)-30); len(steps) > kept; {
				back()
			}
			if _, err := edit.Undo(a.host, a.db, nil); fault.KindOf(err) != fault.NotFound {
				t.Error(err)
			}
		})
	}
}

// TestUndoAfterSync: of two edits during a sync, one before its end by the server's clock, the later one is taken back. What is left must be
// newer than the sync: it would not be sent, and the next sync would put the server's config in the place of ours.
func TestUndoAfterSync(t *testing.T) {
	t.Parallel()
	a := newWorld(t)
	if err := undo.Discard(a.db, 0); err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{"1", "2"} {
		if _, err := a.try(`[{"op":"setConfig","key":"k","value":` + value + `}]`); err != nil {
			t.Fatal(err)
		}
		a.clock.Advance(1e9)
	}
	if err := a.db.Exec("UPDATE col SET ls = mod - 500"); err != nil { // as a sync ends: mod is later
		t.Fatal(err)
	}
	if _, err := edit.Undo(a.host, a.db, nil); err != nil {
		t.Fatal(err)
	}
	if got := a.list("SELECT mod > ls FROM col"); got[0] != "1" {
		t.Error("the collection is not newer than its last sync")
	}
}

// difference says how two contents differ, "" if they do not.
func difference(a, b map[string][]string) string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(a)) {
		if !slices.Equal(a[key], b[key]) {
			out = append(out, fmt.Sprintf("%s: %q, was %q", key, b[key], a[key]))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(b)) {
		if a[key] == nil {
			out = append(out, fmt.Sprintf("%s: %q is new", key, b[key]))
		}
	}
	return strings.Join(out, "\n")
}

// randomEdit returns one operation on what is there; it may be wrong.
func randomEdit(a *app, r *rand.Rand) string {
	pick := func(table string) string {
		list := a.list("SELECT id FROM " + table + " ORDER BY id")
		if len(list) == 0 {
			return "5"
		}
		return list[r.IntN(len(list))]
	}
	text := func() string { return strconv.Quote(fmt.Sprintf("{{c%d::w%d}}", r.IntN(4), r.IntN(5))) }
	cards := `"cardIds":[` + pick("cards") + "," + pick("cards") + `]`
	op := func(name, fields string) string { return `[{"op":"` + name + `",` + fields + `}]` }
	switch r.IntN(17) {
	case 0, 1:
		nt := []string{"basic", "reversed", "cloze"}[r.IntN(3)]
		return op("addNote", fmt.Sprintf(`"notetypeId":$%s,"deckId":%s,"fields":[%s,%s],"tags":["t%d","T%d::x"]`, nt, pick("decks"), text(), text(), r.IntN(5), r.IntN(5)))
	case 2, 3:
		return op("updateNote", fmt.Sprintf(`"noteId":%s,"fields":[%s,%s],"addTags":["u%d"],"removeTags":["t%d"]`, pick("notes"), text(), text(), r.IntN(5), r.IntN(5)))
	case 4:
		return op("removeNotes", `"noteIds":[`+pick("notes")+`]`)
	case 5:
		return op("addDeck", fmt.Sprintf(`"name":"d%d::e%d"`, r.IntN(3), r.IntN(3)))
	case 6:
		return op("renameDeck", fmt.Sprintf(`"deckId":%s,"name":"D%d::e%d::f"`, pick("decks"), r.IntN(3), r.IntN(3)))
	case 7:
		return op("removeDeck", `"deckId":`+pick("decks"))
	case 8:
		return op("setConfig", fmt.Sprintf(`"key":"k%d","value":%s`, r.IntN(3), []string{"null", "1", "2"}[r.IntN(3)]))
	case 9:
		return op("setTemplate", fmt.Sprintf(`"notetypeId":$reversed,"ord":%d,"front":"{{Front}}%d{{#Back}}x{{/Back}}"`, r.IntN(2), r.IntN(3)))
	case 10:
		return op("setCards", cards+fmt.Sprintf(`,"suspended":%v`, r.IntN(2) == 0))
	case 11:
		return op("setCards", cards+fmt.Sprintf(`,"buried":%v,"flag":%d`, r.IntN(2) == 0, r.IntN(8)))
	case 12:
		return op("setCards", cards+`,"deckId":`+pick("decks"))
	case 13:
		return op("setCards", cards+fmt.Sprintf(`,"due":"%d!"`, r.IntN(9)))
	case 14:
		return op("setCards", cards+fmt.Sprintf(`,"forget":true,"position":%d`, r.IntN(9)))
	default:
		return op("answerCard", fmt.Sprintf(`"cardId":%s,"button":%d,"takenMs":%d`, pick("cards"), 1+r.IntN(4), r.IntN(90000)))
	}
}
