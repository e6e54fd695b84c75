package syncserver_test

import (
	"reflect"
	"strconv"
	"testing"

	"github.com/cardferry/cardferry/hostrunner/syncserver"
)

// TestContents asks what an account's collection has, and what of that is newer than a time.
func TestContents(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, s *syncserver.Server) {
		c := newClient(t, s, serve(t, s), "ada")
		const at = 1_700_000_000_000
		none := map[string]any{"notes": 0.0, "reviews": 0.0, "examples": []any{}}
		status, got := c.api("GET", "collection?since=0", nil)
		if status != 200 || got["cards"] != 0.0 || got["notes"] != 0.0 || got["reviews"] != 0.0 || !reflect.DeepEqual(got["newer"], none) {
			t.Errorf("without a collection: %d %v", status, got)
		}
		statements := []string{"DELETE FROM notes", "DELETE FROM cards", "DELETE FROM revlog", "UPDATE col SET mod = 1700000009000"}
		for i, first := range []string{"oldest", "<b>old</b>", "same second", "new", "newer", "newest"} {
			n := strconv.Itoa(i)
			mod := strconv.Itoa(at/1000 + i - 2)
			statements = append(statements,
				"INSERT INTO notes SELECT "+n+" + 1, 'guid"+n+"', (SELECT min(id) FROM notetypes), "+mod+", 0, '', '"+first+"' || char(31) || 'back', '', 0, 0, ''",
				"INSERT INTO cards SELECT "+n+" + 1, "+n+" + 1, 1, 0, "+mod+", 0, 0, 0, "+n+" + 1, 0, 0, 0, 0, 0, 0, 0, 0, ''",
				"INSERT INTO revlog SELECT "+mod+" * 1000, "+n+" + 1, 0, 3, 1, 0, 2500, 1000, 1")
		}
		c.must("sync/upload", changed(t, "stock.anki2", statements...))
		status, got = c.api("GET", "collection?since="+strconv.Itoa(at), nil)
		newer := map[string]any{"notes": 3.0, "reviews": 3.0, "examples": []any{"newest", "newer", "new"}}
		if status != 200 || got["cards"] != 6.0 || got["notes"] != 6.0 || got["reviews"] != 6.0 || got["modified"] != 1700000009000.0 || !reflect.DeepEqual(got["newer"], newer) {
			t.Errorf("%d %v", status, got)
		}
		_, got = c.api("GET", "collection?since=1800000000000", nil)
		if !reflect.DeepEqual(got["newer"], none) {
			t.Errorf("nothing is newer: %v", got)
		}
		for path, want := range map[string]int{"collection": 422, "collection?since=-1": 422, "collection?since=x": 422} {
			if status, _ := c.api("GET", path, nil); status != want {
				t.Errorf("%s: %d, want %d", path, status, want)
			}
		}
		if status, _ := (&client{t: t, url: c.url}).api("GET", "collection?since=0", nil); status != 401 {
			t.Errorf("without a key: %d", status)
		}
	})
}
