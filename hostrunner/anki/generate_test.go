package anki_test

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/cardferry/cardferry/hostrunner/anki"
)

// TestGenerate: the real client finds nothing wrong with a generated collection, and the same seed gives the same one.
func TestGenerate(t *testing.T) {
	t.Parallel()
	anki.Need(t)
	g := anki.Generated{Seed: 1, Size: anki.Size{Notes: 400, Cards: 600, Reviews: 3000}, RowUSN: -1, USN: 5, Mod: anki.GeneratedTime.UnixMilli()}
	dir := t.TempDir()
	a, b, base := filepath.Join(dir, "a", "c.anki2"), filepath.Join(dir, "b", "c.anki2"), filepath.Join(dir, "base", "c.anki2")
	for _, path := range []string{a, b} {
		if err := anki.Generate(path, g); err != nil {
			t.Fatal(err)
		}
	}
	first := anki.Read(t, a)
	if d := anki.Compare(first, anki.Read(t, b)); len(d) > 0 {
		t.Error("two collections of one seed differ:", d)
	}
	if len(first["notes"].Rows) != 400 || len(first["cards"].Rows) != 600 || len(first["revlog"].Rows) != 3000 {
		t.Error("wrong numbers of rows")
	}
	if got := first.Pending(); !slices.Equal(got, []string{"cards", "notes", "revlog"}) {
		t.Error("pending:", got)
	}
	if found, err := anki.StartAgent(t).Check(a); found != "" || err != nil {
		t.Error(found, err)
	}
	if err := anki.Generate(base, anki.Generated{Seed: 1}); err != nil {
		t.Fatal(err)
	}
	empty := anki.Read(t, base)
	for _, table := range []string{"notetypes", "decks", "tags", "config"} {
		if len(empty[table].Rows) != len(first[table].Rows) {
			t.Errorf("%s: %d rows without notes, %d with", table, len(empty[table].Rows), len(first[table].Rows))
		}
	}
	if empty.Get("col", "scm", 1) != first.Get("col", "scm", 1) {
		t.Error("the schema times differ")
	}
}

func BenchmarkGenerate(b *testing.B) {
	for b.Loop() {
		if err := anki.Generate(filepath.Join(b.TempDir(), "c.anki2"), anki.Generated{Seed: 1, Size: anki.SizeM}); err != nil {
			b.Fatal(err)
		}
	}
}
