package interop_test

import (
	"encoding/json"
	"testing"

	"github.com/cardferry/cardferry/hostrunner/anki"
)

// editor makes changes to a collection as an app does for its user. The real client does it through its API, ours by SQL
// on a connection of its own, as the apps that embed us do.
type editor interface {
	addNote(t testing.TB, deck int64, front string, tags ...string) (note, card int64)
	editNote(t testing.TB, note int64, front string)
	tagNote(t testing.TB, note int64, tag string)
	removeNote(t testing.TB, note int64)
	addDeck(t testing.TB, name string) int64 // "::" between levels; the parents are there
	renameDeck(t testing.TB, deck int64, name string)
	describeDeck(t testing.TB, deck int64, text string)
	removeDeck(t testing.TB, deck int64) // with its cards and their notes
	addDeckConfig(t testing.TB, name string) int64
	editDeckConfig(t testing.TB, id int64, perDay int)
	addNotetype(t testing.TB, name string) int64
	renameNotetype(t testing.TB, id int64, name string)
	styleNotetype(t testing.TB, id int64, css string)
	setConfig(t testing.TB, key, value string) // value is JSON
	removeConfig(t testing.TB, key string)
	answer(t testing.TB, card int64)
	suspend(t testing.TB, card int64)
	flag(t testing.TB, card int64, flag int)
	move(t testing.TB, card, deck int64)
	// age sets the modification time of a note, card, deck, deck config or notetype, in seconds, if its change is pending.
	age(t testing.TB, table string, id, mod int64)
	// oneWay makes a change after which the sides cannot be merged.
	oneWay(t testing.TB)
}

// realEditor edits with the real client.
type realEditor struct{ *anki.Client }

var _ editor = realEditor{}

func (e realEditor) addNote(t testing.TB, deck int64, front string, tags ...string) (note, card int64) {
	t.Helper()
	var r struct {
		Note  int64
		Cards []int64
	}
	e.Do(t, "add_note", anki.Args{"deck": deck, "fields": []string{front, "back"}, "tags": tags}, &r)
	return r.Note, r.Cards[0]
}

func (e realEditor) editNote(t testing.TB, note int64, front string) {
	t.Helper()
	e.Do(t, "edit_note", anki.Args{"note": note, "fields": []string{front}}, nil)
}

func (e realEditor) tagNote(t testing.TB, note int64, tag string) {
	t.Helper()
	e.Do(t, "add_tag", anki.Args{"note": note, "tag": tag}, nil)
}

func (e realEditor) removeNote(t testing.TB, note int64) {
	t.Helper()
	e.Do(t, "remove_notes", anki.Args{"notes": []int64{note}}, nil)
}

func (e realEditor) addDeck(t testing.TB, name string) int64 {
	t.Helper()
	return e.ID(t, "add_deck", anki.Args{"name": name})
}

func (e realEditor) renameDeck(t testing.TB, deck int64, name string) {
	t.Helper()
	e.Do(t, "rename_deck", anki.Args{"deck": deck, "name": name}, nil)
}

func (e realEditor) describeDeck(t testing.TB, deck int64, text string) {
	t.Helper()
	e.Do(t, "describe_deck", anki.Args{"deck": deck, "desc": text}, nil)
}

func (e realEditor) removeDeck(t testing.TB, deck int64) {
	t.Helper()
	e.Do(t, "remove_decks", anki.Args{"decks": []int64{deck}}, nil)
}

func (e realEditor) addDeckConfig(t testing.TB, name string) int64 {
	t.Helper()
	return e.ID(t, "add_deck_config", anki.Args{"name": name})
}

func (e realEditor) editDeckConfig(t testing.TB, id int64, perDay int) {
	t.Helper()
	e.Do(t, "edit_deck_config", anki.Args{"id": id, "per_day": perDay}, nil)
}

func (e realEditor) addNotetype(t testing.TB, name string) int64 {
	t.Helper()
	return e.ID(t, "add_notetype", anki.Args{"name": name})
}

func (e realEditor) renameNotetype(t testing.TB, id int64, name string) {
	t.Helper()
	e.Do(t, "edit_notetype", anki.Args{"id": id, "name": name}, nil)
}

func (e realEditor) styleNotetype(t testing.TB, id int64, css string) {
	t.Helper()
	e.Do(t, "edit_notetype", anki.Args{"id": id, "css": css}, nil)
}

func (e realEditor) setConfig(t testing.TB, key, value string) {
	t.Helper()
	e.Do(t, "set_config", anki.Args{"key": key, "value": json.RawMessage(value)}, nil)
}

func (e realEditor) removeConfig(t testing.TB, key string) {
	t.Helper()
	e.Do(t, "remove_config", anki.Args{"key": key}, nil)
}

func (e realEditor) answer(t testing.TB, card int64) {
	t.Helper()
	e.Do(t, "answer", anki.Args{"card": card, "ease": 3}, nil)
}

func (e realEditor) suspend(t testing.TB, card int64) {
	t.Helper()
	e.Do(t, "suspend", anki.Args{"cards": []int64{card}}, nil)
}

func (e realEditor) flag(t testing.TB, card int64, flag int) {
	t.Helper()
	e.Do(t, "flag", anki.Args{"cards": []int64{card}, "flag": flag}, nil)
}

func (e realEditor) move(t testing.TB, card, deck int64) {
	t.Helper()
	e.Do(t, "move", anki.Args{"cards": []int64{card}, "deck": deck}, nil)
}

func (e realEditor) age(t testing.TB, table string, id, mod int64) {
	t.Helper()
	e.SQL(t, "UPDATE "+table+" SET "+modColumn(table)+" = ? WHERE id = ? AND usn = -1", mod, id)
}

func (e realEditor) oneWay(t testing.TB) {
	t.Helper()
	e.Do(t, "force_one_way", nil, nil)
}

func modColumn(table string) string {
	if table == "notes" || table == "cards" {
		return "mod"
	}
	return "mtime_secs"
}
