package simtest

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/cardferry/cardferry/core/edit"
	"github.com/cardferry/cardferry/core/rows"
)

// A pattern is a group of actions that belong together: what makes two changes of one thing meet, which chance alone rarely does.
// Each is still made of actions, so that a shorter script may leave some of them out.

// focus says what an action is about, instead of anything.
type focus string

// The focuses: of an edit the first note, card, deck or notetype, of media files one name, of a clock all of the account.
const (
	focusUpdate     focus = "its first note"
	focusRemove     focus = "its first note, which goes"
	focusCard       focus = "its first card"
	focusRename     focus = "a deck"
	focusTemplate   focus = "its first notetype"
	focusAdd        focus = "a new note"
	focusRemoveLast focus = "its last note, which goes"
	focusWrite      focus = "writes one file"
	focusDelete     focus = "deletes one file"
	focusTogether   focus = "all tell the same time"
	focusUpload     focus = "to the server"
	focusDownload   focus = "from the server"
	focusDeckGone   focus = "a deck, which goes"
	focusAll        focus = "all notes, and a new one"
	focusMany       focus = "many new notes"
	focusCopy       focus = "copies a file of another device by hand"
)

var focusEdits = []focus{focusUpdate, focusRemove, focusCard, focusRename, focusTemplate, focusDeckGone}

// The patterns. Those of which there is more than one number come more often.
const (
	againAtOnce   = 0
	goneMeanwhile = 1
	twoEdits      = 2 // and 3
	neverCame     = 4
	oneFile       = 5 // and 6
	offeredTwice  = 7
	lockedOut     = 8
	copied        = 9
	lostSlice     = 10
	patterns      = 11
	lostNew       = 11 // only by the seed
)

// manyNotes with their cards are more rows than one message has.
const manyNotes = 130

// pattern makes one pattern for two devices of an account.
func pattern(rng *rand.Rand, which, a, b int) []action {
	act := func(device int, kind kind, about focus) action {
		return action{device: device, kind: kind, about: about, seed: rng.Uint64()}
	}
	sync := func(device int, at map[string]netFault) action {
		s := act(device, doSync, "")
		s.at = at
		return s
	}
	media := func(device int) action {
		s := act(device, doMediaSyn, "")
		s.disturb(rng)
		return s
	}
	what, other := focusEdits[rng.IntN(len(focusEdits))], focusEdits[rng.IntN(len(focusEdits))]
	first, second := a, b
	if rng.IntN(2) == 0 {
		first, second = b, a
	}
	switch which {
	case againAtOnce: // edited again at once, after a lost answer
		list := []action{act(a, doEdit, what), sync(a, map[string]netFault{"finish": lostAfter}), act(a, doEdit, what), sync(a, nil)}
		for i := 1; i < len(list); i++ {
			list[i].atOnce = true
		}
		return list
	case goneMeanwhile: // deleted while others are sent
		during := []string{"applyChunk", "sanityCheck2", "finish", "applyGraves"}[rng.IntN(4)]
		return []action{
			act(a, doEdit, focusRemove), act(a, doEdit, focusCard), sync(a, map[string]netFault{during: removed}), sync(b, nil), sync(a, nil), sync(b, nil),
		}
	case twoEdits, twoEdits + 1: // two edits of one thing
		if rng.IntN(3) == 0 {
			other = what
		}
		list := []action{sync(first, nil), sync(second, nil), act(a, doEdit, what), act(b, doEdit, other), sync(first, nil), sync(second, nil)}
		if rng.IntN(3) == 0 {
			list[2].atOnce, list[3].atOnce = true, true
			list = append([]action{list[0], list[1], act(a, doClock, focusTogether)}, list[2:]...)
		}
		list[len(list)-1-rng.IntN(2)].disturb(rng)
		list[len(list)-1].look = true
		return list
	case neverCame: // a file that is listed, does not arrive, and is deleted meanwhile
		failing := act(b, doMediaSyn, "") // for good: a lost answer alone is asked for again
		failing.at = map[string]netFault{"downloadFiles": []netFault{silence, silentAfter, killBefore, killAfter, limited}[rng.IntN(5)]}
		quiet := func(device int) action { return act(device, doMediaSyn, "") }
		return []action{
			act(a, doMedia, focusWrite), quiet(a), quiet(b), act(a, doMedia, focusWrite), quiet(a), failing, act(b, doMedia, focusDelete),
			quiet(b), media(a),
		}
	case offeredTwice: // a file that arrives, which is not learned, and is written again
		lost := act(a, doMediaSyn, "")
		lost.at = map[string]netFault{"uploadChanges": []netFault{silentAfter, killAfter}[rng.IntN(2)]}
		return []action{
			act(a, doMedia, focusWrite), act(a, doMediaSyn, ""), act(a, doMedia, focusWrite), lost, act(a, doMedia, focusWrite),
			act(a, doMediaSyn, ""), act(b, doMediaSyn, ""),
		}
	case lockedOut: // what arrives cannot be written
		locked := act(a, doMediaSyn, "")
		locked.locked, locked.readOnly = rng.IntN(2) == 0, true
		return []action{act(b, doMedia, focusWrite), act(b, doMediaSyn, ""), locked, act(a, doMediaSyn, "")}
	case copied: // both have the same without having synced it
		last := act(b, doMediaSyn, "")
		last.look = true
		return []action{act(a, doMedia, focusCopy), act(b, doMedia, focusCopy), act(a, doMediaSyn, ""), last}
	case lostNew: // the same of rows that the other one does not have
		return []action{sync(a, nil), sync(b, nil), act(a, doEdit, focusMany), sync(a, nil), sync(b, map[string]netFault{"chunk": doubled})}
	case lostSlice: // a proxy repeats a request that takes something from the server; it takes a large collection
		return []action{act(a, doEdit, focusAll), sync(a, nil), sync(b, map[string]netFault{"chunk": doubled})}
	default: // a file that both have
		list := []action{act(a, doMedia, focusWrite), media(a), media(b)}
		for _, device := range []int{first, second} {
			list = append(list, act(device, doMedia, []focus{focusWrite, focusDelete}[rng.IntN(2)]))
			if rng.IntN(2) == 0 {
				list = append(list, media(first))
			}
		}
		last := media(second)
		last.look = true
		return append(list, media(first), last)
	}
}

// aimed makes a sync in which one request is met by one fault, the cell of that number, with what it takes for the request to be made.
func aimed(rng *rand.Rand, cell, a, b int) []action {
	request, what := requests[cell%len(requests)], netFaults[cell/len(requests)%len(netFaults)]
	act := func(device int, kind kind, about focus) action {
		return action{device: device, kind: kind, about: about, seed: rng.Uint64()}
	}
	last, before := act(a, doSync, ""), []action(nil)
	switch request {
	case "upload":
		last = act(a, doOneWay, focusUpload)
	case "download":
		last = act(a, doOneWay, focusDownload)
	case "begin", "mediaChanges", "uploadChanges":
		last, before = act(a, doMediaSyn, ""), []action{act(a, doMedia, focusWrite)}
	case "downloadFiles":
		last, before = act(a, doMediaSyn, ""), []action{act(b, doMedia, focusWrite), act(b, doMediaSyn, "")}
	case "applyGraves":
		before = []action{act(a, doEdit, focusAdd), act(a, doSync, ""), act(a, doEdit, focusRemoveLast)}
	default:
		before = []action{act(b, doEdit, focusUpdate), act(b, doSync, ""), act(a, doEdit, focusAdd)}
	}
	last.at = map[string]netFault{request: what}
	return append(before, last)
}

// focused is an edit of what the focus says. It is any edit if there is no such thing.
func (w *world) focused(d *device, rng *rand.Rand, about focus) []edit.Op {
	first := func(sql string) int64 {
		if list := d.look(sql); len(list) > 0 {
			return list[0]
		}
		return 0
	}
	note, card := first("SELECT min(id) FROM notes"), first("SELECT min(id) FROM cards")
	switch {
	case about == focusUpdate && note > 0:
		op := edit.Op{Op: edit.UpdateNote, NoteID: note}
		d.each("SELECT flds FROM notes WHERE id = ?", func(r rows.Row) { op.Fields = fieldsLike(rng, r[0].String()) }, note)
		return []edit.Op{op}
	case about == focusRemove && note > 0:
		return []edit.Op{{Op: edit.RemoveNotes, NoteIDs: []int64{note}}}
	case about == focusAdd:
		return []edit.Op{w.newNote(d, rng, 1)}
	case about == focusRemoveLast && note > 0:
		return []edit.Op{{Op: edit.RemoveNotes, NoteIDs: d.look("SELECT max(id) FROM notes")}}
	case about == focusCard && card > 0:
		yes := rng.IntN(2) == 0
		return []edit.Op{{Op: edit.SetCards, CardIDs: []int64{card}, Suspended: &yes}}
	case about == focusRename:
		if decks := d.look("SELECT id FROM decks WHERE id > 1 ORDER BY id"); len(decks) > 0 {
			return []edit.Op{{Op: edit.RenameDeck, DeckID: decks[0], Name: deckNames[rng.IntN(len(deckNames))]}}
		}
	case about == focusDeckGone:
		if decks := d.look("SELECT id FROM decks WHERE id > 1 ORDER BY id"); len(decks) > 0 {
			return []edit.Op{{Op: edit.RemoveDeck, DeckID: decks[0]}}
		}
	case about == focusAll:
		var ops []edit.Op
		for _, id := range d.look("SELECT id FROM notes ORDER BY id") {
			ops = append(ops, edit.Op{Op: edit.UpdateNote, NoteID: id, AddTags: []string{"all" + fmt.Sprint(rng.IntN(1000))}})
		}
		return append(ops, w.newNote(d, rng, 1))
	case about == focusMany:
		var ops []edit.Op
		for range manyNotes {
			ops = append(ops, w.newNote(d, rng, 1))
		}
		return ops
	case about == focusTemplate:
		if id := first("SELECT min(id) FROM notetypes"); id > 0 {
			css := fmt.Sprintf(".card { color: #%06x; }", rng.IntN(1<<24))
			return []edit.Op{{Op: edit.SetTemplate, NotetypeID: id, CSS: &css}}
		}
	}
	return w.chooseOps(d, rng)
}

// fieldsLike returns other fields, with the clozes of the old ones.
func fieldsLike(rng *rand.Rand, flds string) []string {
	list := strings.Split(flds, "\x1f")
	for i, text := range list {
		text, _, _ = strings.Cut(text, " and ")
		list[i] = text + " and " + words[rng.IntN(len(words))] + fmt.Sprint(" ", rng.IntN(1000))
	}
	return list
}
