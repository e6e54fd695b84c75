package names_test

import (
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/names"
	"github.com/cardferry/cardferry/core/unicase"
)

func read(t *testing.T, name string, into any) {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatal(err)
	}
}

func TestDeckVectors(t *testing.T) {
	t.Parallel()
	var v struct {
		Cases []struct{ Wire, Stored string }
	}
	read(t, "deck_names.json", &v)
	for _, c := range v.Cases {
		got := names.DeckNative(coretest.Text{}, c.Wire)
		if got != c.Stored {
			t.Errorf("DeckNative(%q) = %q, want %q", c.Wire, got, c.Stored)
		}
		if again := names.DeckNative(coretest.Text{}, names.DeckHuman(got)); again != got {
			t.Errorf("%q comes back as %q", got, again)
		}
	}
}

// TestTagVectors registers the tags of the vectors one after another as collection-format.md §5.5 says, to see
// that what the real program registered follows from Tag and TagParent.
func TestTagVectors(t *testing.T) {
	t.Parallel()
	var v struct {
		Cases []struct {
			Received string
			Table    []string
		}
	}
	read(t, "tags.json", &v)
	var table []string
	find := func(tag string) int {
		return slices.IndexFunc(table, func(s string) bool { return unicase.Equal(s, tag) })
	}
	for _, c := range v.Cases {
		tag := names.Tag(coretest.Text{}, c.Received)
		if find(tag) < 0 {
			for p := names.TagParent(tag); p != ""; p = names.TagParent(p) {
				if i := find(p); i >= 0 {
					tag = table[i] + tag[len(p):]
					break
				}
			}
			table = append(table, tag)
			slices.Sort(table) // the order in which the vectors list them
		}
		if !slices.Equal(table, c.Table) {
			t.Errorf("after %q: %q, want %q", c.Received, table, c.Table)
		}
	}
}

func TestTag(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"a":             "a",
		"a:::b":         "a:::b",
		"a::::b":        "a::blank::b",
		"\u00a0a\u2003": "a",
		"e\u0301":       "é",
		"::":            "blank::blank",
		"\x7f":          "blank",
	} {
		if got := names.Tag(coretest.Text{}, in); got != want {
			t.Errorf("Tag(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestParents(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"": "", "a": "", "a\x1fb": "a", "a\x1fb\x1fc": "a\x1fb"} {
		if got := names.DeckParent(in); got != want {
			t.Errorf("DeckParent(%q) = %q, want %q", in, got, want)
		}
		if got := names.TagParent(names.DeckHuman(in)); got != names.DeckHuman(want) {
			t.Errorf("TagParent(%q) = %q, want %q", names.DeckHuman(in), got, names.DeckHuman(want))
		}
	}
}

func TestUnique(t *testing.T) {
	t.Parallel()
	taken := func(s string) (bool, error) { return s == "X" || s == "X+", nil }
	for in, want := range map[string]string{"X": "X++", "Y": "Y"} {
		if got, err := names.Unique(in, "+", taken); err != nil || got != want {
			t.Errorf("Unique(%q) = %q, %v, want %q", in, got, err, want)
		}
	}
	broken := errors.New("broken")
	if _, err := names.Unique("X", "_", func(string) (bool, error) { return false, broken }); !errors.Is(err, broken) {
		t.Errorf("error %v, want %v", err, broken)
	}
}

// FuzzNames asks that names come to rest. Once is not enough for all: the order of the steps is the reference's, and
// a control character that keeps a letter from its accent, or a ':' from another, goes after both were looked for.
func FuzzNames(f *testing.F) {
	f.Add("a::b")
	f.Add(" :e\u0301\x1f:: \u3000::")
	f.Add("\xff::a:::b")
	f.Add(":\u3000:")
	f.Add("a:\a:e\a\u0301")
	f.Fuzz(func(t *testing.T, s string) {
		deck := names.DeckNative(coretest.Text{}, names.DeckHuman(names.DeckNative(coretest.Text{}, s)))
		if again := names.DeckNative(coretest.Text{}, names.DeckHuman(deck)); again != deck {
			t.Errorf("deck %q: %q, then %q", s, deck, again)
		}
		tag := names.Tag(coretest.Text{}, names.Tag(coretest.Text{}, s))
		if again := names.Tag(coretest.Text{}, tag); again != tag {
			t.Errorf("tag %q: %q, then %q", s, tag, again)
		}
		if strings.ContainsAny(tag, " \u3000\x1f") || strings.Contains(deck, "\x1f\x1f") {
			t.Errorf("%q: %q, %q", s, deck, tag)
		}
	})
}
