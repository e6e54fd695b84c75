package interop_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cardferry/cardferry/hostrunner/anki"
)

// apart is the world after both sides have changed it: a real client has synced its changes, ours are pending. Both have
// changed the same objects, ours later, and both have made and removed some.
type apart struct {
	*world
	server, own []byte
	// kept are the changes that both sides must have after a sync.
	kept map[string]func(anki.Dump) bool
}

const (
	realChanged = 2000 // seconds before now
	ownChanged  = 1000
)

func newApart(dir string) (a *apart, err error) {
	w, err := shared.seed()
	if err != nil {
		return nil, err
	}
	server, err := shared.server()
	if err != nil {
		return nil, err
	}
	agent, err := shared.agent()
	if err != nil {
		return nil, err
	}
	b := &builder{}
	defer b.end(&err)
	a = &apart{world: w, kept: map[string]func(anki.Dump) bool{}}
	acc := server.Account(b)
	acc.Install(b, w.file)
	for _, name := range []string{"apart-real.anki2", "apart-own.anki2"} {
		if err := os.WriteFile(filepath.Join(dir, name), w.file, 0o600); err != nil {
			return nil, err
		}
	}
	c := agent.Client(b, filepath.Join(dir, "apart-real.anki2"))
	r := &real{realEditor{c}, server.URL, acc.Key}
	a.change(b, "real", r, 1)
	for _, table := range []string{"notes", "cards", "decks", "deck_config", "notetypes"} {
		c.SQL(b, "UPDATE "+table+" SET "+modColumn(table)+" = "+modColumn(table)+" - ? WHERE usn = -1", realChanged)
	}
	own := app{filepath.Join(dir, "apart-own.anki2")}
	a.change(b, "ours", own, 2)
	own.edit(b, func(e tx) {
		for _, table := range []string{"notes", "cards", "decks", "deck_config", "notetypes"} {
			e.exec("UPDATE "+table+" SET "+modColumn(table)+" = "+modColumn(table)+" - ? WHERE usn = -1", ownChanged)
		}
	})
	if a.own, err = os.ReadFile(own.path); err != nil {
		return nil, err
	}
	r.sync(b)
	a.server = acc.Bytes(b)
	return a, nil
}

// change makes one side's changes; n tells the sides apart.
func (a *apart) change(t testing.TB, side string, e editor, n int) {
	for i := 1; i <= 8; i++ {
		e.editNote(t, a.notes[i], "changed by "+side)
		e.flag(t, a.cards[i], n)
	}
	for _, deck := range []int64{a.spare[0], a.child, a.full} {
		e.describeDeck(t, deck, "by "+side)
	}
	e.styleNotetype(t, a.notetype, ".by-"+side+"{}")
	e.styleNotetype(t, a.otherType, ".by-"+side+"{}")
	e.editDeckConfig(t, a.deckConfig, 10+n)
	e.setConfig(t, "by", `"`+side+`"`)
	e.removeNote(t, a.notes[20+n])
	e.answer(t, a.cards[16+n])
	note, card := e.addNote(t, a.base, "added by "+side, "tag-"+side)
	deck := e.addDeck(t, "Added by "+side)
	config := e.addDeckConfig(t, "Added by "+side)
	notetype := e.addNotetype(t, "Added by "+side)
	gone, answered := a.notes[20+n], a.cards[16+n]
	a.kept["rows added by "+side] = func(d anki.Dump) bool {
		return d.Has("notes", note) && d.Has("cards", card) && d.Has("decks", deck) && d.Has("deck_config", config) &&
			d.Has("notetypes", notetype) && d.Has("tags", "tag-"+side)
	}
	a.kept["answer by "+side] = func(d anki.Dump) bool { return d.Get("cards", "reps", answered) == int64(1) }
	a.kept["removal by "+side] = func(d anki.Dump) bool { return !d.Has("notes", gone) }
}

// newApartSetup gives a user the two sides. newer says whether our collection is the newer one, whose config wins.
func newApartSetup(t testing.TB, e engine, newer bool) (*setup, *apart) {
	t.Helper()
	server := get(t, shared.server)
	a := get(t, shared.apart)
	acc := server.Account(t)
	acc.Install(t, a.server)
	proxy := anki.NewProxy(t, server.URL)
	s := &setup{world: a.world, acc: acc, proxy: proxy, ours: open(t, e, acc, proxy.URL, a.own)}
	if newer {
		s.ours.setConfig(t, "newer", "true")
	}
	return s, a
}

// renew puts the account and our device back to the two sides, in the way newApartSetup makes them. A guest in another
// place goes on with the other file: starting Node or Chromium hundreds of times would take most of a test's time.
func (s *setup) renew(t testing.TB, a *apart, newer bool) {
	t.Helper()
	s.proxy.Use(anki.Hooks{})
	s.acc.Install(t, a.server)
	if r, ok := s.ours.profile.(*remote); ok {
		if err := os.WriteFile(r.path, a.own, 0o600); err != nil {
			t.Fatal(err)
		}
	} else {
		if err := s.ours.profile.Close(); err != nil {
			t.Fatal(err)
		}
		s.ours = open(t, s.ours.engine, s.acc, s.proxy.URL, a.own)
	}
	if newer {
		s.ours.setConfig(t, "newer", "true")
	}
}

// keeps fails if a change of either side is not in d.
func (a *apart) keeps(t testing.TB, d anki.Dump) {
	t.Helper()
	for name, seen := range a.kept {
		if !seen(d) {
			t.Errorf("lost: %s", name)
		}
	}
}

// point is a moment in an operation: before the server gets the request with this number, or after it has answered and
// before the client gets the answer.
type point struct {
	n      int
	method string
	after  bool
}

func (p point) String() string {
	if p.after {
		return "after " + p.method
	}
	return "before " + p.method
}

// at returns hooks that call do once, at the point.
func (p point) at(do func(*anki.Exchange) anki.Verdict) anki.Hooks {
	hook := func(ex *anki.Exchange) anki.Verdict {
		if ex.N != p.n {
			return anki.Pass
		}
		return do(ex)
	}
	if p.after {
		return anki.Hooks{After: hook}
	}
	return anki.Hooks{Before: hook}
}

// pointsOf returns the points of an operation that makes these requests.
func pointsOf(methods ...string) (points []point) {
	for n, m := range methods {
		if i := slices.Index(methods, m); i < n {
			m += " again"
		}
		points = append(points, point{n, m, false}, point{n, m, true})
	}
	return points
}

// syncPoints are those of a normal sync of the apart collections.
func syncPoints() []point {
	return pointsOf("meta", "start", "applyGraves", "applyChanges", "chunk", "applyChunk", "sanityCheck2", "finish")
}
