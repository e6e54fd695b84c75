package render_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/render"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
)

// TestLoadCard: a card in a filtered deck shows the name of its home deck.
func TestLoadCard(t *testing.T) {
	t.Parallel()
	db, err := sqlitehost.OpenFile(filepath.Join(t.TempDir(), host.Collection), host.Create)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if err := collection.New(db, coretest.NewClock(time.Date(2027, 1, 15, 12, 0, 0, 0, time.UTC), 0), coretest.NewRandom(1)); err != nil {
		t.Fatal(err)
	}
	exec := func(sql string, args ...any) {
		t.Helper()
		if _, err := rows.Exec(db, sql, args...); err != nil {
			t.Fatal(err)
		}
	}
	exec("INSERT INTO decks SELECT 7, 'Lang' || char(31) || 'French', 0, 0, common, kind FROM decks WHERE id = 1")
	exec("INSERT INTO notes SELECT 1, 'g', id, 0, 0, ' z a ', 'f' || char(31) || 'b' || char(31) || 'r', '', 0, 0, '' FROM notetypes WHERE name LIKE 'Basic (optional%'")
	exec("INSERT INTO cards VALUES (2, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 10, '{}')")
	c, err := render.LoadCard(db, 2)
	if err != nil {
		t.Fatal(err)
	}
	if c.Deck != "Lang::French" || c.Flag != 2 || c.Ord != 1 || c.ID != 2 || len(c.Tags) != 2 || c.Notetype.Cloze || len(c.Notetype.Fields) != 3 || c.Notetype.CSS == "" {
		t.Errorf("%+v, %+v", c, c.Notetype)
	}
	if s := render.Render(c); s.Question != "b" || s.Answer != "b\n\n<hr id=answer>\n\nf" {
		t.Errorf("%+v", s)
	}
	exec("UPDATE cards SET odid = 0")
	if c, err := render.LoadCard(db, 2); err != nil || c.Deck != "Default" {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := render.LoadCard(db, 3); !errors.Is(err, fault.NotFound) {
		t.Error(err)
	}
	if _, err := render.Load(db, 3); !errors.Is(err, fault.NotFound) {
		t.Error(err)
	}
	exec("UPDATE templates SET config = x'ff'")
	if _, err := render.LoadCard(db, 2); !errors.Is(err, fault.DamagedFile) {
		t.Error(err)
	}
	exec("UPDATE notetypes SET config = x'ff'")
	if _, err := render.LoadCard(db, 2); !errors.Is(err, fault.DamagedFile) {
		t.Error(err)
	}
	exec("DELETE FROM notetypes")
	if _, err := render.LoadCard(db, 2); !errors.Is(err, fault.DamagedFile) {
		t.Error(err)
	}
	exec("DELETE FROM notes")
	if _, err := render.LoadCard(db, 2); !errors.Is(err, fault.DamagedFile) {
		t.Error(err)
	}
}
