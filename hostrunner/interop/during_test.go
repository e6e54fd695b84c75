package interop_test

import (
	"testing"

	"github.com/cardferry/cardferry/hostrunner/anki"
)

// The requests of a normal sync are those that the points stand for, whoever is newer.
func TestPoints(t *testing.T) {
	t.Parallel()
	for _, newer := range []bool{false, true} {
		s, a := newApartSetup(t, inProcess, newer)
		s.ours.sync(t)
		points := syncPoints()
		log := s.proxy.Log()
		if len(log) != len(points)/2 {
			t.Fatal(log)
		}
		for i, m := range log {
			if points[2*i].method != m {
				t.Fatal(log)
			}
		}
		d := s.agree(t)
		a.keeps(t, d)
		if got := d.Get("notes", "sfld", a.notes[1]); got != "changed by ours" {
			t.Error("the older change won:", got)
		}
		want := `"real"`
		if newer {
			want = `"ours"`
		}
		if got := d.Config("by"); got != want {
			t.Error("config of the older side:", got)
		}
	}
}

// Whatever an app changes between two requests of a running sync is kept, and the next sync sends it.
func TestEditsDuringSync(t *testing.T) {
	t.Parallel()
	for i, p := range syncPoints() {
		newer := i%4 > 1
		t.Run("all edits "+p.String(), func(t *testing.T) {
			t.Parallel()
			locals(t, 4, func(t *testing.T, e engine) { editDuringSync(t, e, newer, p, edits...) })
		})
	}
	for i, c := range edits {
		for j, p := range syncPoints() {
			if !full() && (i+j)%4 != 0 || nativeOnly() && (i+j)%12 != 0 {
				continue
			}
			newer := (i+j)%8 > 3
			t.Run(c.name+" "+p.String(), func(t *testing.T) {
				t.Parallel()
				locals(t, 32, func(t *testing.T, e engine) { editDuringSync(t, e, newer, p, c) })
			})
		}
	}
}

func editDuringSync(t *testing.T, e engine, newer bool, p point, edits ...edit) {
	s, a := newApartSetup(t, e, newer)
	seen := make([]func(anki.Dump) bool, len(edits))
	s.proxy.Use(p.at(func(*anki.Exchange) anki.Verdict {
		for i, c := range edits {
			seen[i] = c.do(t, a.world, s.ours.app)
		}
		return anki.Pass
	}))
	s.ours.sync(t)
	check := func(when string) {
		t.Helper()
		d := s.ours.dump(t)
		for i, c := range edits {
			if seen[i] == nil {
				t.Fatal("the sync has not come to the point: ", s.proxy.Log())
			}
			if !seen[i](d) {
				t.Errorf("%s: lost %s", c.name, when)
			}
		}
		a.keeps(t, d)
	}
	check("after the sync")
	s.ours.sync(t)
	check("after the next sync")
	s.agree(t)
}
