package hostrunner_test

import (
	"fmt"
	"testing"

	"github.com/cardferry/cardferry/core/edit"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner"
)

// TestEdit edits before the collection was opened, and while another call waits for the server; takes back; and is refused.
func TestEdit(t *testing.T) {
	eachEngine(t, func(t *testing.T, o hostrunner.OpenOptions) {
		s := newSlow(t)
		p := open(t, o)
		count := func(what string, want int64) {
			t.Helper()
			_, rows, err := p.Query(t.Context(), "SELECT count(*) FROM "+what)
			if err != nil || rows[0][0] != want {
				t.Errorf("%s: %v, %v", what, rows, err)
			}
		}
		r, err := p.Edit(t.Context(), edit.Op{Op: edit.AddDeck, Name: "A::B"})
		if err != nil || len(r.Results) != 1 || r.Results[0].DeckID == 0 {
			t.Fatalf("%+v, %v", r, err)
		}
		deck := r.Results[0].DeckID
		_, rows, err := p.Query(t.Context(), "SELECT id FROM notetypes WHERE name = 'Basic (and reversed card)'")
		if err != nil {
			t.Fatal(err)
		}
		add := edit.Op{Op: edit.AddNote, NotetypeID: rows[0][0].(int64), DeckID: deck, Fields: []string{"front", "back"}, Tags: []string{"t"}}

		status := s.status(t.Context(), p)
		s.wantArrived(t, "/sync/meta")
		if r, err = p.Edit(t.Context(), add, edit.Op{Op: edit.SetConfig, Key: "k", Value: edit.JSON(`{"a":1}`)}); err != nil {
			t.Fatal(err)
		}
		if n := r.Results[0]; n.NoteID == 0 || len(n.CardIDs) != 2 {
			t.Errorf("%+v", r)
		}
		yes := true
		if _, err := p.Edit(t.Context(), edit.Op{Op: edit.SetCards, CardIDs: r.Results[0].CardIDs, Suspended: &yes}); err != nil {
			t.Error(err)
		}
		u, err := p.Undo(t.Context())
		if err != nil || u.Undone != edit.SetCards {
			t.Errorf("%+v, %v", u, err)
		}
		_, err = p.Edit(t.Context(), edit.Op{Op: edit.RemoveDeck, DeckID: deck}, edit.Op{Op: edit.RemoveDeck, DeckID: deck})
		wantKind(t, err, fault.InvalidInput)
		wantRunning(t, status)
		s.open()
		wantKind(t, <-status, fault.ServerError)

		count("cards WHERE queue = 0 AND usn = -1", 2)
		count("config WHERE key = 'k'", 1)
		for _, want := range []string{edit.AddNote, edit.AddDeck} {
			if u, err := p.Undo(t.Context()); err != nil || u.Undone != want {
				t.Errorf("%+v, %v", u, err)
			}
		}
		for _, table := range []string{"notes", "cards", "tags", "graves", "decks WHERE usn = -1", "config WHERE key = 'k'"} {
			count(table, 0)
		}
		_, err = p.Undo(t.Context())
		wantKind(t, err, fault.NotFound)
		_, err = p.Edit(t.Context(), edit.Op{Op: "nothing"})
		wantKind(t, err, fault.InvalidInput)
		if r, err := p.Edit(t.Context()); err != nil || len(r.Results) != 0 {
			t.Errorf("%s, %v", fmt.Sprint(r), err)
		}
	})
}
