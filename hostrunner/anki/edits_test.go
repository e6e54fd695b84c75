package anki_test

import (
	"path/filepath"
	"testing"

	"github.com/cardferry/cardferry/hostrunner/anki"
)

// TestNames gives objects to the edits by what both sides of a sync know, not by id.
func TestNames(t *testing.T) {
	t.Parallel()
	c := anki.NewClient(t)
	for _, e := range []struct {
		op   string
		args anki.Args
	}{
		{"add_note", anki.Args{"guid": "a,1", "deck": "Größe::子", "notetype": "Basic (and reversed card)", "fields": []string{"f", "b"}}},
		{"add_notes", anki.Args{"prefix": "many", "count": 3, "deck": "Many"}},
		{"edit_note", anki.Args{"note": "a,1", "fields": []string{"f", "c"}, "tags": []string{"t"}}},
		{"answer", anki.Args{"card": "a,1/0", "ease": 3}},
		{"suspend", anki.Args{"cards": []string{"a,1/1"}}},
		{"rename_deck", anki.Args{"deck": "Größe::子", "name": "Größe::中"}},
		{"describe_deck", anki.Args{"deck": "Größe::中", "desc": "d"}},
		{"add_deck_config", anki.Args{"name": "Options"}},
		{"edit_deck_config", anki.Args{"id": "Options", "per_day": 7}},
		{"use_deck_config", anki.Args{"deck": "Größe::中", "id": "Options"}},
		{"edit_notetype", anki.Args{"id": "Cloze", "css": "b { }"}},
		{"remove_notes", anki.Args{"notes": []string{"many1"}}},
		{"remove_decks", anki.Args{"decks": []string{"Many"}}},
	} {
		c.Do(t, e.op, e.args, nil)
	}
	rows := c.SQL(t, "SELECT n.guid, n.flds, n.tags, c.queue < 0, c.reps, d.name FROM notes n JOIN cards c ON c.nid = n.id "+
		"JOIN decks d ON d.id = c.did ORDER BY n.guid, c.ord")
	want := [][]any{
		{"a,1", "f\x1fc", " t ", 0.0, 1.0, "Größe\x1f中"},
		{"a,1", "f\x1fc", " t ", 1.0, 0.0, "Größe\x1f中"},
	}
	if len(rows) != len(want) {
		t.Fatal(rows)
	}
	for i := range want {
		for j := range want[i] {
			if rows[i][j] != want[i][j] {
				t.Errorf("row %d: %v, want %v", i, rows[i], want[i])
			}
		}
	}
}

// TestMeasure says what an operation costs.
func TestMeasure(t *testing.T) {
	t.Parallel()
	c, err := anki.StartAgent(t).OpenClient(filepath.Join(t.TempDir(), "collection.anki2"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := c.Measure("add_notes", anki.Args{"prefix": "x", "count": 50})
	if err != nil || m.Seconds <= 0 || m.Kilobytes < 0 || string(m.Result) != "null" {
		t.Errorf("%+v %v", m, err)
	}
	if err := c.Try("close", nil, nil); err != nil {
		t.Error(err)
	}
}
