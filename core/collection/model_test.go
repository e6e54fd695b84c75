package collection_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/wire"
)

// TestMergeAgainstModel applies random slices, ids repeated within and between them, and compares with the rules of
// §8 in plain Go.
func TestMergeAgainstModel(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			mergeRandomly(t, rand.New(rand.NewPCG(seed, 1)))
		})
	}
}

type modelCard struct{ nid, mod, usn int64 }

func mergeRandomly(t *testing.T, r *rand.Rand) {
	db := mergeDB(t, "empty.anki2")
	pendingFrom := r.Int64N(6) - 1
	pending := func(usn int64) bool {
		if pendingFrom == -1 {
			return usn == -1
		}
		return usn >= pendingFrom
	}
	cards, graves := map[int64]modelCard{}, map[int64]int64{}
	for id := range int64(12) {
		if r.IntN(2) == 0 {
			cards[id] = modelCard{id, r.Int64N(4), r.Int64N(6) - 1}
			mustExec(t, db, "INSERT INTO cards VALUES (?1, ?1, 1, 0, ?2, ?3, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, '{}')", id, cards[id].mod, cards[id].usn)
		}
		if r.IntN(4) == 0 {
			graves[id] = r.Int64N(3) - 1
			mustExec(t, db, "INSERT INTO graves VALUES (?, 0, ?)", id, graves[id])
		}
	}
	err := applyTo(t, db, pendingFrom, func(a *collection.Applier) error {
		for range 5 {
			var c wire.Chunk
			for range r.IntN(20) {
				in := wire.Card{ID: r.Int64N(14), NoteID: r.Int64N(1000), Mod: r.Int64N(5), USN: r.Int32N(6)}
				c.Cards = append(c.Cards, in)
				own, here := cards[in.ID]
				grave, deleted := graves[in.ID]
				switch {
				case !here && deleted && grave == -1 && pendingFrom == -1:
				case here && pending(own.usn) && own.mod >= in.Mod:
				default:
					cards[in.ID] = modelCard{in.NoteID, in.Mod, storedUSN(pendingFrom, int64(in.USN))}
				}
			}
			if err := a.Chunk(&c); err != nil {
				return err
			}
			gone := wire.Graves{Cards: []int64{r.Int64N(14)}}
			if usn, there := graves[gone.Cards[0]]; !there || usn >= 0 {
				graves[gone.Cards[0]] = syncUSN
			}
			delete(cards, gone.Cards[0])
			if err := a.Graves(gone); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{}
	for id, c := range cards {
		want = append(want, fmt.Sprintf("%02d|%d|%d|%d", id, c.nid, c.mod, c.usn))
	}
	slices.Sort(want)
	wantRows(t, db, "SELECT printf('%02d', id), nid, mod, usn FROM cards ORDER BY id", want...)
	want = want[:0]
	for id, usn := range graves {
		want = append(want, fmt.Sprintf("%02d|%d", id, usn))
	}
	slices.Sort(want)
	wantRows(t, db, "SELECT printf('%02d', oid), usn FROM graves WHERE type = 0 ORDER BY oid", want...)
}
