package service_test

import (
	"testing"

	"github.com/cardferry/cardferry/core/fault"
)

// FuzzEdit: whatever operations are asked for, the answer is a result or an error of a kind that is meant for it, and undo takes back
// what was done, to the last row.
func FuzzEdit(f *testing.F) {
	for _, ops := range []string{
		`[{"op":"addNote","notetypeId":1800000000001,"deckId":1,"fields":["a","b"],"tags":["t"]}]`,
		`[{"op":"addDeck","name":"a::b"},{"op":"renameDeck","deckId":1,"name":"x"},{"op":"removeDeck","deckId":1}]`,
		`[{"op":"updateNote","noteId":1,"fields":["x",null],"addTags":[],"removeTags":["é"]}]`,
		`[{"op":"answerCard","cardId":1,"button":3,"takenMs":-1}]`,
		`[{"op":"setCards","cardIds":[1,2],"suspended":true,"flag":9,"due":"1-7!","deckId":0}]`,
		`[{"op":"setConfig","key":"","value":{"a":[1e400,"\ud800"]}},{"op":"setTemplate","notetypeId":1,"css":""}]`,
		`[{"op":"removeNotes","noteIds":[9223372036854775807,-1]}]`,
	} {
		f.Add([]byte(ops))
	}
	s := newService(f, nil)
	if _, err := s.Call(f.Context(), "open", []byte(`{"create":true}`)); err != nil {
		f.Fatal(err)
	}
	pending := func(t *testing.T) string {
		b, err := s.Call(t.Context(), "status", []byte(`{"offline":true}`))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	f.Fuzz(func(t *testing.T, ops []byte) {
		before := pending(t)
		_, err := s.Call(t.Context(), "edit", []byte(`{"ops":`+string(ops)+`}`))
		switch fault.KindOf(err) {
		case 0:
			if _, err := s.Call(t.Context(), "undo", []byte(`{}`)); err != nil && fault.KindOf(err) != fault.NotFound {
				t.Fatalf("undo: %v", err)
			}
		case fault.InvalidInput, fault.NotFound:
		default:
			t.Errorf("%v", err)
		}
		if after := pending(t); after != before {
			t.Errorf("before: %s\nafter:  %s", before, after)
		}
	})
}
