package notetext_test

import (
	"encoding/json"
	"os"
	"reflect"
	"testing"

	"github.com/cardferry/cardferry/core/notetext"
)

func read(t testing.TB, name string, into any) {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatal(err)
	}
}

type stripVector struct {
	Field       string
	StoredField string `json:"stored_field"`
	Strip       string
	Sfld        any
	SfldType    string `json:"sfld_type"`
	Csum        uint32
}

func TestVectors(t *testing.T) {
	t.Parallel()
	var v struct{ Cases []stripVector }
	read(t, "strip_csum.json", &v)
	for _, c := range v.Cases {
		clean := notetext.CleanFields(c.Field)
		if clean != c.StoredField {
			t.Errorf("CleanFields(%q) = %q, want %q", c.Field, clean, c.StoredField)
		}
		if got := notetext.Strip(clean); got != c.Strip {
			t.Errorf("Strip(%q) = %q, want %q", clean, got, c.Strip)
		}
		sfld, csum := notetext.SortFieldAndChecksum(clean, 0)
		if csum != c.Csum {
			t.Errorf("%q: checksum %d, want %d", c.Field, csum, c.Csum)
		}
		// What SQLite made a number of was text when it was bound.
		if want, ok := c.Sfld.(string); ok && sfld != want {
			t.Errorf("%q: sort field %q, want %q", c.Field, sfld, want)
		}
	}
}

func TestSortFieldAndChecksum(t *testing.T) {
	t.Parallel()
	const dog, empty = 3834974802, 3661210606
	for _, c := range []struct {
		fields    []string
		sortField int
		sfld      string
		csum      uint32
	}{
		{nil, 0, "", empty},
		{[]string{"<b>dog</b>", "c&amp;t"}, 0, "dog", dog},
		{[]string{"<b>dog</b>", "c&amp;t"}, 1, "c&t", dog},
		{[]string{"<b>dog</b>", "c&amp;t"}, 2, "", dog},
		{[]string{"<b>dog</b>", "c&amp;t"}, -1, "", dog},
	} {
		if sfld, csum := notetext.SortFieldAndChecksum(notetext.JoinFields(c.fields), c.sortField); sfld != c.sfld || csum != c.csum {
			t.Errorf("%q, %d: %q, %d, want %q, %d", c.fields, c.sortField, sfld, csum, c.sfld, c.csum)
		}
	}
}

func TestFields(t *testing.T) {
	t.Parallel()
	for in, want := range map[string][]string{"": {""}, "a": {"a"}, "a\x1f\x1fb": {"a", "", "b"}} {
		got := notetext.SplitFields(in)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("SplitFields(%q) = %q", in, got)
		}
		if back := notetext.JoinFields(got); back != in {
			t.Errorf("JoinFields(%q) = %q", got, back)
		}
	}
}

func TestCleanFields(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                        "",
		"a\tb\nc é日":              "a\tb\nc é日",
		"\x00a\r\n\x1f\x7f\u0085": "a\n\x1f\u0085",
		"eight of them,\x1fand \n more, é日本語 in \t words":   "eight of them,\x1fand \n more, é日本語 in \t words",
		"eight of them,\x1fand \x1e more, é日本語 in \t words": "eight of them,\x1fand  more, é日本語 in \t words",
		"eight of them, and one at the end\x7f":             "eight of them, and one at the end",
	} {
		if got := notetext.CleanFields(in); got != want {
			t.Errorf("CleanFields(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestJoinTags(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":              "",
		" \u3000 ":      "",
		"a":             " a ",
		" a  b\u3000c ": " a b c ",
		"a\u00a0b\tc":   " a\u00a0b\tc ",
		"b a b":         " b a b ",
		" b a ":         " b a ",
		" b\u3000a ":    " b a ",
		" b  a ":        " b a ",
		"b a ":          " b a ",
		"  ":            "",
	} {
		if got := notetext.JoinTags(in); got != want {
			t.Errorf("JoinTags(%q) = %q, want %q", in, got, want)
		}
	}
}
