package colsync

import (
	"reflect"
	"testing"

	"github.com/cardferry/cardferry/core/wire"
)

func ids(from, n int64) []int64 {
	var list []int64
	for i := range n {
		list = append(list, from+i)
	}
	return list
}

// TestSliceGraves: at most 250 in a request, cards first, then notes, then decks; nothing makes no request (§7.4).
func TestSliceGraves(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		cards, notes, decks int64
		want                [][3]int
	}{
		{0, 0, 0, nil},
		{1, 1, 1, [][3]int{{1, 1, 1}}},
		{250, 0, 0, [][3]int{{250, 0, 0}}},
		{251, 0, 0, [][3]int{{250, 0, 0}, {1, 0, 0}}},
		{100, 200, 300, [][3]int{{100, 150, 0}, {0, 50, 200}, {0, 0, 100}}},
		{0, 0, 501, [][3]int{{0, 0, 250}, {0, 0, 250}, {0, 0, 1}}},
	} {
		all := wire.Graves{Cards: ids(1, tt.cards), Notes: ids(10_000, tt.notes), Decks: ids(20_000, tt.decks)}
		var sizes [][3]int
		var got wire.Graves
		for part := range sliceGraves(all) {
			sizes = append(sizes, [3]int{len(part.Cards), len(part.Notes), len(part.Decks)})
			got.Cards = append(got.Cards, part.Cards...)
			got.Notes = append(got.Notes, part.Notes...)
			got.Decks = append(got.Decks, part.Decks...)
		}
		if !reflect.DeepEqual(sizes, tt.want) || !reflect.DeepEqual(got, all) {
			t.Errorf("%d %d %d: %v", tt.cards, tt.notes, tt.decks, sizes)
		}
	}
	n := 0
	for range sliceGraves(wire.Graves{Cards: ids(1, 1000)}) {
		n++
		break
	}
	if n != 1 {
		t.Error("the sequence does not stop")
	}
}

func TestMinusGraves(t *testing.T) {
	t.Parallel()
	all := wire.Graves{Cards: []int64{1, 2, 3}, Notes: []int64{1}, Decks: []int64{5}}
	sent := wire.Graves{Cards: []int64{2}, Notes: []int64{3}, Decks: []int64{5}}
	want := wire.Graves{Cards: []int64{1, 3}, Notes: []int64{1}}
	if got := minusGraves(all, sent); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
}

// TestMinusChanges: an object that changed after it was sent is sent again; config and crt are not.
func TestMinusChanges(t *testing.T) {
	t.Parallel()
	raw := func(texts ...string) (list [][]byte) {
		for _, s := range texts {
			list = append(list, []byte(s))
		}
		return list
	}
	crt := int64(5)
	sent := &wire.Changes{Notetypes: raw(`{"id":1}`), Decks: raw(`{"id":2}`), DeckConfigs: raw(`{"id":3}`), Tags: []string{"a"}}
	now := &wire.Changes{
		Notetypes: raw(`{"id":1}`, `{"id":7}`), Decks: raw(`{"id":2,"name":"new"}`), DeckConfigs: raw(`{"id":3}`),
		Tags: []string{"a", "A"}, Config: []wire.ConfigEntry{{Key: "k", Value: []byte("1")}}, Crt: &crt,
	}
	want := &wire.Changes{Notetypes: raw(`{"id":7}`), Decks: raw(`{"id":2,"name":"new"}`), Tags: []string{"A"}}
	if got := minusChanges(now, sent); !reflect.DeepEqual(got, want) {
		t.Errorf("%s", wire.AppendChanges(nil, got))
	}
	if got := minusChanges(sent, sent); !reflect.DeepEqual(got, &wire.Changes{}) {
		t.Errorf("%s", wire.AppendChanges(nil, got))
	}
}
