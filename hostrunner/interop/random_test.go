package interop_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/cardferry/cardferry/hostrunner/anki"
)

// Random edits on two devices, synced in random order, some of them while our sync runs or fails: in the end both devices
// and the server have the same. CARDFERRY_SEED repeats one run, which a failure names.
func TestRandomInterleavings(t *testing.T) {
	t.Parallel()
	seeds := []uint64{1, 2, 3, 4}
	if full() {
		seeds = nil
		for i := range uint64(40) {
			seeds = append(seeds, i)
		}
	}
	if text := os.Getenv("CARDFERRY_SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		seeds = []uint64{seed}
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			locals(t, 4, func(t *testing.T, e engine) { interleave(t, e, seed) })
		})
	}
}

// player makes random edits on one device.
type player struct {
	editor
	*world
	rand *rand.Rand
	name string
	made int
	// mod is the time of the next edit: no two edits of one object may have the same, which no client could decide (sync
	// spec 8). It is shared by both players.
	mod *int64
}

func interleave(t *testing.T, e engine, seed uint64) {
	s := newSetup(t, e)
	r := rand.New(rand.NewPCG(seed, 7))
	mod := time.Now().Unix() - 3000
	own := &player{editor: s.ours.app, world: s.world, rand: r, name: "ours", mod: &mod}
	other := &player{editor: s.real, world: s.world, rand: r, name: "real", mod: &mod}
	for range 25 {
		switch r.IntN(5) {
		case 0, 1:
			own.edit(t, s.ours.dump(t))
		case 2:
			other.edit(t, s.real.dump(t))
		case 3:
			s.real.sync(t)
		case 4:
			s.disturbed(t, r, own)
		}
	}
	s.proxy.Use(anki.Hooks{})
	settle(t, s.ours, s.real)
	s.agree(t)
}

// disturbed syncs our device while an app edits or the connection breaks.
func (s *setup) disturbed(t *testing.T, r *rand.Rand, own *player) {
	t.Helper()
	p := point{n: r.IntN(9), after: r.IntN(2) == 0}
	breaks := r.IntN(3) == 0
	s.proxy.Use(p.at(func(*anki.Exchange) anki.Verdict {
		own.edit(t, s.ours.dump(t))
		if breaks {
			return anki.Drop
		}
		return anki.Pass
	}))
	if _, err := s.ours.try(t.Context()); err != nil && !breaks {
		t.Fatalf("our sync with an edit %v: %v", p, err)
	}
	s.ours.intact(t)
}

// edit makes one random change.
func (p *player) edit(t testing.TB, d anki.Dump) {
	t.Helper()
	p.made++
	text := fmt.Sprint(p.name, " ", p.made)
	note, card := pick(p.rand, d, "notes"), pick(p.rand, d, "cards")
	deck := p.spare[p.rand.IntN(len(p.spare))]
	*p.mod++
	switch p.rand.IntN(12) {
	case 0:
		id, card := p.addNote(t, p.base, text, "tag"+p.name)
		p.age(t, "notes", id, *p.mod)
		p.age(t, "cards", card, *p.mod)
	case 1, 2:
		p.editNote(t, note, text)
		p.age(t, "notes", note, *p.mod)
	case 3:
		p.tagNote(t, note, "t"+strconv.Itoa(p.made))
		p.age(t, "notes", note, *p.mod)
	case 4:
		p.removeNote(t, note)
	case 5:
		if d.Has("decks", deck) {
			p.describeDeck(t, deck, text)
			p.age(t, "decks", deck, *p.mod)
		}
	case 6:
		id := p.addDeck(t, text)
		p.age(t, "decks", id, *p.mod)
	case 7:
		p.styleNotetype(t, p.notetype, "."+p.name+strconv.Itoa(p.made)+"{}")
		p.age(t, "notetypes", p.notetype, *p.mod)
	case 8:
		p.editDeckConfig(t, p.deckConfig, 1+p.rand.IntN(99))
		p.age(t, "deck_config", p.deckConfig, *p.mod)
	case 9:
		p.flag(t, card, p.rand.IntN(8))
		p.age(t, "cards", card, *p.mod)
	case 10:
		p.suspend(t, card)
		p.age(t, "cards", card, *p.mod)
	case 11:
		p.setConfig(t, "key"+strconv.Itoa(p.rand.IntN(3)), strconv.Quote(text))
	}
}

// pick returns the id of a random row.
func pick(r *rand.Rand, d anki.Dump, table string) int64 {
	var ids []int64
	for key := range d[table].Rows {
		id, _ := d.Get(table, "id", key).(int64)
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids[r.IntN(len(ids))]
}
