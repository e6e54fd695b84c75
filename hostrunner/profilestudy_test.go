package hostrunner_test

import (
	"testing"

	"github.com/cardferry/cardferry/core/edit"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/service"
	"github.com/cardferry/cardferry/core/study"
	"github.com/cardferry/cardferry/hostrunner"
)

// TestStudy studies two cards to the end, while a status waits for the server.
func TestStudy(t *testing.T) {
	eachEngine(t, func(t *testing.T, o hostrunner.OpenOptions) {
		p := open(t, o)
		tree, err := p.DeckTree(t.Context()) // makes the collection
		if err != nil || len(tree.Decks) != 1 || tree.Decks[0].TotalAll != 0 {
			t.Fatalf("%+v, %v", tree, err)
		}
		_, rows, err := p.Query(t.Context(), "SELECT id FROM notetypes WHERE name = 'Basic'")
		if err != nil || len(rows) != 1 {
			t.Fatal(rows, err)
		}
		notetype := rows[0][0].(int64)
		for _, front := range []string{"one", "two"} {
			if _, err := p.Edit(t.Context(), edit.Op{Op: edit.AddNote, NotetypeID: notetype, DeckID: 1, Fields: []string{front, "back"}}); err != nil {
				t.Fatal(err)
			}
		}
		s := newSlow(t)
		status := s.status(t.Context(), p)
		s.wantArrived(t, "/sync/meta")
		for left := int64(2); left > 0; left-- {
			next, err := p.NextCards(t.Context(), service.NextCardsParams{DeckID: 1, Count: 5})
			if err != nil || next.Counts.New != left || len(next.Cards) != int(left) || next.Finished != nil {
				t.Fatalf("%+v, %v", next, err)
			}
			card := next.Cards[0]
			if card.Kind != "new" || card.State.Kind != "new" || card.Elapsed != -1 || card.Labels[0] != "<1m" || card.Answers[3].Kind != "review" {
				t.Errorf("%+v", card)
			}
			if _, err := p.Edit(t.Context(), edit.Op{Op: edit.AnswerCard, CardID: card.CardID, Button: 4, TakenMs: 1500}); err != nil {
				t.Fatal(err)
			}
		}
		next, err := p.NextCards(t.Context(), service.NextCardsParams{DeckID: 1})
		if err != nil || len(next.Cards) != 0 || next.Finished == nil || *next.Finished != (study.Finished{}) {
			t.Errorf("%+v, %v", next, err)
		}
		tree, err = p.DeckTree(t.Context())
		if err != nil || len(tree.Decks) != 1 || tree.Decks[0].Name != "Default" || tree.Decks[0].New != 0 || tree.Decks[0].Total != 2 ||
			tree.Studied.Cards != 2 || tree.Studied.Millis != 3000 || tree.Today != 0 {
			t.Errorf("%+v, %v", tree, err)
		}
		_, err = p.NextCards(t.Context(), service.NextCardsParams{DeckID: 77})
		wantKind(t, err, fault.NotFound)
		_, err = p.NextCards(t.Context(), service.NextCardsParams{DeckID: 1, Count: 101})
		wantKind(t, err, fault.InvalidInput)
		wantRunning(t, status)
		s.open()
		wantKind(t, <-status, fault.ServerError)
	})
}
