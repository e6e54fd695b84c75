package collection_test

import (
	"encoding/hex"
	"encoding/json"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/legacy"
	"github.com/cardferry/cardferry/core/rows"
)

func TestNew(t *testing.T) {
	t.Parallel()
	db, _ := newCollection(t)
	// noon is 08:00:00.123 UTC, 06:00 two hours west; the day began at 04:00 there, 06:00 UTC.
	wantRows(t, db, "SELECT * FROM col", "1|1799992800|0|1800000000123|18|0|0|0|||||")
	reference := mergeDB(t, "empty.anki2")
	const config = "SELECT key, usn, mtime_secs, CAST(val AS TEXT), typeof(val) FROM config WHERE key NOT IN ('curModel', 'creationOffset') ORDER BY key"
	wantRows(t, db, config, listRows(t, reference, config)...)
	wantRows(t, db, "SELECT key, usn, mtime_secs, CAST(val AS TEXT) FROM config WHERE key IN ('curModel', 'creationOffset') ORDER BY key",
		"creationOffset|0|0|120", "curModel|-1|1800000000|1800000000123")
	for _, sql := range []string{"SELECT * FROM decks", "SELECT * FROM deck_config"} {
		wantRows(t, db, sql, listRows(t, reference, sql)...)
	}
	for _, table := range []string{"notes", "cards", "revlog", "graves", "tags"} {
		wantRows(t, db, "SELECT count(*) FROM "+table, "0")
	}
	for _, check := range []func(host.DB) error{collection.CheckStructure, collection.CheckIntegrity} {
		if err := check(db); err != nil {
			t.Error(err)
		}
	}
	if empty, err := collection.Empty(db); err != nil || !empty {
		t.Error(empty, err)
	}
}

// TestStockBlobs compares with the golden bytes of collection-format.md, appendix C.
func TestStockBlobs(t *testing.T) {
	t.Parallel()
	db, _ := newCollection(t)
	for sql, want := range map[string]string{
		"SELECT common FROM decks": "08011001",
		"SELECT kind FROM decks":   "0a020801",
		"SELECT config FROM deck_config": "0a080000803f00002041120400002041221c0000803f0000803f0000803f0000803f0000803f0000803f0000803f" +
			"481450c8015d00002040656666a63f6d9a99993f7d0000803f8001949d02880101900101980104a80101b00108c0013cad026666663fc5026666663fe00201",
	} {
		row, err := rows.One(db, sql)
		if err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(row[0].Bytes); got != want {
			t.Errorf("%s: %s, want %s", sql, got, want)
		}
	}
}

// TestStockNotetypes compares with what the reference makes. Ids are times or random; texts of style and LaTeX
// are ours; image occlusion, the last one there, is left out.
func TestStockNotetypes(t *testing.T) {
	t.Parallel()
	db, _ := newCollection(t)
	got, want := notetypeObjects(t, db), notetypeObjects(t, mergeDB(t, "empty.anki2"))
	if len(got) != 5 || len(want) != 6 {
		t.Fatal(len(got), len(want))
	}
	seen := map[string]bool{}
	for i := range got {
		g, w := got[i], want[i]
		if id, _ := g["id"].(json.Number).Int64(); id != noon.UnixMilli()+int64(i) {
			t.Errorf("notetype %d has id %d", i, id)
		}
		for _, list := range []string{"flds", "tmpls"} {
			for j, part := range g[list].([]any) {
				own, other := part.(map[string]any), w[list].([]any)[j].(map[string]any)
				if id := own["id"].(json.Number).String(); seen[id] || len(id) < 10 {
					t.Errorf("id %s of %v", id, own["name"])
				} else {
					seen[id] = true
				}
				delete(own, "id")
				delete(other, "id")
			}
		}
		for _, key := range []string{"id", "css", "latexPre", "latexPost"} {
			if text, ok := g[key].(string); ok && text == "" {
				t.Errorf("%s of %s is empty", key, g["name"])
			}
			delete(g, key)
			delete(w, key)
		}
		if !reflect.DeepEqual(g, w) {
			t.Errorf("got\n%v\nwant\n%v", g, w)
		}
	}
}

// notetypeObjects returns the notetypes as decoded JSON objects in the order of their ids.
func notetypeObjects(t *testing.T, db host.DB) (list []map[string]any) {
	t.Helper()
	for _, id := range listRows(t, db, "SELECT id FROM notetypes ORDER BY id") {
		raw, err := readNotetype(t, db, id).AppendJSON(nil)
		if err != nil {
			t.Fatal(err)
		}
		dec := json.NewDecoder(strings.NewReader(string(raw)))
		dec.UseNumber()
		var object map[string]any
		if err := dec.Decode(&object); err != nil {
			t.Fatal(err)
		}
		list = append(list, object)
	}
	return list
}

func readNotetype(t *testing.T, db host.DB, id string) *legacy.Notetype {
	t.Helper()
	row, err := rows.One(db, "SELECT id, name, mtime_secs, usn, config FROM notetypes WHERE id = "+id)
	if err != nil {
		t.Fatal(err)
	}
	nt := &legacy.Notetype{ID: row[0].Int(), Name: row[1].String(), Mod: row[2].Int(), USN: int32(row[3].Int()), Config: row[4].Clone()}
	for row, err := range rows.Query(db, "SELECT name, config FROM fields WHERE ntid = "+id+" ORDER BY ord") {
		if err != nil {
			t.Fatal(err)
		}
		nt.Fields = append(nt.Fields, legacy.Field{Name: row[0].String(), Config: row[1].Clone()})
	}
	for row, err := range rows.Query(db, "SELECT name, config FROM templates WHERE ntid = "+id+" ORDER BY ord") {
		if err != nil {
			t.Fatal(err)
		}
		nt.Templates = append(nt.Templates, legacy.Template{Name: row[0].String(), Config: row[1].Clone()})
	}
	return nt
}

// changingClock is a zone whose offset changes at a time.
type changingClock struct {
	now, at       time.Time
	before, after int
}

func (c changingClock) Now() time.Time { return c.now }

func (c changingClock) MinutesWest(t time.Time) int {
	if t.Before(c.at) {
		return c.before
	}
	return c.after
}

func TestCreationTime(t *testing.T) {
	t.Parallel()
	fixed := func(now int64, west int) changingClock {
		return changingClock{now: time.Unix(now, 0), before: west, after: west}
	}
	const day = 1_799_971_200 // 00:00 UTC
	for _, c := range []struct {
		name   string
		clock  changingClock
		crt    int64
		offset int
	}{
		{"before four", fixed(day+4*3600-1, 0), day - 20*3600, 0},
		{"at four", fixed(day+4*3600, 0), day + 4*3600, 0},
		{"midnight east", fixed(day, -600), day - 6*3600, -600},
		{"half-hour zone", fixed(day+3600, -330), day + 4*3600 - 330*60 - 0, -330},
		{"forward at two, noon", changingClock{time.Unix(day+12*3600, 0), time.Unix(day+2*3600, 0), 0, -60}, day + 3*3600, -60},
		{"back at five, noon", changingClock{time.Unix(day+12*3600, 0), time.Unix(day+5*3600, 0), -60, 0}, day + 3*3600, -60},
	} {
		db := openFile(t, filepath.Join(t.TempDir(), "new.anki2"), host.Create)
		if err := collection.New(db, c.clock, coretest.NewRandom(1)); err != nil {
			t.Fatal(err)
		}
		want := strconv.FormatInt(c.crt, 10) + "|" + strconv.Itoa(c.offset)
		if got := listRows(t, db, "SELECT crt, CAST(val AS TEXT) FROM col, config WHERE key = 'creationOffset'")[0]; got != want {
			t.Errorf("%s: got %s, want %s", c.name, got, want)
		}
	}
}

func TestNewInUsedFile(t *testing.T) {
	t.Parallel()
	db := openFile(t, filepath.Join(t.TempDir(), "new.anki2"), host.Create)
	mustExec(t, db, "CREATE TABLE decks (x)")
	if err := collection.New(db, noonClock(), coretest.NewRandom(1)); err == nil {
		t.Error("no error")
	}
	wantRows(t, db, "SELECT name FROM sqlite_master", "decks")
	if _, err := collection.CheckHeader(db); fault.KindOf(err) != fault.DamagedFile {
		t.Error(err)
	}
}
