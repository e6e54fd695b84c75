package collection_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/wire"
)

// TestPendingRoundTrip sends everything that is pending in a rich collection to a copy from which it was deleted, and
// compares: what we send, we can apply, and nothing is lost on the way.
func TestPendingRoundTrip(t *testing.T) {
	t.Parallel()
	from, to := mergeDB(t, "pending.anki2"), mergeDB(t, "pending.anki2")
	tables := []string{"cards", "notes", "revlog", "decks", "deck_config", "notetypes", "fields", "templates", "tags", "config", "graves"}
	for _, table := range tables {
		mustExec(t, to, "DELETE FROM "+table)
	}
	graves, err := collection.PendingGraves(from)
	if err != nil {
		t.Fatal(err)
	}
	changes, err := collection.PendingChanges(from, syncUSN, nil, true)
	if err != nil {
		t.Fatal(err)
	}
	n, err := collection.CopyPending(from)
	if err != nil {
		t.Fatal(err)
	}
	counts, err := collection.PendingCounts(from)
	if err != nil {
		t.Fatal(err)
	}
	if n != counts["cards"]+counts["notes"]+counts["revlog"] || counts["deck_configs"] == 0 {
		t.Errorf("%d rows copied, %v are pending", n, counts)
	}
	err = applyTo(t, to, 0, func(a *collection.Applier) error {
		if err := a.Graves(graves); err != nil {
			return err
		}
		if err := a.Changes(changes); err != nil {
			return err
		}
		for _, c := range allSlices(t, from, 10) {
			if err := a.Chunk(&c); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(collection.StampSent(from, syncUSN, false), collection.StampChanges(from, changes, syncUSN), collection.StampGraves(from, graves, syncUSN)); err != nil {
		t.Fatal(err)
	}
	for _, query := range []string{
		"SELECT id, nid, did, ord, mod, usn, type, queue, due, ivl, factor, reps, lapses, left, odue, odid, flags FROM cards ORDER BY id",
		"SELECT id, guid, mid, mod, usn, tags, flds, sfld, csum, flags, data FROM notes ORDER BY id",
		"SELECT * FROM revlog ORDER BY id", "SELECT * FROM graves ORDER BY type, oid",
		"SELECT id, name, mtime_secs, usn FROM decks ORDER BY id", "SELECT id, name, mtime_secs, usn FROM deck_config ORDER BY id",
		"SELECT id, name, mtime_secs, usn FROM notetypes ORDER BY id", "SELECT ntid, ord, name FROM fields ORDER BY ntid, ord",
		"SELECT ntid, ord, name FROM templates ORDER BY ntid, ord", "SELECT tag, usn FROM tags ORDER BY tag",
		"SELECT key, val FROM config ORDER BY key", "SELECT crt FROM col",
	} {
		wantRows(t, to, query, listRows(t, from, query)...)
	}
}

// TestPendingDecksWithout: decks that the server has deleted are not listed; their ids mean nothing to other kinds.
func TestPendingDecksWithout(t *testing.T) {
	t.Parallel()
	db := mergeDB(t, "empty.anki2")
	mustExec(t, db, "UPDATE decks SET usn = -1")
	mustExec(t, db, "UPDATE deck_config SET usn = -1")
	mustExec(t, db, "INSERT INTO decks SELECT 5, 'five', 1, -1, common, kind FROM decks")
	c, err := collection.PendingChanges(db, 3, map[int64]bool{1: true}, false)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Decks) != 1 || len(c.DeckConfigs) != 1 || c.Config != nil || c.Crt != nil {
		t.Errorf("%+v", c)
	}
	var deck struct {
		ID, USN int64
		Name    string
	}
	if err := json.Unmarshal(c.Decks[0], &deck); err != nil || deck.ID != 5 || deck.USN != 3 || deck.Name != "five" {
		t.Errorf("%s: %v", c.Decks[0], err)
	}
}

// TestPendingIsDeterministic: StampChanges relies on it.
func TestPendingIsDeterministic(t *testing.T) {
	t.Parallel()
	db := mergeDB(t, "pending.anki2")
	var lists [][]byte
	for range 2 {
		c, err := collection.PendingChanges(db, 3, nil, true)
		if err != nil {
			t.Fatal(err)
		}
		lists = append(lists, wire.AppendChanges(nil, c))
	}
	if !slices.Equal(lists[0], lists[1]) {
		t.Error("two listings differ")
	}
}

func TestUnreadableObjects(t *testing.T) {
	t.Parallel()
	for _, damage := range []string{
		"UPDATE notetypes SET usn = -1, config = x'ff'", "UPDATE decks SET usn = -1, kind = x''", "UPDATE decks SET usn = -1, common = x'0a'",
		"UPDATE deck_config SET usn = -1, config = x'ff'", "UPDATE config SET val = 'no json'",
	} {
		db := mergeDB(t, "empty.anki2")
		mustExec(t, db, damage)
		if _, err := collection.PendingChanges(db, 3, nil, true); !errors.Is(err, fault.DamagedFile) {
			t.Errorf("%s: %v", damage, err)
		}
	}
}

func TestConfigEntries(t *testing.T) {
	t.Parallel()
	db := mergeDB(t, "empty.anki2")
	mustExec(t, db, "DELETE FROM config")
	if list, err := collection.ReadConfig(db); list == nil || len(list) != 0 || err != nil {
		t.Error(list, err)
	}
	for _, v := range []string{"1", `{"a":12345678901234567890}`} {
		if err := collection.PutConfig(db, "k", []byte(v), -1, 77); err != nil {
			t.Fatal(err)
		}
		list, err := collection.ReadConfig(db)
		if err != nil || len(list) != 1 || string(list[0].Value) != v {
			t.Error(list, err)
		}
	}
	wantRows(t, db, "SELECT key, usn, mtime_secs, typeof(val) FROM config", "k|-1|77|blob")
	if err := collection.PutConfig(db, "k", []byte("{"), -1, 77); !errors.Is(err, fault.InvalidInput) {
		t.Error(err)
	}
	for range 2 {
		if err := collection.RemoveConfig(db, "k"); err != nil {
			t.Error(err)
		}
	}
	if n, err := rows.IntOf(db, "SELECT count(*) FROM config"); n != 0 || err != nil {
		t.Error(n, err)
	}
}
