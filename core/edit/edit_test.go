package edit_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/edit"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
)

// noon is the time at which the collections of the tests are made.
var noon = time.UnixMilli(1_800_000_000_000)

// app is a collection that an app edits.
type app struct {
	testing.TB
	db    host.DB
	host  *host.Host
	clock *coretest.Clock
	names map[string]int64 // ids, for $name in operations
}

// newApp makes an empty collection; a second later the app begins.
func newApp(t testing.TB) *app {
	t.Helper()
	db, err := sqlitehost.OpenFile(filepath.Join(t.TempDir(), host.Collection), host.Create)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	clock := coretest.NewClock(noon, 0)
	a := &app{TB: t, db: db, host: newHost(noon), clock: clock, names: map[string]int64{}}
	a.host.Clock, a.host.Random = clock, coretest.NewRandom(1)
	if err := collection.New(db, clock, a.host.Random); err != nil {
		t.Fatal(err)
	}
	for row, err := range rows.Query(db, "SELECT name, id FROM notetypes") {
		if err != nil {
			t.Fatal(err)
		}
		short := map[string]string{"Basic": "basic", "Basic (and reversed card)": "reversed", "Cloze": "cloze"}[row[0].String()]
		a.names[short] = row[1].Int()
	}
	clock.Advance(time.Second)
	return a
}

// try applies operations, with $name for ids.
func (a *app) try(ops string) ([]edit.Result, error) {
	a.Helper()
	return apply(a, a.host, a.db, fill(a, ops, a.names))
}

// do is try that must succeed; the clock moves on a second.
func (a *app) do(ops string) []edit.Result {
	a.Helper()
	r, err := a.try(ops)
	if err != nil {
		a.Fatalf("%s: %v", ops, err)
	}
	a.clock.Advance(time.Second)
	return r
}

// synced makes all rows look as after a sync.
func (a *app) synced() {
	a.Helper()
	for _, table := range []string{"notes", "cards", "revlog", "decks", "config", "tags", "notetypes", "graves"} {
		if _, err := rows.Exec(a.db, "UPDATE "+table+" SET usn = 7"); err != nil {
			a.Fatal(err)
		}
	}
}

// list returns the rows of a query as text.
func (a *app) list(sql string) (out []string) {
	a.Helper()
	for row, err := range rows.Query(a.db, sql) {
		if err != nil {
			a.Fatal(err)
		}
		var parts []string
		for _, v := range row {
			parts = append(parts, fmt.Sprint(v.Any()))
		}
		out = append(out, strings.Join(parts, "|"))
	}
	return out
}

// newWorld makes an app with a few decks and notes, all of which have been synced: note n1 with card c1 in deck A, n2 with c2 and c3 in
// A::B, a cloze note n3 with c4 in Z.
func newWorld(t testing.TB) *app {
	t.Helper()
	a := newApp(t)
	for _, deck := range []string{"A", "A::B", "Z"} { // in this order: a child made first makes its parent
		a.names[deck[len(deck)-1:]] = a.do(`[{"op":"addDeck","name":"` + deck + `"}]`)[0].DeckID
	}
	for i, ops := range []string{
		`[{"op":"addNote","notetypeId":$basic,"deckId":$A,"fields":["one","1"],"tags":["t"]}]`,
		`[{"op":"addNote","notetypeId":$reversed,"deckId":$B,"fields":["two","2"]}]`,
		`[{"op":"addNote","notetypeId":$cloze,"deckId":$Z,"fields":["{{c2::three}}",""]}]`,
	} {
		r := a.do(ops)[0]
		a.names[fmt.Sprint("n", i+1)] = r.NoteID
		for _, id := range r.CardIDs {
			a.names[fmt.Sprint("c", len(a.list("SELECT id FROM cards WHERE id <= "+strconv.FormatInt(id, 10))))] = id
		}
	}
	a.synced()
	return a
}

// TestPlaces: a new card has a random place if the options of the deck in which it ends up say so, as in the real program; those of a
// note share it.
func TestPlaces(t *testing.T) {
	t.Parallel()
	a := newApp(t)
	for _, sql := range []string{ // of the notetype with two cards, the second goes into the default deck, whose places are random
		"INSERT INTO deck_config SELECT 7, 'in order', mtime_secs, usn, config FROM deck_config WHERE id = 1",
		"INSERT INTO decks SELECT 7, 'in order', mtime_secs, usn, common, x'0a020807' FROM decks WHERE id = 1",
		"UPDATE deck_config SET config = CAST(config || x'a00101' AS BLOB) WHERE id = 1",
		"UPDATE templates SET config = CAST(config || x'2801' AS BLOB) WHERE ord = 1 AND ntid = (SELECT id FROM notetypes WHERE name = 'Basic (and reversed card)')",
	} {
		if err := a.db.Exec(sql); err != nil {
			t.Fatal(err)
		}
	}
	add := func(deck int) []string {
		a.do(fmt.Sprintf(`[{"op":"addNote","notetypeId":$reversed,"deckId":%d,"fields":["a","b"]}]`, deck))
		return a.list("SELECT due FROM cards WHERE nid = (SELECT max(id) FROM notes) ORDER BY ord")
	}
	next := a.list("SELECT ifnull((SELECT CAST(val AS TEXT) FROM config WHERE key = 'nextPos'), '0')")[0]
	if got := add(7); got[0] != next || got[1] == next {
		t.Errorf("%v in a deck that is in order, want %s and a random place", got, next)
	}
	if got := add(1); got[0] != got[1] || len(got[0]) < 2 {
		t.Errorf("%v in a deck without order, want a random place for both", got)
	}
}

// TestRenameMeetsOrphans: a sync may leave a deck whose parent is gone. A deck that takes the parent's name brings children of its own, of which
// one may have the orphan's name: it gets a +, and takes those below it along (make sim SEED=1795917420 of the generator of 2026-11-29).
func TestRenameMeetsOrphans(t *testing.T) {
	t.Parallel()
	a := newWorld(t)
	a.do(`[{"op":"addDeck","name":"A::B::C"}]`)
	if err := a.db.Exec("INSERT INTO decks SELECT 77, 'Q' || char(31) || 'b', 1, 7, common, kind FROM decks WHERE id = 1"); err != nil {
		t.Fatal(err)
	}
	a.do(`[{"op":"renameDeck","deckId":$A,"name":"Q"}]`)
	got := a.list("SELECT replace(name, char(31), '::') FROM decks WHERE name >= 'Q' AND name < 'R' ORDER BY name")
	if want := []string{"Q", "Q::b", "Q::B+", "Q::B+::C"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestRows has what operations write, by the queries that show it. The real program writes the same (TestLikeTheRealProgram);
// this is for where it is missing, and for times.
func TestRows(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, ops, sql, want string }{
		{"addNote", `[{"op":"addNote","notetypeId":$basic,"deckId":$A,"fields":["a\u001fb","12"],"tags":["y x","T"]}]`,
			"SELECT flds, sfld, tags, mod, usn, length(guid) > 5, (SELECT group_concat(due || '/' || ord || '/' || data) FROM cards WHERE nid = n.id) FROM notes n WHERE usn = -1",
			"ab\x1f12|ab| t x y |now|-1|1|4/0/{}"},
		{"addNote tags", `[{"op":"addNote","notetypeId":$basic,"deckId":$A,"fields":["a",""],"tags":["y","T"]}]`, "SELECT tag, usn FROM tags", "t|7 y|-1"},
		{"addNote config", `[{"op":"addNote","notetypeId":$basic,"deckId":$A,"fields":["a",""]}]`, "SELECT key, CAST(val AS TEXT), mtime_secs FROM config WHERE key = 'nextPos'", "nextPos|5|now"},
		{"updateNote", `[{"op":"updateNote","noteId":$n1,"fields":["new","1"],"addTags":["u"],"removeTags":["T"]}]`, "SELECT flds, sfld, tags, mod, usn FROM notes WHERE usn = -1", "new\x1f1|new| u |now|-1"},
		{"updateNote to the same", `[{"op":"updateNote","noteId":$n1,"fields":["one","1"]}]`, "SELECT count(*) FROM notes WHERE usn = -1", "0"},
		{"updateNote, a new card", `[{"op":"updateNote","noteId":$n3,"fields":["{{c1::x}} {{c2::three}}",""]}]`, "SELECT ord, did = $Z, due, usn FROM cards WHERE nid = $n3 ORDER BY ord", "0|1|3|-1 1|1|3|7"},
		{"removeNotes", `[{"op":"removeNotes","noteIds":[$n2]}]`, "SELECT type, count(*), min(usn) FROM graves GROUP BY type", "0|2|-1 1|1|-1"},
		{"removeNotes, tags stay", `[{"op":"removeNotes","noteIds":[$n1]}]`, "SELECT tag, usn FROM tags", "t|7"},
		{"suspend", `[{"op":"setCards","cardIds":[$c1,$c2],"suspended":true}]`, "SELECT queue, mod, usn FROM cards WHERE usn = -1", "-1|now|-1 -1|now|-1"},
		{"suspend and bury", `[{"op":"setCards","cardIds":[$c1],"suspended":true},{"op":"setCards","cardIds":[$c1],"buried":true}]`, "SELECT queue FROM cards WHERE usn = -1", "-1"},
		{"bury and unbury", `[{"op":"setCards","cardIds":[$c1],"buried":true},{"op":"setCards","cardIds":[$c1],"buried":false}]`, "SELECT queue, mod FROM cards WHERE usn = -1", "0|now+1"},
		{"flag", `[{"op":"setCards","cardIds":[$c1],"flag":7}]`, "SELECT flags, mod < now, usn FROM cards, (SELECT mod / 1000 AS now FROM col) WHERE usn = -1", "7|1|-1"},
		{"unflag", `[{"op":"setCards","cardIds":[$c1],"flag":0}]`, "SELECT count(*) FROM cards WHERE usn = -1", "0"},
		{"move", `[{"op":"setCards","cardIds":[$c1],"deckId":$Z}]`, "SELECT did = $Z, mod FROM cards WHERE usn = -1", "1|now"},
		{"due", `[{"op":"setCards","cardIds":[$c1],"due":"4"}]`, "SELECT type, queue, due, ivl, factor, data FROM cards WHERE usn = -1", `2|2|4|4|2500|{"pos":1}`},
		{"due, log", `[{"op":"setCards","cardIds":[$c1],"due":4}]`, "SELECT ease, ivl, lastIvl, factor, time, type, usn FROM revlog", "0|4|0|2500|0|4|-1"},
		{"due in a range", `[{"op":"setCards","cardIds":[$c1,$c2,$c3,$c4],"due":"3-5!"}]`, "SELECT count(*) FROM cards WHERE due BETWEEN 3 AND 5 AND ivl = due", "4"},
		{"forget", `[{"op":"setCards","cardIds":[$c1],"due":"4"},{"op":"setCards","cardIds":[$c1],"forget":true}]`, "SELECT type, queue, due, ivl, factor, data FROM cards WHERE usn = -1", "0|0|4|0|0|{}"},
		{"forget, in the old place", `[{"op":"setCards","cardIds":[$c1],"due":"4"},{"op":"setCards","cardIds":[$c1],"forget":true,"restorePosition":true}]`, "SELECT due FROM cards WHERE usn = -1", "1"},
		{"reposition", `[{"op":"setCards","cardIds":[$c4,$c3,$c2,$c1],"position":10,"step":5}]`, "SELECT due FROM cards ORDER BY id", "20 15 15 10"},
		{"addDeck", `[{"op":"addDeck","name":"a::new::x"}]`, "SELECT replace(name, char(31), '::'), mtime_secs, usn FROM decks WHERE usn = -1 ORDER BY name", "A::new|now|-1 A::new::x|now|-1"},
		{"addDeck, taken", `[{"op":"addDeck","name":"a"}]`, "SELECT name FROM decks WHERE usn = -1", "a+"},
		{"renameDeck", `[{"op":"renameDeck","deckId":$A,"name":"Z::Q"}]`, "SELECT replace(name, char(31), '::'), mtime_secs FROM decks WHERE usn = -1 ORDER BY name", "Z::Q|now Z::Q::B|now"},
		{"removeDeck", `[{"op":"removeDeck","deckId":$A}]`, "SELECT type, count(*) FROM graves GROUP BY type", "0|3 1|2 2|2"},
		{"removeDeck, config", `[{"op":"removeDeck","deckId":$A}]`, "SELECT count(*) FROM config WHERE key GLOB '_deck_*'", "1"},
		{"removeDeck, the default one", `[{"op":"setCards","cardIds":[$c1],"deckId":1},{"op":"removeDeck","deckId":1}]`, "SELECT id, usn, mtime_secs FROM decks WHERE usn = -1", "1|-1|now"},
		{"setConfig", `[{"op":"setConfig","key":"k","value":{"a": [1, "x y"]}}]`, "SELECT typeof(val), CAST(val AS TEXT), usn, mtime_secs FROM config WHERE key = 'k'", `blob|{"a":[1,"x y"]}|-1|now`},
		{"setConfig null", `[{"op":"setConfig","key":"curDeck","value":null}]`, "SELECT count(*) FROM config WHERE key = 'curDeck'", "0"},
		{"setTemplate", `[{"op":"setTemplate","notetypeId":$basic,"back":"{{Back}}!"}]`, "SELECT usn, mtime_secs, (SELECT scm FROM col) FROM notetypes WHERE usn = -1", "-1|now|1800000000000"},
		{"setTemplate, new cards", `[{"op":"setTemplate","notetypeId":$reversed,"ord":0,"front":"{{Front}}?"},{"op":"setTemplate","notetypeId":$cloze,"css":"x"}]`, "SELECT count(*) FROM cards WHERE usn = -1", "0"},
		{"answerCard", `[{"op":"answerCard","cardId":$c1,"button":4,"takenMs":1500}]`, "SELECT type, queue, reps, mod, usn FROM cards WHERE usn = -1", "2|2|1|now|-1"},
		{"answerCard, log", `[{"op":"answerCard","cardId":$c1,"button":4,"takenMs":1500}]`, "SELECT ease, time, usn FROM revlog", "4|1500|-1"},
		{"nothing", `[]`, "SELECT count(*) FROM cards WHERE usn = -1", "0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := newWorld(t)
			now := a.clock.Now().Unix()
			if _, err := a.try(c.ops); err != nil {
				t.Fatal(err)
			}
			got := strings.Join(a.list(fill(t, c.sql, a.names)), " ")
			got = strings.ReplaceAll(got, fmt.Sprint(now+1), "now+1")
			if got = strings.ReplaceAll(got, fmt.Sprint(now), "now"); got != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

// TestTimes: an edit in the second of an earlier one, or before it by the clock, is newer all the same.
func TestTimes(t *testing.T) {
	t.Parallel()
	a := newWorld(t)
	a.clock.Advance(-time.Hour)
	for _, c := range []struct{ ops, sql string }{
		{`[{"op":"updateNote","noteId":$n1,"fields":["%d",""]}]`, "SELECT mod FROM notes WHERE id = $n1"},
		{`[{"op":"setCards","cardIds":[$c1],"position":%d}]`, "SELECT mod FROM cards WHERE id = $c1"},
		{`[{"op":"answerCard","cardId":$c2,"button":1,"takenMs":%d}]`, "SELECT mod FROM cards WHERE id = $c2"},
		{`[{"op":"answerCard","cardId":$c2,"button":1,"takenMs":%d}]`, "SELECT mtime_secs FROM decks WHERE id = $B"},
		{`[{"op":"renameDeck","deckId":$Z,"name":"z%d"}]`, "SELECT mtime_secs FROM decks WHERE id = $Z"},
		{`[{"op":"setTemplate","notetypeId":$basic,"css":"%d"}]`, "SELECT mtime_secs FROM notetypes WHERE id = $basic"},
		{`[{"op":"setConfig","key":"k","value":%d}]`, "SELECT mod FROM col"},
	} {
		sql, last := fill(t, c.sql, a.names), int64(0)
		for i := range 3 {
			if _, err := a.try(fmt.Sprintf(c.ops, i+100)); err != nil {
				t.Fatal(err)
			}
			mod, err := rows.IntOf(a.db, sql)
			if err != nil || mod <= last {
				t.Errorf("%s: %d after %d, %v", c.ops, mod, last, err)
			}
			last = mod
		}
	}
}

// TestIDsOfTheDeleted: what is added in the millisecond in which something was, and was deleted, gets another id: a reference server tells
// nobody of the second deletion of one id (make sim SEED=28 of a former generator).
func TestIDsOfTheDeleted(t *testing.T) {
	t.Parallel()
	a := newWorld(t)
	const add = `[{"op":"addNote","notetypeId":$basic,"deckId":$A,"fields":["four",""]}]`
	for range 2 {
		r, err := a.try(add)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.try(fmt.Sprintf(`[{"op":"removeNotes","noteIds":[%d]}]`, r[0].NoteID)); err != nil {
			t.Fatal(err)
		}
	}
	if list := a.list("SELECT type, count(*) FROM graves GROUP BY type"); !slices.Equal(list, []string{"0|2", "1|2"}) {
		t.Errorf("graves: %v", list)
	}
}

// TestWrongOperations: what is wrong is named with its index, and nothing has changed.
// TestIDsBeyond: rows and graves from elsewhere with the largest id that there is are in nobody's way.
func TestIDsBeyond(t *testing.T) {
	t.Parallel()
	for _, sql := range []string{
		"INSERT INTO graves SELECT 9223372036854775807, value, 5 FROM json_each('[0, 1, 2]')",
		"INSERT INTO cards SELECT 9223372036854775807, 1, 1, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '{}'; INSERT INTO revlog VALUES (9223372036854775807, 1, 5, 1, 1, 1, 1, 1, 1)",
	} {
		a := newApp(t)
		if err := a.db.Exec(sql); err != nil {
			t.Fatal(err)
		}
		now := a.clock.Now().UnixMilli()
		for i, id := range a.do(`[{"op":"addNote","notetypeId":$cloze,"deckId":1,"fields":["{{c1::x}} {{c2::y}} {{c3::z}}",""]}]`)[0].CardIDs {
			if id != now+int64(i) {
				t.Errorf("card %d has the id %d, want %d", i, id, now+int64(i))
			}
			a.names[fmt.Sprint("c", i)] = id
		}
		now = a.clock.Now().UnixMilli()
		a.do(`[{"op":"setCards","cardIds":[$c0,$c1,$c2],"due":"3"},{"op":"answerCard","cardId":$c0,"button":3}]`)
		var log []int64
		for row, err := range rows.Query(a.db, "SELECT id FROM revlog WHERE cid > 1 ORDER BY id") {
			if err != nil {
				t.Fatal(err)
			}
			log = append(log, row[0].Int()-now)
		}
		if !slices.Equal(log, []int64{0, 1, 2, 3}) {
			t.Errorf("entries of the log are %d ms after the edit", log)
		}
	}
}

func TestWrongOperations(t *testing.T) {
	t.Parallel()
	a := newWorld(t)
	before := contents(t, a.db)
	for _, c := range []struct{ op, want string }{
		{`5`, "not an object"}, {`{}`, "no operation"}, {`{"op":"drop"}`, "no operation"}, {`{"op":"addDeck","name":5}`, `"name"`},
		{`{"op":"addDeck","name":"x","id":5}`, `"id"`}, {`{"op":"addDeck"}`, "name"}, {`{"op":"renameDeck","deckId":99,"name":"x"}`, "deck 99"},
		{`{"op":"renameDeck","deckId":$A}`, "name"}, {`{"op":"removeDeck","deckId":99}`, "deck 99"}, {`{"op":"removeDeck"}`, "deck 0"},
		{`{"op":"addNote","notetypeId":5,"deckId":$A,"fields":[""]}`, "notetype 5"}, {`{"op":"addNote","notetypeId":$basic,"deckId":5,"fields":["",""]}`, "deck 5"},
		{`{"op":"addNote","notetypeId":$basic,"deckId":$A,"fields":["x"]}`, "1 fields"}, {`{"op":"addNote","notetypeId":$basic,"deckId":$A}`, "0 fields"},
		{`{"op":"updateNote","noteId":5}`, "note 5"}, {`{"op":"updateNote","noteId":$n1,"fields":["1","2","3"]}`, "3 fields"}, {`{"op":"updateNote","noteId":"x"}`, `"noteId"`},
		{`{"op":"removeNotes","noteIds":[$n1,5]}`, "note 5"}, {`{"op":"removeNotes","noteIds":5}`, `"noteIds"`}, {`{"op":"removeNotes"}`, `"noteIds"`},
		{`{"op":"setCards","suspended":true}`, "cardIds"}, {`{"op":"setCards","cardIds":[$c1,5],"suspended":true}`, "card 5"}, {`{"op":"setCards","cardIds":[$c1],"flag":8}`, `"flag"`},
		{`{"op":"setCards","cardIds":[$c1],"deckId":5}`, "deck 5"}, {`{"op":"setCards","cardIds":[$c1],"due":"-1"}`, "due date"}, {`{"op":"setCards","cardIds":[$c1],"due":-1}`, `"due"`},
		{`{"op":"setCards","cardIds":[$c1],"due":"1-x"}`, "due date"}, {`{"op":"setCards","cardIds":[$c1],"due":""}`, "due date"}, {`{"op":"setCards","cardIds":[$c1],"position":1000000}`, `"position"`},
		{`{"op":"setCards","cardIds":[$c1,$c2],"position":999999}`, "position"}, {`{"op":"setConfig","value":5}`, "key"}, {`{"op":"setConfig","key":"k"}`, "value"}, {`{"op":"setConfig","key":"schedVer","value":99}`, "schedVer"},
		{`{"op":"answerCard","cardId":5,"button":1}`, "card 5"}, {`{"op":"answerCard","cardId":$c1}`, "button"}, {`{"op":"answerCard","cardId":$c1,"button":5}`, `"button"`},
		{`{"op":"answerCard","cardId":$c1,"button":1,"takenMs":-1}`, `"takenMs"`}, {`{"op":"setTemplate","notetypeId":5,"front":"x"}`, "notetype 5"},
		{`{"op":"setTemplate","notetypeId":$basic,"ord":1,"front":"x"}`, "template 1"}, {`{"op":"setTemplate","notetypeId":$basic,"front":"x"}`, "front"},
		{`{"op":"setTemplate","notetypeId":$basic,"back":"{{Nope}}"}`, "Nope"}, {`{"op":"setTemplate","notetypeId":$cloze,"front":"{{Text}}"}`, "cloze"},
	} {
		_, err := a.try(`[{"op":"setConfig","key":"k","value":1},` + c.op + `]`)
		if fault.KindOf(err) != fault.InvalidInput || !strings.Contains(err.Error(), "operation 1") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.op, err)
		}
	}
	for _, ops := range []string{`{}`, `5`, `null`, `[`} {
		if _, err := edit.ParseOps([]byte(ops)); fault.KindOf(err) != fault.InvalidInput {
			t.Errorf("%s: %v", ops, err)
		}
	}
	if after := contents(t, a.db); !maps.EqualFunc(before, after, slices.Equal) {
		t.Error("something has changed")
	}
	for range 6 { // the world was made in six steps
		if _, err := edit.Undo(a.host, a.db, nil); err != nil {
			t.Fatal(err)
		}
	}
	if name, err := edit.Undo(a.host, a.db, nil); fault.KindOf(err) != fault.NotFound {
		t.Errorf("%s, %v", name, err)
	}
}

// TestFullDisk: an edit that cannot be written changes nothing.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	a := newWorld(t)
	before := contents(t, a.db)
	if err := a.db.Exec("PRAGMA max_page_count = 1"); err != nil { // it stays as large as it is
		t.Fatal(err)
	}
	ops := `[{"op":"setConfig","key":"k","value":1},{"op":"setConfig","key":"big","value":"` + strings.Repeat("x", 1<<20) + `"}]`
	if _, err := a.try(ops); fault.KindOf(err) != fault.StorageFull {
		t.Error(err)
	}
	if after := contents(t, a.db); !maps.EqualFunc(before, after, slices.Equal) {
		t.Error("something has changed")
	}
}

func TestMain(m *testing.M) {
	time.Local = time.UTC
	os.Exit(m.Run())
}
