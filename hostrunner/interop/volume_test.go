package interop_test

import (
	"fmt"
	"testing"

	"github.com/cardferry/cardferry/hostrunner/anki"
)

// many rows of each of three tables fill 25 slices.
const many = 2100

// Thousands of notes, cards, reviews and graves travel both ways at once.
func TestManyRows(t *testing.T) {
	t.Parallel()
	hosts(t, 1, func(t *testing.T, e engine) {
		s := newSetup(t, e)
		s.ours.fill(t, s.world, 1_000_000_000_000)
		s.real.fill(t, s.world, 1_200_000_000_000)
		s.real.sync(t)
		r, err := s.ours.try(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, kind := range []string{"notes", "cards", "revlog"} {
			if r.Sent[kind] != many || r.Received[kind] != many {
				t.Errorf("%s: %d sent, %d received, want %d", kind, r.Sent[kind], r.Received[kind], many)
			}
		}
		settle(t, s.real, s.ours)
		d := s.agree(t)
		if n := len(d["notes"].Rows); n < 2*many {
			t.Fatalf("%d notes", n)
		}
		s.ours.clear(t, 1_000_000_000_000)
		s.real.clear(t, 1_200_000_000_000)
		settle(t, s.ours, s.real)
		if n := len(s.agree(t)["notes"].Rows); n >= many {
			t.Errorf("%d notes after the removal", n)
		}
	})
}

// fill adds notes with cards and reviews whose ids begin at first.
func (a app) fill(t testing.TB, w *world, first int64) {
	t.Helper()
	a.edit(t, func(e tx) {
		nt := e.int("SELECT id FROM notetypes WHERE name = 'Basic'")
		const count = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ? - 1) "
		e.exec("INSERT INTO notes "+count+"SELECT ? + i, 'g' || (? + i), ?, ?, -1, '', '', '', 0, 0, '' FROM n", int64(many), first, first, nt, e.now)
		e.exec("INSERT INTO cards "+count+"SELECT ? + i, ? + i, ?, 0, ?, -1, 0, 0, i, 0, 0, 0, 0, 0, 0, 0, 0, '{}' FROM n",
			int64(many), first, first, w.base, e.now)
		e.exec("INSERT INTO revlog "+count+"SELECT ? + i, ? + i, -1, 0, 1, 0, 0, 0, 4 FROM n", int64(many), first, first)
		for i := range int64(many) {
			e.fields(first+i, fmt.Sprint("front ", i), "back")
		}
	})
}

func (a app) clear(t testing.TB, first int64) {
	t.Helper()
	a.edit(t, func(e tx) {
		for i := range int64(many) {
			e.removeNote(first + i)
		}
	})
}

func (r *real) fill(t testing.TB, w *world, first int64) {
	t.Helper()
	nt := anki.Int(r.SQL(t, "SELECT id FROM notetypes WHERE name = 'Basic'")[0][0])
	source := r.SQL(t, "SELECT flds, csum, sfld FROM notes WHERE id = ?", w.notes[0])[0]
	var notes, cards, reviews [][]any
	for i := range int64(many) {
		id := first + i
		notes = append(notes, []any{id, fmt.Sprint("g", id), nt, 1_700_000_000, -1, "", source[0], source[2], source[1], 0, ""})
		cards = append(cards, []any{id, id, w.base, 0, 1_700_000_000, -1, 0, 0, i, 0, 0, 0, 0, 0, 0, 0, 0, "{}"})
		reviews = append(reviews, []any{id, id, -1, 0, 1, 0, 0, 0, 4})
	}
	r.Do(t, "sql", anki.Args{"sql": "INSERT INTO notes VALUES (?,?,?,?,?,?,?,?,?,?,?)", "many": notes}, nil)
	r.Do(t, "sql", anki.Args{"sql": "INSERT INTO cards VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", "many": cards}, nil)
	r.Do(t, "sql", anki.Args{"sql": "INSERT INTO revlog VALUES (?,?,?,?,?,?,?,?,?)", "many": reviews}, nil)
	r.setConfig(t, "filled", "true") // a change through the API, which moves col.mod
}

func (r *real) clear(t testing.TB, first int64) {
	t.Helper()
	ids := make([]int64, many)
	for i := range ids {
		ids[i] = first + int64(i)
	}
	r.Do(t, "remove_notes", anki.Args{"notes": ids}, nil)
}

// A filtered deck is built, used and emptied on either side.
func TestFilteredDecks(t *testing.T) {
	t.Parallel()
	hosts(t, 2, func(t *testing.T, e engine) {
		s := newSetup(t, e)
		deck := s.real.ID(t, "filtered_deck", anki.Args{"name": "Cram", "search": "deck:Base"})
		s.real.sync(t)
		s.ours.sync(t)
		d := s.ours.dump(t)
		if d.Get("cards", "did", s.cards[3]) != deck || d.Get("cards", "odid", s.cards[3]) != s.base {
			t.Fatal("the card is not in the filtered deck")
		}
		s.ours.answer(t, s.cards[3])
		s.ours.flag(t, s.cards[4], 5)
		s.ours.sync(t)
		s.real.sync(t)
		s.real.Do(t, "empty_filtered", anki.Args{"deck": deck}, nil)
		settle(t, s.real, s.ours)
		s.agree(t)
		s.real.ID(t, "filtered_deck", anki.Args{"deck": deck, "search": "deck:Base is:new"})
		settle(t, s.real, s.ours)
		s.agree(t)
		s.ours.removeDeck(t, deck)
		settle(t, s.ours, s.real)
		if d := s.agree(t); d.Has("decks", deck) || d.Get("cards", "odid", s.cards[4]) != int64(0) {
			t.Error("the filtered deck is still there")
		}
	})
}
