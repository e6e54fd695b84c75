package simtest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/cardferry/cardferry/core/edit"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/service"
)

// The learner chooses from few decks, tags and words, so that what devices do meets.
var (
	words     = []string{"tree", "river", "cloud", "stone", "bird", "house", "light", "road", "Ängste", "猫"}
	deckNames = []string{"A", "A::B", "A::B::C", "D", "d::E", "F"}
	tagNames  = []string{"x", "x::y", "Z", "leech"}
	keys      = []string{"k1", "k2", "k3"}
)

// edit makes one edit of one to six operations, or of what it is about, and notes what it made and deleted.
func (w *world) edit(d *device, rng *rand.Rand, about focus) {
	if !d.opened { // so that what opening does is not taken for the learner's
		if _, err := d.call(service.MethodDeckTree, struct{}{}); err != nil {
			w.editEnded(d, err)
			return
		}
	}
	ops := w.focused(d, rng, about)
	text, _ := json.Marshal(ops)
	w.note("device %d edits: %s", d.id, text)
	before, notes := d.own.truth.look(d), d.notes()
	_, err := d.call(service.MethodEdit, service.EditParams{Ops: ops})
	d.own.truth.changed(d, before)
	d.own.versions.changed(notes, d.notes())
	for _, op := range ops {
		if err == nil {
			w.cover.add("edit: " + op.Op)
		}
	}
	w.editEnded(d, err)
}

// editEnded judges an edit. The learner may ask for what is not possible.
func (w *world) editEnded(d *device, err error) {
	k := fault.KindOf(err)
	w.trace("%d edit %v", d.id, k)
	if err == nil || d.dead || k == fault.InvalidInput || k == fault.NotFound || k == fault.StorageFull && d.fullAt > 0 {
		return
	}
	if k == fault.DamagedFile && strings.HasSuffix(err.Error(), "is missing") {
		w.cover.add("known: card of a deleted deck is answered")
		return
	}
	w.fail("device %d: edit: %v", d.id, err)
}

func (w *world) undo(d *device) {
	before, notes := d.own.truth.look(d), d.notes()
	b, err := d.call(service.MethodUndo, struct{}{})
	d.own.truth.changed(d, before)
	d.own.versions.changed(notes, d.notes())
	w.note("device %d: undo: %s %v", d.id, b, err)
	if err == nil {
		w.cover.add("edit: undo")
	}
	w.editEnded(d, err)
}

// chooseOps chooses operations for what is on the device.
func (w *world) chooseOps(d *device, rng *rand.Rand) []edit.Op {
	var ops []edit.Op
	for range 1 + rng.IntN(6) {
		op := w.chooseOp(d, rng)
		ops = append(ops, op)
		if op.Op == edit.RemoveNotes || op.Op == edit.RemoveDeck || op.Op == edit.AddNote && rng.IntN(2) == 0 {
			break // what follows could name what is gone
		}
	}
	return ops
}

func (w *world) chooseOp(d *device, rng *rand.Rand) edit.Op {
	notes := d.look("SELECT id FROM notes ORDER BY id")
	decks := d.look("SELECT id FROM decks ORDER BY id")
	n := rng.IntN(100)
	if len(notes) < 3 || len(decks) == 0 {
		n = 0
	}
	note := func() int64 { return one(rng, notes) }
	deck := func() int64 { return decks[rng.IntN(len(decks))] }
	switch {
	case n < 20:
		return w.newNote(d, rng, deck())
	case n < 36:
		return w.changedNote(d, rng, note())
	case n < 42:
		return edit.Op{Op: edit.RemoveNotes, NoteIDs: []int64{note()}}
	case n < 68:
		if c := d.look("SELECT id FROM cards ORDER BY id"); len(c) > 0 {
			return edit.Op{Op: edit.AnswerCard, CardID: one(rng, c), Button: int64(1 + rng.IntN(4)), TakenMs: int64(rng.IntN(9000))}
		}
		return w.newNote(d, rng, deck())
	case n < 80:
		return w.setCards(d, rng, deck())
	case n < 85:
		return edit.Op{Op: edit.AddDeck, Name: deckNames[rng.IntN(len(deckNames))]}
	case n < 89:
		return edit.Op{Op: edit.RenameDeck, DeckID: deck(), Name: deckNames[rng.IntN(len(deckNames))]}
	case n < 92:
		return edit.Op{Op: edit.RemoveDeck, DeckID: deck()}
	case n < 97:
		return edit.Op{Op: edit.SetConfig, Key: keys[rng.IntN(len(keys))], Value: edit.JSON([]string{"null", "1", `"two"`, `{"a":3}`}[rng.IntN(4)])}
	}
	types := d.look("SELECT id FROM notetypes ORDER BY id")
	css := fmt.Sprintf(".card { color: #%06x; }", rng.IntN(1<<24))
	return edit.Op{Op: edit.SetTemplate, NotetypeID: types[rng.IntN(len(types))], CSS: &css}
}

// fill adds many notes.
func (w *world) fill(d *device, notes int) {
	var ops []edit.Op
	for range notes {
		ops = append(ops, w.newNote(d, w.rng, 1))
	}
	if _, err := d.call(service.MethodEdit, service.EditParams{Ops: ops}); err != nil {
		w.fail("fill: %v", err)
	}
}

// one chooses from a list, mostly one of the first: so that devices edit the same.
func one(rng *rand.Rand, list []int64) int64 {
	if rng.IntN(3) > 0 {
		return list[rng.IntN(min(4, len(list)))]
	}
	return list[rng.IntN(len(list))]
}

func (w *world) newNote(d *device, rng *rand.Rand, deck int64) edit.Op {
	type kind struct {
		id, fields int64
		cloze      bool
	}
	var kinds []kind
	d.each("SELECT id, (SELECT count(*) FROM fields WHERE ntid = n.id), name FROM notetypes n ORDER BY id", func(r rows.Row) {
		kinds = append(kinds, kind{r[0].Int(), r[1].Int(), strings.HasPrefix(r[2].String(), "Cloze")})
	})
	if len(kinds) == 0 {
		return edit.Op{Op: edit.AddDeck, Name: deckNames[rng.IntN(len(deckNames))]} // there is no collection yet
	}
	k := kinds[rng.IntN(len(kinds))]
	return edit.Op{Op: edit.AddNote, NotetypeID: k.id, DeckID: deck, Fields: fieldsOf(rng, k.fields, k.cloze), Tags: someTags(rng)}
}

func fieldsOf(rng *rand.Rand, n int64, cloze bool) (list []string) {
	for i := range n {
		text := fmt.Sprint(words[rng.IntN(len(words))], " ", rng.IntN(1000))
		if cloze && i == 0 {
			text = fmt.Sprintf("{{c1::%s}} {{c%d::%s}}", text, 1+rng.IntN(3), words[rng.IntN(len(words))])
		}
		list = append(list, text)
	}
	return list
}

func someTags(rng *rand.Rand) []string {
	list := []string{}
	for range rng.IntN(3) {
		list = append(list, tagNames[rng.IntN(len(tagNames))])
	}
	return list
}

func (w *world) changedNote(d *device, rng *rand.Rand, note int64) edit.Op {
	op := edit.Op{Op: edit.UpdateNote, NoteID: note}
	if rng.IntN(3) == 0 {
		op.AddTags = someTags(rng)
		return op
	}
	var n int64
	cloze := false
	d.each("SELECT (SELECT count(*) FROM fields WHERE ntid = n.mid), (SELECT name FROM notetypes WHERE id = n.mid) FROM notes n WHERE id = ?", func(r rows.Row) {
		n, cloze = r[0].Int(), strings.HasPrefix(r[1].String(), "Cloze")
	}, note)
	op.Fields = fieldsOf(rng, n, cloze)
	return op
}

func (w *world) setCards(d *device, rng *rand.Rand, deck int64) edit.Op {
	cards := d.look("SELECT id FROM cards ORDER BY id")
	if len(cards) == 0 {
		return w.newNote(d, rng, deck)
	}
	op := edit.Op{Op: edit.SetCards, CardIDs: []int64{one(rng, cards)}}
	if len(cards) > largeNotes && rng.IntN(2) == 0 {
		op.CardIDs = cards // so that there is more to send than fits into one message
	}
	yes := rng.IntN(2) == 0
	switch rng.IntN(7) {
	case 0:
		op.Suspended = &yes
	case 1:
		op.Buried = &yes
	case 2:
		flag := int64(rng.IntN(8))
		op.Flag = &flag
	case 3, 4:
		op.DeckID = deck
	case 5:
		op.Forget = true
	case 6:
		due := []string{"0", "3", "1-7!"}[rng.IntN(3)]
		op.Due = &due
	}
	return op
}
