package interop_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cardferry/cardferry/hostrunner/anki"
)

// world is the collection that most scenarios start from, made by the real client: everything that the stock fixture has,
// and objects that the scenarios change. All its rows have been synced.
type world struct {
	file []byte

	notes, cards []int64 // of the deck Base
	base         int64   // decks
	child        int64
	spare        []int64 // empty decks
	full         int64   // a deck with one note
	fullNote     int64
	deckConfig   int64
	notetype     int64
	otherType    int64
	filtered     int64
	tag          string
	key          string // of a config value
}

const worldNotes = 24

// newWorld builds the world on an account of the shared server and returns it as the server has it afterwards.
func newWorld(path string) (w *world, err error) {
	server, err := shared.server()
	if err != nil {
		return nil, err
	}
	agent, err := shared.agent()
	if err != nil {
		return nil, err
	}
	stock, err := os.ReadFile(filepath.Join("testdata", "stock.anki2"))
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(path, stock, 0o600); err != nil {
		return nil, err
	}
	// A testing.TB of its own: the world outlives the test that happens to build it.
	b := &builder{}
	defer b.end(&err)
	w = &world{tag: "worldTag", key: "worldKey"}
	acc := server.Account(b)
	c := agent.Client(b, path)
	e := realEditor{c}
	w.base = e.addDeck(b, "Base")
	w.child = e.addDeck(b, "Base::Child")
	w.spare = []int64{e.addDeck(b, "Spare 1"), e.addDeck(b, "Spare 2"), e.addDeck(b, "Spare 3")}
	w.full = e.addDeck(b, "Full")
	for i := range worldNotes {
		note, card := e.addNote(b, w.base, "note "+string(rune('a'+i)))
		w.notes, w.cards = append(w.notes, note), append(w.cards, card)
	}
	w.fullNote, _ = e.addNote(b, w.full, "note in the full deck")
	w.deckConfig = e.addDeckConfig(b, "Config")
	w.notetype = e.addNotetype(b, "Type")
	w.otherType = e.addNotetype(b, "Other type")
	e.tagNote(b, w.notes[0], w.tag)
	e.setConfig(b, "goneKey", "1")
	e.setConfig(b, w.key, `{"a":[1,2.5,"x"],"big":9007199254740993}`)
	w.filtered = e.ID(b, "filtered_deck", anki.Args{"name": "Filtered", "search": "deck:Full"})
	// An hour ago, so that what a scenario does is newer.
	for _, table := range []string{"notes", "cards", "decks", "deck_config", "notetypes"} {
		c.SQL(b, "UPDATE "+table+" SET "+modColumn(table)+" = "+modColumn(table)+" - 3600")
	}
	if err := c.Full(server.URL, acc.Key, true); err != nil {
		return nil, err
	}
	w.file = acc.Bytes(b)
	return w, nil
}

// builder is a testing.TB outside of any test.
type builder struct {
	testing.TB
	clean []func()
}

// failure is what builder.Fatal panics with.
type failure string

func (b *builder) Helper()                   {}
func (b *builder) Logf(string, ...any)       {}
func (b *builder) Cleanup(f func())          { b.clean = append(b.clean, f) }
func (b *builder) Fatal(args ...any)         { panic(failure(fmt.Sprint(args...))) }
func (b *builder) Fatalf(f string, a ...any) { panic(failure(fmt.Sprintf(f, a...))) }
func (b *builder) TempDir() string           { return shared.dir }

func (b *builder) end(err *error) {
	for _, f := range slices.Backward(b.clean) {
		f()
	}
	if f, ok := recover().(failure); ok {
		*err = errors.New(string(f))
	}
}
