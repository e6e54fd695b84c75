package ankitest_test

import (
	"path/filepath"
	"testing"

	"github.com/cardferry/cardferry/hostrunner/ankitest"
)

// TestGenerate: the real client finds nothing wrong with a generated collection, and the same seed gives the same one.
func TestGenerate(t *testing.T) {
	t.Parallel()
	ankitest.Require(t)
	g := ankitest.Generated{Seed: 1, Size: ankitest.Size{Notes: 400, Cards: 600, Reviews: 3000}, RowUSN: -1, USN: 5, Mod: ankitest.GeneratedTime.UnixMilli()}
	dir := ankitest.TempDir(t)
	a, b, base := filepath.Join(dir, "a", "c.anki2"), filepath.Join(dir, "b", "c.anki2"), filepath.Join(dir, "base", "c.anki2")
	for _, path := range []string{a, b} {
		if err := ankitest.Generate(path, g); err != nil {
			t.Fatal(err)
		}
	}
	first := ankitest.MustDump(t, a)
	ankitest.RequireEqual(t, "two collections of one seed", first, ankitest.MustDump(t, b))
	if len(first["notes"]) != 400 || len(first["cards"]) != 600 || len(first["revlog"]) != 3000 || first.Pending("cards") != 600 {
		t.Error("wrong numbers of rows")
	}
	ankitest.CheckFile(t, a)
	if err := ankitest.Generate(base, ankitest.Generated{Seed: 1}); err != nil {
		t.Fatal(err)
	}
	empty := ankitest.MustDump(t, base)
	for _, table := range []string{"notetypes", "decks", "tags", "config"} {
		if len(empty[table]) != len(first[table]) {
			t.Errorf("%s: %d rows without notes, %d with", table, len(empty[table]), len(first[table]))
		}
	}
	if empty["col"]["1"]["scm"] != first["col"]["1"]["scm"] {
		t.Error("the schema times differ")
	}
}

func BenchmarkGenerate(b *testing.B) {
	for b.Loop() {
		if err := ankitest.Generate(filepath.Join(b.TempDir(), "c.anki2"), ankitest.Generated{Seed: 1, Size: ankitest.SizeM}); err != nil {
			b.Fatal(err)
		}
	}
}
