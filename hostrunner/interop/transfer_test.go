package interop_test

import (
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/service"
	"github.com/cardferry/cardferry/hostrunner/anki"
)

// What an app changes while an upload runs stays pending, and the next normal sync sends it.
func TestEditsDuringUpload(t *testing.T) {
	t.Parallel()
	for _, p := range uploadPoints() {
		t.Run(p.String(), func(t *testing.T) {
			t.Parallel()
			locals(t, 4, func(t *testing.T, e engine) {
				s, a := newApartSetup(t, e, true)
				s.ours.oneWay(t)
				seen := make([]func(anki.Dump) bool, len(edits))
				s.proxy.Use(p.at(func(*anki.Exchange) anki.Verdict {
					for i, c := range edits {
						seen[i] = c.do(t, a.world, s.ours.app)
					}
					return anki.Pass
				}))
				s.ours.replace(t, "upload")
				s.ours.sync(t)
				d := s.agree(t)
				for i, c := range edits {
					if !seen[i](d) {
						t.Errorf("%s is lost", c.name)
					}
				}
			})
		})
	}
}

// What an app changes while a download runs is in the backup and in the count of what is lost.
func TestEditsDuringDownload(t *testing.T) {
	t.Parallel()
	for _, p := range pointsOf("meta", "download") {
		t.Run(p.String(), func(t *testing.T) {
			t.Parallel()
			locals(t, 2, func(t *testing.T, e engine) {
				s, _ := newApartSetup(t, e, true)
				s.ours.oneWay(t)
				var note int64
				s.proxy.Use(p.at(func(*anki.Exchange) anki.Verdict {
					note, _ = s.ours.addNote(t, s.base, "made during a download")
					return anki.Pass
				}))
				r := s.ours.replace(t, "download")
				if s.ours.dump(t).Has("notes", note) {
					t.Error("the note is still there")
				}
				if r.Lost["notes"] == 0 || r.Lost["cards"] == 0 {
					t.Errorf("lost: %v", r.Lost)
				}
				s.ours.sync(t)
				s.agree(t)
				if _, err := s.ours.profile.Restore(t.Context(), service.RestoreParams{ID: r.Backup}); err != nil {
					t.Fatal(err)
				}
				if !s.ours.dump(t).Has("notes", note) {
					t.Error("the note is not in the backup")
				}
			})
		})
	}
}

// A change that cannot be merged, made while a sync runs: either the sync has ended before it mattered, or it stops and
// says so. The next one asks for a direction, and nothing is lost.
func TestSchemaChangeDuringSync(t *testing.T) {
	t.Parallel()
	for _, p := range syncPoints() {
		t.Run(p.String(), func(t *testing.T) {
			t.Parallel()
			locals(t, 8, func(t *testing.T, e engine) {
				s, a := newApartSetup(t, e, true)
				s.proxy.Use(p.at(func(*anki.Exchange) anki.Verdict {
					s.ours.oneWay(t)
					return anki.Pass
				}))
				if _, err := s.ours.try(t.Context()); err != nil && fault.KindOf(err) != fault.OneWayNeeded {
					t.Fatal(err)
				}
				s.ours.intact(t)
				s.proxy.Use(anki.Hooks{})
				s.ours.needed(t, true, true)
				s.ours.replace(t, "upload")
				d := s.agree(t)
				for name, seen := range a.kept {
					if name == "rows added by ours" && !seen(d) {
						t.Errorf("lost: %s", name)
					}
				}
			})
		})
	}
}
