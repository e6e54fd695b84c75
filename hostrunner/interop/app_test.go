package interop_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/legacy"
	"github.com/cardferry/cardferry/core/notetext"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
)

// app edits a collection of ours by SQL on a connection of its own, while the core may have the file open and be syncing
// it. Each edit is one transaction that does what every app must do: usn -1 on what was changed, mod = max(now, old + 1),
// graves for what was deleted, and a new mod of the collection.
type app struct{ path string }

var _ editor = app{}

// tx is one edit's transaction. What goes wrong in it panics with an error, which app.edit reports.
type tx struct {
	db  host.DB
	now int64 // s
}

func (a app) edit(t testing.TB, do func(tx)) {
	t.Helper()
	db, err := sqlitehost.OpenFile(a.path, host.ReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = rows.Transaction(db, func() (err error) {
		defer func() {
			if e, ok := recover().(error); ok {
				err = e
			}
		}()
		now := time.Now()
		e := tx{db, now.Unix()}
		do(e)
		e.exec("UPDATE col SET mod = max(?, mod + 1)", now.UnixMilli())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (e tx) exec(sql string, args ...any) {
	if _, err := rows.Exec(e.db, sql, args...); err != nil {
		panic(fmt.Errorf("%s: %w", sql, err))
	}
}

func (e tx) int(sql string, args ...any) int64 {
	n, err := rows.IntOf(e.db, sql, args...)
	if err != nil {
		panic(fmt.Errorf("%s: %w", sql, err))
	}
	return n
}

func (e tx) row(sql string, args ...any) rows.Row {
	r, err := rows.One(e.db, sql, args...)
	if err != nil || r == nil {
		panic(fmt.Errorf("%s: no row or %w", sql, err))
	}
	return r
}

// newID is the time in milliseconds, as the real program has it. The next one, on whichever device, is in another millisecond.
func (e tx) newID(table string) int64 {
	time.Sleep(time.Millisecond)
	now := time.Now().UnixMilli()
	time.Sleep(time.Millisecond)
	return max(now, e.int("SELECT max(id) + 1 FROM "+table))
}

// touch marks a row as changed.
func (e tx) touch(table string, id int64) {
	mod := modColumn(table)
	e.exec("UPDATE "+table+" SET usn = -1, "+mod+" = max(?, "+mod+" + 1) WHERE id = ?", e.now, id)
}

func (e tx) grave(id int64, kind int) {
	e.exec("INSERT OR IGNORE INTO graves (oid, type, usn) VALUES (?, ?, -1)", id, kind)
}

func (a app) addNote(t testing.TB, deck int64, front string, tags ...string) (note, card int64) {
	t.Helper()
	a.edit(t, func(e tx) {
		nt := e.int("SELECT id FROM notetypes WHERE name = 'Basic'")
		note, card = e.newID("notes"), e.newID("cards")
		e.exec("INSERT INTO notes VALUES (?, ?, ?, ?, -1, ?, '', '', 0, 0, '')", note, fmt.Sprintf("app%d", note), nt, e.now,
			notetext.JoinTags(strings.Join(tags, " ")))
		e.fields(note, front, "back")
		for _, tag := range tags {
			e.exec("INSERT OR IGNORE INTO tags VALUES (?, -1, 1, NULL)", tag)
		}
		e.exec("INSERT INTO cards VALUES (?, ?, ?, 0, ?, -1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, '{}')", card, note, deck, e.now)
	})
	return note, card
}

func (e tx) fields(note int64, fields ...string) {
	nt := e.int("SELECT mid FROM notes WHERE id = ?", note)
	config := e.row("SELECT config FROM notetypes WHERE id = ?", nt)[0].Clone()
	sfld, csum := notetext.SortFieldAndChecksum(notetext.JoinFields(fields), legacy.SortField(config))
	e.exec("UPDATE notes SET flds = ?, sfld = ?, csum = ? WHERE id = ?", notetext.JoinFields(fields), sfld, int64(csum), note)
}

func (a app) editNote(t testing.TB, note int64, front string) {
	t.Helper()
	a.edit(t, func(e tx) {
		fields := notetext.SplitFields(e.row("SELECT flds FROM notes WHERE id = ?", note)[0].String())
		fields[0] = front
		e.fields(note, fields...)
		e.touch("notes", note)
	})
}

func (a app) tagNote(t testing.TB, note int64, tag string) {
	t.Helper()
	a.edit(t, func(e tx) {
		tags := e.row("SELECT tags FROM notes WHERE id = ?", note)[0].String()
		e.exec("UPDATE notes SET tags = ? WHERE id = ?", notetext.JoinTags(tags+" "+tag), note)
		e.exec("INSERT OR IGNORE INTO tags VALUES (?, -1, 1, NULL)", tag)
		e.touch("notes", note)
	})
}

func (a app) removeNote(t testing.TB, note int64) {
	t.Helper()
	a.edit(t, func(e tx) { e.removeNote(note) })
}

func (e tx) removeNote(note int64) {
	for {
		card := e.int("SELECT max(id) FROM cards WHERE nid = ?", note)
		if card == 0 {
			break
		}
		e.exec("DELETE FROM cards WHERE id = ?", card)
		e.grave(card, 0)
	}
	e.exec("DELETE FROM notes WHERE id = ?", note)
	e.grave(note, 1)
}

// addDeck copies the default deck, whose blobs are as good as any.
func (a app) addDeck(t testing.TB, name string) (id int64) {
	t.Helper()
	a.edit(t, func(e tx) {
		id = e.newID("decks")
		e.exec("INSERT INTO decks SELECT ?, ?, ?, -1, common, kind FROM decks WHERE id = 1", id, native(name), e.now)
	})
	return id
}

// native is a deck name as it is stored.
func native(name string) string { return strings.ReplaceAll(name, "::", "\x1f") }

func (a app) renameDeck(t testing.TB, deck int64, name string) {
	t.Helper()
	a.edit(t, func(e tx) {
		e.exec("UPDATE decks SET name = ? WHERE id = ?", native(name), deck)
		e.touch("decks", deck)
	})
}

func (a app) describeDeck(t testing.TB, deck int64, text string) {
	t.Helper()
	a.edit(t, func(e tx) {
		r := e.row("SELECT name, common, kind FROM decks WHERE id = ?", deck)
		d := &legacy.Deck{ID: deck, Name: r[0].String(), Common: r[1].Clone(), Kind: r[2].Clone()}
		parse := func(b []byte) (*legacy.Deck, error) { return legacy.ParseDeck(coretest.Text{}, b) }
		d = change(d, parse, func(m map[string]any) { m["desc"] = text })
		e.exec("UPDATE decks SET common = ?, kind = ? WHERE id = ?", d.Common, d.Kind, deck)
		e.touch("decks", deck)
	})
}

// jsonForm is an object that has a form as JSON.
type jsonForm interface {
	AppendJSON([]byte) ([]byte, error)
}

// change returns an object with a member of its JSON form changed.
func change[T jsonForm](v T, parse func([]byte) (T, error), edit func(map[string]any)) T {
	b, err := v.AppendJSON(nil)
	if err != nil {
		panic(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		panic(err)
	}
	edit(m)
	if b, err = json.Marshal(m); err != nil {
		panic(err)
	}
	v, err = parse(b)
	if err != nil {
		panic(err)
	}
	return v
}

func (a app) removeDeck(t testing.TB, deck int64) {
	t.Helper()
	a.edit(t, func(e tx) {
		for { // cards that only visit a filtered deck go home
			card := e.int("SELECT max(id) FROM cards WHERE did = ? AND odid != 0", deck)
			if card == 0 {
				break
			}
			e.exec("UPDATE cards SET did = odid, due = odue, odid = 0, odue = 0 WHERE id = ?", card)
			e.touch("cards", card)
		}
		for {
			note := e.int("SELECT max(nid) FROM cards WHERE did = ?", deck)
			if note == 0 {
				break
			}
			e.removeNote(note)
		}
		e.exec("DELETE FROM decks WHERE id = ?", deck)
		e.grave(deck, 2)
	})
}

func (a app) addDeckConfig(t testing.TB, name string) (id int64) {
	t.Helper()
	a.edit(t, func(e tx) {
		id = e.newID("deck_config")
		e.exec("INSERT INTO deck_config SELECT ?, ?, ?, -1, config FROM deck_config WHERE id = 1", id, name, e.now)
	})
	return id
}

func (a app) editDeckConfig(t testing.TB, id int64, perDay int) {
	t.Helper()
	a.edit(t, func(e tx) {
		r := e.row("SELECT name, config FROM deck_config WHERE id = ?", id)
		c := &legacy.DeckConfig{ID: id, Name: r[0].String(), Config: r[1].Clone()}
		c = change(c, legacy.ParseDeckConfig, func(m map[string]any) { m["new"].(map[string]any)["perDay"] = perDay })
		e.exec("UPDATE deck_config SET config = ? WHERE id = ?", c.Config, id)
		e.touch("deck_config", id)
	})
}

func (a app) addNotetype(t testing.TB, name string) (id int64) {
	t.Helper()
	a.edit(t, func(e tx) {
		basic := e.int("SELECT id FROM notetypes WHERE name = 'Basic'")
		id = e.newID("notetypes")
		e.exec("INSERT INTO notetypes SELECT ?, ?, ?, -1, config FROM notetypes WHERE id = ?", id, name, e.now, basic)
		e.exec("INSERT INTO fields SELECT ?, ord, name, config FROM fields WHERE ntid = ?", id, basic)
		e.exec("INSERT INTO templates SELECT ?, ord, name, 0, 0, config FROM templates WHERE ntid = ?", id, basic)
	})
	return id
}

func (a app) renameNotetype(t testing.TB, id int64, name string) {
	t.Helper()
	a.edit(t, func(e tx) {
		e.exec("UPDATE notetypes SET name = ? WHERE id = ?", name, id)
		e.touch("notetypes", id)
	})
}

func (a app) styleNotetype(t testing.TB, id int64, css string) {
	t.Helper()
	a.edit(t, func(e tx) {
		r := e.row("SELECT name, config FROM notetypes WHERE id = ?", id)
		n := &legacy.Notetype{ID: id, Name: r[0].String(), Config: r[1].Clone()}
		n = change(n, legacy.ParseNotetype, func(m map[string]any) { m["css"] = css })
		e.exec("UPDATE notetypes SET config = ? WHERE id = ?", n.Config, id)
		e.touch("notetypes", id)
	})
}

func (a app) setConfig(t testing.TB, key, value string) {
	t.Helper()
	a.edit(t, func(e tx) {
		e.exec("INSERT OR REPLACE INTO config (key, usn, mtime_secs, val) VALUES (?, -1, ?, ?)", key, e.now, []byte(value))
	})
}

func (a app) removeConfig(t testing.TB, key string) {
	t.Helper()
	a.edit(t, func(e tx) { e.exec("DELETE FROM config WHERE key = ?", key) })
}

func (a app) answer(t testing.TB, card int64) {
	t.Helper()
	a.edit(t, func(e tx) {
		review := e.newID("revlog")
		e.exec("INSERT INTO revlog VALUES (?, ?, -1, 3, -600, 0, 0, 2500, 0)", review, card)
		e.exec("UPDATE cards SET type = 1, queue = 1, due = ?, reps = reps + 1, left = 1001, data = ? WHERE id = ?", e.now+600,
			fmt.Sprintf(`{"lrt":%d}`, review/1000), card)
		e.touch("cards", card)
	})
}

func (a app) suspend(t testing.TB, card int64) {
	t.Helper()
	a.edit(t, func(e tx) {
		e.exec("UPDATE cards SET queue = -1 WHERE id = ?", card)
		e.touch("cards", card)
	})
}

func (a app) flag(t testing.TB, card int64, flag int) {
	t.Helper()
	a.edit(t, func(e tx) {
		e.exec("UPDATE cards SET flags = ? WHERE id = ?", flag, card)
		e.touch("cards", card)
	})
}

func (a app) move(t testing.TB, card, deck int64) {
	t.Helper()
	a.edit(t, func(e tx) {
		e.exec("UPDATE cards SET did = ? WHERE id = ?", deck, card)
		e.touch("cards", card)
	})
}

func (a app) age(t testing.TB, table string, id, mod int64) {
	t.Helper()
	a.edit(t, func(e tx) { e.exec("UPDATE "+table+" SET "+modColumn(table)+" = ? WHERE id = ? AND usn = -1", mod, id) })
}

func (a app) oneWay(t testing.TB) {
	t.Helper()
	a.edit(t, func(e tx) { e.exec("UPDATE col SET scm = max(?, scm + 1)", e.now*1000) })
}
