package notetext

import (
	"html"
	"slices"
	"strings"
	"testing"
)

func TestEntities(t *testing.T) {
	t.Parallel()
	if len(entities) != 252 {
		t.Errorf("%d entities, want 252", len(entities))
	}
	if !slices.IsSortedFunc(entities[:], func(a, b entity) int { return strings.Compare(a.name, b.name) }) {
		t.Error("entities are not sorted by name")
	}
	// These two are the only ones to which HTML 5 gave another value.
	changed := map[string]string{"lang": "\u2329", "rang": "\u232a"}
	for _, e := range entities {
		want, ok := changed[e.name]
		if !ok {
			want = html.UnescapeString("&" + e.name + ";")
		}
		if string(rune(e.r)) != want {
			t.Errorf("&%s; is %U, want %U", e.name, e.r, []rune(want))
		}
		if got := Strip("&" + e.name + ";"); got != strings.ReplaceAll(want, "\u00a0", " ") {
			t.Errorf("Strip of &%s; is %q", e.name, got)
		}
	}
}
