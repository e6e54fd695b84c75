package interop_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/cardferry/cardferry/core/colsync"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/service"
	"github.com/cardferry/cardferry/hostrunner/anki"
)

// needed fails unless a sync asks for a direction, with these allowed, and has changed nothing.
func (o *ours) needed(t *testing.T, upload, download bool) {
	t.Helper()
	if _, err := o.profile.Status(t.Context(), service.StatusParams{Offline: true}); err != nil { // upgrades the file
		t.Fatal(err)
	}
	before := o.dump(t)
	_, err := o.try(t.Context())
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.OneWayNeeded {
		t.Fatalf("got %v, want one_way_needed", err)
	}
	if f.Details["upload_ok"] != upload || f.Details["download_ok"] != download {
		t.Errorf("upload %v download %v, want %v %v", f.Details["upload_ok"], f.Details["download_ok"], upload, download)
	}
	for dir, allowed := range map[colsync.Direction]bool{colsync.Upload: upload, colsync.Download: download} {
		if allowed {
			continue
		}
		if err := o.choose(t, dir); fault.KindOf(err) != fault.OneWayNeeded {
			t.Errorf("%s although ruled out: %v", dir, err)
		}
		if d := anki.Compare(o.dump(t), before); len(d) > 0 {
			t.Errorf("%s although ruled out has changed %v", dir, d)
		}
	}
}

func (o *ours) choose(t *testing.T, dir colsync.Direction) error {
	t.Helper()
	_, err := o.profile.Sync(t.Context(), service.SyncParams{Account: &o.account, OnConflict: dir})
	return err
}

// replace makes a one-way sync through the method of its own.
func (o *ours) replace(t *testing.T, dir colsync.Direction) service.TransferResult {
	t.Helper()
	do := o.profile.Download
	if dir == colsync.Upload {
		do = o.profile.Upload
	}
	r, err := do(t.Context(), service.TransferParams{Account: &o.account, Backup: true})
	if err != nil {
		t.Fatalf("%s: %v", dir, err)
	}
	return r
}

// Both sides changed in ways that cannot be merged: the side that is chosen replaces the other.
func TestForcedOneWay(t *testing.T) {
	t.Parallel()
	for _, dir := range []colsync.Direction{colsync.Upload, colsync.Download} {
		for _, through := range []string{"method", "on_conflict"} {
			t.Run(string(dir)+" by "+through, func(t *testing.T) {
				t.Parallel()
				hosts(t, 2, func(t *testing.T, e engine) {
					s := newSetup(t, e)
					s.ours.editNote(t, s.notes[1], "ours")
					s.real.editNote(t, s.notes[1], "real")
					s.real.sync(t)
					s.ours.oneWay(t)
					s.ours.needed(t, true, true)
					if through == "method" {
						s.ours.replace(t, dir)
					} else if err := s.ours.choose(t, dir); err != nil {
						t.Fatal(err)
					}
					want := "real"
					if dir == colsync.Upload {
						want = "ours"
						if o, err := s.real.Sync(s.real.endpoint, s.real.key); err != nil || o.Required != "FULL_SYNC" {
							t.Fatalf("real client after our upload: %+v %v", o, err)
						}
						if err := s.real.Full(s.real.endpoint, s.real.key, false); err != nil {
							t.Fatal(err)
						}
					}
					settle(t, s.ours, s.real)
					if got := s.agree(t).Get("notes", "sfld", s.notes[1]); got != want {
						t.Errorf("the note is %v, want that of %s", got, want)
					}
					if throughOwn() && dir == colsync.Upload {
						return // the server keeps what it had
					}
					// The side that lost is in a backup, which can be restored.
					list, err := s.ours.profile.Backups(t.Context())
					if err != nil || len(list.Backups) != 1 {
						t.Fatalf("backups: %+v %v", list, err)
					}
					if _, err := s.ours.profile.Restore(t.Context(), service.RestoreParams{ID: list.Backups[0].ID}); err != nil {
						t.Fatal(err)
					}
					if got := s.ours.dump(t).Get("notes", "sfld", s.notes[1]); got == want {
						t.Errorf("the backup has the winner's note")
					}
					s.ours.checked(t)
				})
			})
		}
	}
}

// The real client forces a one-way sync, by each change that cannot be merged.
func TestRealForcesOneWay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		do   func(t *testing.T, s *setup)
	}{
		{"add field", func(t *testing.T, s *setup) {
			s.real.Do(t, "edit_notetype", anki.Args{"id": s.notetype, "add_field": "More"}, nil)
		}},
		{"remove notetype", func(t *testing.T, s *setup) {
			s.real.Do(t, "remove_notetype", anki.Args{"id": s.otherType}, nil)
		}},
		{"remove deck config", func(t *testing.T, s *setup) {
			s.real.Do(t, "remove_deck_config", anki.Args{"id": s.deckConfig}, nil)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			hosts(t, 4, func(t *testing.T, e engine) {
				s := newSetup(t, e)
				c.do(t, s)
				if err := s.real.Full(s.real.endpoint, s.real.key, true); err != nil {
					t.Fatal(err)
				}
				s.ours.flag(t, s.cards[1], 1)
				s.ours.needed(t, true, true)
				s.ours.replace(t, colsync.Download)
				settle(t, s.ours, s.real)
				s.agree(t)
			})
		})
	}
}

// A new device of ours takes what the server has; a new real client takes what we have uploaded.
func TestFirstSync(t *testing.T) {
	t.Parallel()
	hosts(t, 1, func(t *testing.T, e engine) {
		server := get(t, shared.server)
		w := get(t, shared.seed)
		acc := server.Account(t)
		s := &setup{world: w, acc: acc, ours: open(t, e, acc, server.URL, nil)}

		s.ours.sync(t) // both are new: nothing to do
		s.ours.addDeck(t, "A deck without cards")
		if _, err := s.ours.try(t.Context()); err != nil && fault.KindOf(err) != fault.OneWayNeeded {
			t.Fatal(err)
		}
		acc.Install(t, w.file)
		s.ours.needed(t, false, true)
		s.ours.replace(t, colsync.Download)
		s.addReal(t, nil)
		if o, err := s.real.Sync(server.URL, acc.Key); err != nil || o.Required != "FULL_DOWNLOAD" {
			t.Fatalf("%+v %v", o, err)
		}
		if err := s.real.Full(server.URL, acc.Key, false); err != nil {
			t.Fatal(err)
		}
		settle(t, s.ours, s.real)
		s.agree(t)

		if e == inPage {
			return // another account is another login
		}
		// An account that is empty again takes our collection.
		other := server.Account(t)
		s.acc, s.ours.account.Key = other, other.Key
		s.ours.needed(t, true, false)
		if r := s.ours.replace(t, colsync.Upload); r.Backup != "" || r.Bytes == 0 {
			t.Errorf("%+v", r)
		}
		s.addReal(t, nil)
		if err := s.real.Full(server.URL, other.Key, false); err != nil {
			t.Fatal(err)
		}
		settle(t, s.ours, s.real)
		s.agree(t)
	})
}

// Files of older programs, and names of all kinds: our upgrade gives what the real client's gives, and the collection
// travels through the server unchanged.
func TestFixtures(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"schema11.anki2", "schema11-2.1.49.anki2", "unicode.anki2", "stock.anki2"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hosts(t, 4, func(t *testing.T, e engine) {
				file, err := os.ReadFile(filepath.Join("testdata", name))
				if err != nil {
					t.Fatal(err)
				}
				server := get(t, shared.server)
				s := &setup{acc: server.Account(t)}
				s.ours = open(t, e, s.acc, server.URL, file)
				s.ours.needed(t, true, false)
				s.addReal(t, file)
				s.same(t, "the real client after opening", s.ours.dump(t), s.real.dump(t))
				s.ours.replace(t, colsync.Upload)
				if err := s.real.Full(server.URL, s.acc.Key, false); err != nil {
					t.Fatal(err)
				}
				s.same(t, "the real client after a download", s.ours.dump(t), s.real.dump(t))
				basic := int64(1)
				note, _ := s.real.addNote(t, basic, "from the real client", "ＴＡＧ", "ǅ")
				s.ours.addDeck(t, "Straße ﬁ İ")
				settle(t, s.ours, s.real)
				if d := s.agree(t); !d.Has("notes", note) {
					t.Error("the real client's note is missing")
				}
			})
		})
	}
}
