package interop_test

import (
	"errors"
	"testing"

	"github.com/cardferry/cardferry/core/colsync"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/service"
	"github.com/cardferry/cardferry/hostrunner/anki"
)

// The server takes an upload only with the answer OK; any other text is for the user, and nothing has changed.
func TestRefusedUpload(t *testing.T) {
	t.Parallel()
	hosts(t, 1, func(t *testing.T, e engine) {
		s, a := newApartSetup(t, e, true)
		s.ours.oneWay(t)
		before := s.ours.dump(t)
		for _, text := range []string{"Your upload was corrupt.", "ok", "OK\n", ""} {
			s.proxy.Use(anki.Hooks{Before: func(ex *anki.Exchange) anki.Verdict {
				if ex.Method == "upload" {
					ex.Answer([]byte(text))
				}
				return anki.Pass
			}})
			_, err := s.ours.profile.Upload(t.Context(), service.TransferParams{Account: &s.ours.account})
			var f *fault.Error
			if !errors.As(err, &f) || f.Kind != fault.ServerMessage || f.Details["server_message"] != text {
				t.Errorf("%q: %v", text, err)
			}
			s.same(t, "before", s.ours.dump(t), before)
		}
		s.proxy.Use(anki.Hooks{})
		s.ours.needed(t, true, true)
		s.ours.replace(t, "upload")
		for name, seen := range a.kept {
			if seen(before) && !seen(s.agree(t)) {
				t.Errorf("lost: %s", name)
			}
		}
	})
}

// A row that the server does not know of, and that is not pending, is found by the sanity check: nothing is sent, and the
// next sync asks for a direction.
func TestSanityFailure(t *testing.T) {
	t.Parallel()
	hosts(t, 1, func(t *testing.T, e engine) {
		s, _ := newApartSetup(t, e, true)
		deck := s.ours.addDeck(t, "Marked as synced")
		s.ours.edit(t, func(e tx) {
			e.exec("UPDATE decks SET usn = 0 WHERE id = ?", deck)
			e.exec("UPDATE col SET ls = ls + 200000") // as of a server whose clock is ahead of ours
		})
		server := anki.Read(t, s.acc.Download(t))
		_, err := s.ours.try(t.Context())
		var f *fault.Error
		if !errors.As(err, &f) || f.Kind != fault.Sanity || f.Details["client"] == nil || f.Details["server"] == nil || !f.Changed {
			t.Fatalf("%+v", err)
		}
		s.ours.intact(t)
		if st, err := s.ours.profile.Status(t.Context(), service.StatusParams{Offline: true}); err != nil || st.Required != colsync.RequiredFull {
			t.Errorf("then the status is %+v, %v", st, err)
		}
		s.same(t, "the server before (second)", anki.Read(t, s.acc.Download(t)), server)
		s.ours.needed(t, true, true)
		s.ours.replace(t, "upload")
		s.ours.sync(t)
		if d := s.agree(t); !d.Has("decks", deck) {
			t.Error("the deck is lost")
		}
	})
}

// A note whose notetype is missing is refused by the server again and again, without a one-way sync; nothing is lost.
func TestRefusedRows(t *testing.T) {
	t.Parallel()
	hosts(t, 1, func(t *testing.T, e engine) {
		s := newOurs(t, e)
		note, _ := s.ours.addNote(t, s.base, "without a notetype")
		var mid int64
		s.ours.edit(t, func(e tx) {
			mid = e.int("SELECT mid FROM notes WHERE id = ?", note)
			e.exec("UPDATE notes SET mid = 4711 WHERE id = ?", note)
		})
		for range 2 {
			if _, err := s.ours.try(t.Context()); fault.KindOf(err) != fault.DatabaseCheck {
				t.Fatal(err)
			}
		}
		s.ours.edit(t, func(e tx) { e.exec("UPDATE notes SET mid = ? WHERE id = ?", mid, note) })
		s.ours.sync(t)
		if d := s.agree(t); !d.Has("notes", note) {
			t.Error("the note is lost")
		}
	})
}

// A row is sent, the answer of finish is lost, and the row is edited again within the same second: the second edit arrives.
func TestEditAfterLostFinish(t *testing.T) {
	t.Parallel()
	hosts(t, 1, func(t *testing.T, e engine) {
		for range 3 {
			s := newSetup(t, e)
			s.ours.editNote(t, s.notes[1], "first edit")
			s.ours.answer(t, s.cards[2])
			s.ours.describeDeck(t, s.child, "first edit")
			s.ours.styleNotetype(t, s.notetype, ".first{}")
			s.proxy.Use(anki.Hooks{After: func(ex *anki.Exchange) anki.Verdict {
				if ex.Method == "finish" {
					return anki.Drop
				}
				return anki.Pass
			}})
			if _, err := s.ours.try(t.Context()); fault.KindOf(err) != fault.Network {
				t.Fatal(err)
			}
			s.proxy.Use(anki.Hooks{})
			s.ours.editNote(t, s.notes[1], "second edit")
			s.ours.answer(t, s.cards[2])
			s.ours.describeDeck(t, s.child, "second edit")
			s.ours.styleNotetype(t, s.notetype, ".second{}")
			want := s.ours.dump(t)
			settle(t, s.ours, s.real)
			s.same(t, "ours before the second sync (second)", s.agree(t), want)
		}
	})
}
