package interop_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	ops "github.com/cardferry/cardferry/core/edit"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/hostrunner"
	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
)

// api edits through our own Edit, also while the profile syncs; for what that cannot do it is an app.
type api struct {
	app
	profile *hostrunner.Profile
}

func newAPI(o *ours) api { return api{o.app, o.profile.(*hostrunner.Profile)} }

func (a api) do(t testing.TB, op ops.Op) ops.Result {
	t.Helper()
	r, err := a.profile.Edit(t.Context(), op)
	if err != nil {
		t.Fatalf("%+v: %v", op, err)
	}
	return r.Results[0]
}

// undo takes the last edit back; it reports whether there was one.
func (a api) undo(t testing.TB) bool {
	t.Helper()
	_, err := a.profile.Undo(t.Context())
	if err != nil && fault.KindOf(err) != fault.NotFound {
		t.Fatal(err)
	}
	return err == nil
}

// look reads a row while the core has the file open.
func (a api) look(t testing.TB, sql string, args ...any) rows.Row {
	t.Helper()
	db, err := sqlitehost.OpenFile(a.path, host.ReadOnly)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	row, err := rows.One(db, sql, args...)
	if err != nil || row == nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return row
}

func (a api) addNote(t testing.TB, deck int64, front string, tags ...string) (note, card int64) {
	t.Helper()
	nt := a.look(t, "SELECT id FROM notetypes WHERE name = 'Basic'")[0].Int()
	r := a.do(t, ops.Op{Op: ops.AddNote, NotetypeID: nt, DeckID: deck, Fields: []string{front, "back"}, Tags: tags})
	return r.NoteID, r.CardIDs[0]
}

func (a api) editNote(t testing.TB, note int64, front string) {
	t.Helper()
	n := a.look(t, "SELECT count(*) FROM fields WHERE ntid = (SELECT mid FROM notes WHERE id = ?)", note)[0].Int()
	fields := make([]string, n)
	fields[0] = front
	a.do(t, ops.Op{Op: ops.UpdateNote, NoteID: note, Fields: fields})
}

func (a api) tagNote(t testing.TB, note int64, tag string) {
	t.Helper()
	a.do(t, ops.Op{Op: ops.UpdateNote, NoteID: note, AddTags: []string{tag}})
}

func (a api) removeNote(t testing.TB, note int64) {
	t.Helper()
	a.do(t, ops.Op{Op: ops.RemoveNotes, NoteIDs: []int64{note}})
}

func (a api) addDeck(t testing.TB, name string) int64 {
	t.Helper()
	return a.do(t, ops.Op{Op: ops.AddDeck, Name: name}).DeckID
}

func (a api) renameDeck(t testing.TB, deck int64, name string) {
	t.Helper()
	a.do(t, ops.Op{Op: ops.RenameDeck, DeckID: deck, Name: name})
}

func (a api) removeDeck(t testing.TB, deck int64) {
	t.Helper()
	a.do(t, ops.Op{Op: ops.RemoveDeck, DeckID: deck})
}

func (a api) styleNotetype(t testing.TB, id int64, css string) {
	t.Helper()
	a.do(t, ops.Op{Op: ops.SetTemplate, NotetypeID: id, CSS: &css})
}

func (a api) setConfig(t testing.TB, key, value string) {
	t.Helper()
	a.do(t, ops.Op{Op: ops.SetConfig, Key: key, Value: ops.JSON(value)})
}

func (a api) removeConfig(t testing.TB, key string) {
	t.Helper()
	a.setConfig(t, key, "null")
}

func (a api) answer(t testing.TB, card int64) {
	t.Helper()
	a.do(t, ops.Op{Op: ops.AnswerCard, CardID: card, Button: 3, TakenMs: 2500})
}

func (a api) setCard(t testing.TB, op ops.Op, card int64) {
	t.Helper()
	op.Op, op.CardIDs = ops.SetCards, []int64{card}
	a.do(t, op)
}

func (a api) suspend(t testing.TB, card int64) {
	t.Helper()
	yes := true
	a.setCard(t, ops.Op{Suspended: &yes}, card)
}

func (a api) flag(t testing.TB, card int64, flag int) {
	t.Helper()
	f := int64(flag)
	a.setCard(t, ops.Op{Flag: &f}, card)
}

func (a api) move(t testing.TB, card, deck int64) {
	t.Helper()
	a.setCard(t, ops.Op{DeckID: deck}, card)
}

var _ editor = api{}

// TestAPIDuringSync: edits made through Edit between two requests of a running sync are kept, and the next sync sends them.
func TestAPIDuringSync(t *testing.T) {
	t.Parallel()
	for i, p := range syncPoints() {
		t.Run(p.String(), func(t *testing.T) {
			t.Parallel()
			locals(t, 4, func(t *testing.T, e engine) {
				s, a := newApartSetup(t, e, i%4 > 1)
				own := newAPI(s.ours)
				var seen []func(anki.Dump) bool
				s.proxy.Use(p.at(func(*anki.Exchange) anki.Verdict {
					for _, c := range edits {
						seen = append(seen, c.do(t, a.world, own))
					}
					return anki.Pass
				}))
				for range 2 {
					s.ours.sync(t)
					d := s.ours.dump(t)
					for i, c := range edits {
						if len(seen) != len(edits) || !seen[i](d) {
							t.Errorf("%s: lost", c.name)
						}
					}
					a.keeps(t, d)
				}
				s.agree(t)
			})
		})
	}
}

// TestUndoDuringSync takes back, at each point of a sync, what can be taken back, and edits and takes that back, too: the sides
// agree afterwards, and nothing came halfway.
func TestUndoDuringSync(t *testing.T) {
	t.Parallel()
	for i, p := range syncPoints() {
		t.Run(p.String(), func(t *testing.T) {
			t.Parallel()
			locals(t, 4, func(t *testing.T, e engine) {
				s, a := newApartSetup(t, e, i%4 > 1)
				own := newAPI(s.ours)
				var seen []func(anki.Dump) bool
				makeAll := func() {
					seen = nil
					for _, c := range edits {
						if c.name != "add deck config" && c.name != "edit deck config" && c.name != "add notetype" && c.name != "rename notetype" && c.name != "describe deck" {
							seen = append(seen, c.do(t, a.world, own))
						}
					}
				}
				takeAll := func() (n int) {
					for own.undo(t) {
						n++
					}
					return n
				}
				makeAll()
				reached := false
				var undone int
				s.proxy.Use(p.at(func(*anki.Exchange) anki.Verdict {
					reached = true
					if undone = takeAll(); undone > 0 {
						makeAll()
						if n := takeAll(); n != undone {
							t.Errorf("took back %d, and then %d", undone, n)
						}
					}
					own.setConfig(t, "then", "1")
					return anki.Pass
				}))
				for range 2 {
					s.ours.sync(t)
					d := s.ours.dump(t)
					for _, has := range seen {
						if reached && has(d) == (undone > 0) {
							t.Errorf("undone: %d, and there: %v", undone, has(d))
						}
					}
					a.keeps(t, d)
				}
				if own.undo(t) {
					t.Error("something could be taken back after a sync")
				}
				s.agree(t)
			})
		})
	}
}

// TestRandomAPI: as TestRandomInterleavings, with the edits of our device through Edit, some of them taken back.
func TestRandomAPI(t *testing.T) {
	t.Parallel()
	seeds := 4
	if full() {
		seeds = 40
	}
	for seed := range uint64(seeds) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			locals(t, 4, func(t *testing.T, e engine) {
				s := newSetup(t, e)
				r := rand.New(rand.NewPCG(seed, 8))
				mod := time.Now().Unix() - 3000
				api := newAPI(s.ours)
				own := &player{editor: api, world: s.world, rand: r, name: "ours", mod: &mod}
				other := &player{editor: s.real, world: s.world, rand: r, name: "real", mod: &mod}
				for range 30 {
					switch r.IntN(7) {
					case 0, 1:
						own.edit(t, s.ours.dump(t))
					case 2:
						own.answer(t, pick(r, s.ours.dump(t), "cards"))
					case 3:
						other.edit(t, s.real.dump(t))
					case 4:
						s.real.sync(t)
					case 5:
						s.disturbed(t, r, own)
					case 6:
						api.undo(t)
					}
				}
				s.proxy.Use(anki.Hooks{})
				settle(t, s.ours, s.real)
				s.agree(t)
			})
		})
	}
}

// TestAPIAllTheTime edits and takes back without pause while a sync receives and sends many rows: edits wait for the transactions
// only, and nothing is lost.
func TestAPIAllTheTime(t *testing.T) {
	t.Parallel()
	locals(t, 1, func(t *testing.T, e engine) {
		s := newSetup(t, e)
		api := newAPI(s.ours)
		for range 50 {
			api.addNote(t, s.base, "before") // first: so many at once get ids of the next second, which would be given here again
		}
		s.real.Do(t, "add_notes", anki.Args{"prefix": "many", "count": 1000, "deck": s.base}, nil)
		s.real.sync(t)
		synced := make(chan error, 1)
		go func() {
			_, err := s.ours.try(t.Context())
			synced <- err
		}()
		running, edits := true, 0
		for running {
			select {
			case err := <-synced:
				if err != nil {
					t.Fatal(err)
				}
				running = false
			default:
			}
			edits++
			api.tagNote(t, s.notes[edits%len(s.notes)], fmt.Sprint("edit", edits))
			api.setConfig(t, "edits", fmt.Sprint(edits))
			if edits%3 == 0 {
				api.undo(t)
				api.undo(t)
			}
		}
		t.Logf("%d edits while it synced", edits)
		settle(t, s.ours, s.real)
		s.agree(t)
	})
}
