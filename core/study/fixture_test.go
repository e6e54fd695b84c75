package study_test

import (
	"bufio"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/legacy"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/study"
	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
)

const daySeconds = 86400

type object = map[string]any

// answerCase is a line of answers.jsonl (study.md §4.8).
type answerCase struct {
	ID            string
	Group         string
	FSRS          bool
	Config        object
	Globals       object
	Deck          object
	Crt           int64
	Today, Cutoff int64
	NowMs         int64 `json:"now_ms"`
	Button        int
	TookMs        int64            `json:"took_ms"`
	CardBefore    map[string]any   `json:"card_before"`
	CardAfter     map[string]any   `json:"card_after"`
	RevlogBefore  []map[string]any `json:"revlog_before"`
	Revlog        map[string]any
	States        []map[string]json.RawMessage
	Labels        []string
	DeckAfter     struct{ Day, New, Rev, Lrn, Ms int64 } `json:"deck_after"`
	NoteTags      []string                               `json:"note_tags"`
	Filtered      *struct {
		Did        int64
		Reschedule bool
		Again      int64 `json:"preview_again_secs"`
		Hard       int64 `json:"preview_hard_secs"`
		Good       int64 `json:"preview_good_secs"`
	}
}

// readCases returns the fixture.
func readCases(t testing.TB) (cases []*answerCase) {
	t.Helper()
	f, err := os.Open("testdata/answers.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for r := bufio.NewScanner(f); r.Scan(); {
		d := json.NewDecoder(strings.NewReader(r.Text()))
		d.UseNumber()
		c := &answerCase{}
		if err := d.Decode(c); err != nil {
			t.Fatal(err)
		}
		cases = append(cases, c)
	}
	return cases
}

// newCollection makes an empty collection at a time in UTC.
func newCollection(t testing.TB, at time.Time) host.DB {
	t.Helper()
	db, err := sqlitehost.OpenFile(filepath.Join(t.TempDir(), host.Collection), host.Create)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if err := collection.New(db, coretest.NewClock(at, 0), coretest.NewRandom(1)); err != nil {
		t.Fatal(err)
	}
	return db
}

func run(t testing.TB, db host.DB, sql string, args ...any) {
	t.Helper()
	if _, err := rows.Exec(db, sql, args...); err != nil {
		t.Fatal(err)
	}
}

func one(t testing.TB, db host.DB, sql string, args ...any) rows.Row {
	t.Helper()
	row, err := rows.One(db, sql, args...)
	if err != nil || row == nil {
		t.Fatal(row, err)
	}
	return row
}

// insert adds a row given as an object.
func insert(t testing.TB, db host.DB, table string, o object) {
	t.Helper()
	var columns, marks []string
	var args []any
	for k, v := range o {
		columns, marks = append(columns, k), append(marks, "?")
		if n, ok := v.(json.Number); ok {
			v, _ = n.Int64()
		}
		args = append(args, v)
	}
	run(t, db, "INSERT OR IGNORE INTO "+table+" ("+strings.Join(columns, ",")+") VALUES ("+strings.Join(marks, ",")+")", args...)
}

// merge puts the members of part into o, those of objects inside it as well.
func merge(o, part object) {
	for k, v := range part {
		in, ok := v.(object)
		if old, there := o[k].(object); ok && there {
			merge(old, in)
		} else {
			o[k] = v
		}
	}
}

// editJSON decodes an object, changes it and encodes it again.
func editJSON(t testing.TB, text []byte, part object) []byte {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	var o object
	if err := d.Decode(&o); err != nil {
		t.Fatal(err)
	}
	merge(o, part)
	b, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// setOptions changes the deck configuration 1, by members of its JSON form.
func setOptions(t testing.TB, db host.DB, part object) {
	t.Helper()
	setPreset(t, db, 1, part)
}

// setPreset is setOptions for any deck configuration.
func setPreset(t testing.TB, db host.DB, id int64, part object) {
	t.Helper()
	row := one(t, db, "SELECT name, config FROM deck_config WHERE id = ?", id)
	o := legacy.DeckConfig{ID: id, Name: row[0].String(), Config: row[1].Clone()}
	text, err := o.AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	changed, err := legacy.ParseDeckConfig(editJSON(t, text, part))
	if err != nil {
		t.Fatal(err)
	}
	run(t, db, "UPDATE deck_config SET config = ? WHERE id = ?", changed.Config, id)
}

// setDeck changes a deck, by members of its JSON form.
func setDeck(t testing.TB, db host.DB, id int64, part object) {
	t.Helper()
	row := one(t, db, "SELECT name, common, kind FROM decks WHERE id = ?", id)
	d := legacy.Deck{ID: id, Name: row[0].String(), Common: row[1].Clone(), Kind: row[2].Clone()}
	text, err := d.AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	changed, err := legacy.ParseDeck(coretest.Text{}, editJSON(t, text, part))
	if err != nil {
		t.Fatal(err)
	}
	run(t, db, "UPDATE decks SET common = ?, kind = ? WHERE id = ?", changed.Common, changed.Kind, id)
}

// addDeck adds a deck like deck 1.
func addDeck(t testing.TB, db host.DB, id int64, name string, part object) {
	t.Helper()
	run(t, db, "INSERT INTO decks SELECT ?, ?, mtime_secs, usn, common, kind FROM decks WHERE id = 1", id, strings.ReplaceAll(name, "::", "\x1f"))
	if part != nil {
		setDeck(t, db, id, part)
	}
}

func filteredDeck(reschedule bool, again, hard, good int64) object {
	return object{
		"dyn": 1, "resched": reschedule, "terms": []any{[]any{"", 100, 5}}, "separate": true, "delays": nil, "previewDelay": 0,
		"previewAgainSecs": again, "previewHardSecs": hard, "previewGoodSecs": good,
	}
}

func setConfig(t testing.TB, db host.DB, key string, v any) {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if err := collection.PutConfig(db, key, b, 0, 0); err != nil {
		t.Fatal(err)
	}
}

// prepare puts the card of a case into an empty collection.
func (c *answerCase) prepare(t testing.TB, db host.DB) {
	t.Helper()
	run(t, db, "UPDATE col SET crt = ?", c.Crt)
	setOptions(t, db, c.Config)
	for key, v := range c.Globals {
		setConfig(t, db, key, v)
	}
	if len(c.Deck) > 0 {
		setDeck(t, db, 1, c.Deck)
	}
	if f := c.Filtered; f != nil {
		addDeck(t, db, f.Did, "Filtered", filteredDeck(f.Reschedule, f.Again, f.Hard, f.Good))
	}
	insert(t, db, "notes", object{
		"id": c.CardBefore["nid"], "guid": "g", "mid": 1, "mod": 0, "usn": 0, "tags": "", "flds": "a\x1fb", "sfld": "a", "csum": 0, "flags": 0, "data": "",
	})
	insert(t, db, "cards", c.CardBefore)
	for _, e := range c.RevlogBefore {
		merge(e, object{"usn": 0, "factor": json.Number("2500"), "time": json.Number("1000")})
		insert(t, db, "revlog", e)
	}
}

// rowObject returns a row as it is in the fixture.
func rowObject(t testing.TB, db host.DB, table, columns, where string, args ...any) object {
	t.Helper()
	row := one(t, db, "SELECT "+columns+" FROM "+table+" WHERE "+where, args...)
	o := object{}
	for i, name := range strings.Split(columns, ", ") {
		switch v := row[i].Any().(type) {
		case int64:
			o[name] = json.Number(strconv.FormatInt(v, 10))
		default:
			o[name] = v
		}
	}
	return o
}

const (
	cardColumns   = "id, nid, did, ord, mod, usn, type, queue, due, ivl, factor, reps, lapses, left, odue, odid, flags, data"
	revlogColumns = "id, cid, usn, ease, ivl, lastIvl, factor, time, type"
)

// TestFixture answers the 380 cards of the fixture, and compares all that is written with what the real program wrote.
func TestFixture(t *testing.T) {
	t.Parallel()
	cases := readCases(t)
	if len(cases) != 380 {
		t.Fatalf("%d cases", len(cases))
	}
	db := newCollection(t, time.UnixMilli(cases[0].NowMs).AddDate(0, 0, -100))
	for _, c := range cases {
		t.Run(c.ID+" "+c.Group, func(t *testing.T) {
			if err := db.Exec("BEGIN"); err != nil {
				t.Fatal(err)
			}
			defer db.Rollback()
			c.check(t, db)
		})
	}
}

func (c *answerCase) check(t *testing.T, db host.DB) {
	c.prepare(t, db)
	clock := coretest.NewClock(time.UnixMilli(c.NowMs), 0)
	id, _ := c.CardBefore["id"].(json.Number).Int64()
	before, err := collection.ReadCol(db)
	if err != nil {
		t.Fatal(err)
	}
	if today, end, err := collection.Today(db, clock); err != nil || today != c.Today || end != c.Cutoff {
		t.Fatal(today, end, err)
	}
	session, err := study.Begin(db, clock)
	if err != nil {
		t.Fatal(err)
	}
	choices, err := session.Choices(id)
	if err != nil {
		t.Fatal(err)
	}
	c.checkStates(t, choices)
	if _, err := study.Answer(db, clock, id, c.Button, c.TookMs); err != nil {
		t.Fatal(err)
	}
	c.checkAnswered(t, db, before)
}

// checkAnswered compares all that an answer has written. before is the row of the collection before it.
func (c *answerCase) checkAnswered(t *testing.T, db host.DB, before collection.Col) {
	t.Helper()
	id, _ := c.CardBefore["id"].(json.Number).Int64()
	did, _ := c.CardBefore["did"].(json.Number).Int64()
	want := maps.Clone(c.CardAfter)
	mod, _ := c.CardBefore["mod"].(json.Number).Int64()
	// The real program leaves mod at the same second; ours is later than it was.
	want["mod"] = json.Number(strconv.FormatInt(max(mod+1, c.NowMs/1000), 10))
	compare(t, "card", rowObject(t, db, "cards", cardColumns, "id = ?", id), want)
	compare(t, "revlog", rowObject(t, db, "revlog", revlogColumns, "cid = ? ORDER BY id DESC", id), c.Revlog)
	row := one(t, db, "SELECT common, usn, mtime_secs FROM decks WHERE id = ?", did)
	d := legacy.Deck{ID: did, Name: "x", Common: row[0].Clone(), Kind: one(t, db, "SELECT kind FROM decks WHERE id = ?", did)[0].Clone()}
	text, err := d.AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	var got struct{ NewToday, RevToday, LrnToday, TimeToday [2]int64 }
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	a := c.DeckAfter
	if got.NewToday != [2]int64{a.Day, a.New} || got.RevToday != [2]int64{a.Day, a.Rev} || got.LrnToday != [2]int64{a.Day, a.Lrn} ||
		got.TimeToday != [2]int64{a.Day, a.Ms} || row[1].Int() != -1 || row[2].Int() < c.NowMs/1000 {
		t.Errorf("deck %+v, want %+v, usn %d", got, a, row[1].Int())
	}
	nid := c.CardBefore["nid"]
	tags := one(t, db, "SELECT tags, usn FROM notes WHERE id = CAST(? AS INTEGER)", nid.(json.Number).String())
	wantTags, wantUSN := "", int64(0)
	if len(c.NoteTags) > 0 {
		wantTags, wantUSN = " "+strings.Join(c.NoteTags, " ")+" ", -1
	}
	if tags[0].String() != wantTags || tags[1].Int() != wantUSN {
		t.Errorf("tags %q, usn %d", tags[0].String(), tags[1].Int())
	}
	after, err := collection.ReadCol(db)
	if err != nil || after.Mod != max(c.NowMs, before.Mod+1) || after.Scm != before.Scm {
		t.Errorf("col %+v after %+v, %v", after, before, err)
	}
}

func compare(t *testing.T, what string, got, want object) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s\ngot  %v\nwant %v", what, got, want)
	}
}

// fixtureState is a state in the fixture.
type fixtureState struct {
	Secs, Left, Days, Lapses int64
	Ease                     float64
	Leech, Finished          bool
	Mem                      []float64
	Review                   *fixtureState
}

func (c *answerCase) checkStates(t *testing.T, got *study.Choices) {
	t.Helper()
	if !reflect.DeepEqual(got.Labels[:], c.Labels) {
		t.Errorf("labels %q, want %q", got.Labels, c.Labels)
	}
	for i, want := range c.States[1:] {
		checkState(t, got.Next[i], want)
	}
}

func checkState(t *testing.T, got study.State, want map[string]json.RawMessage) {
	t.Helper()
	for name, raw := range want {
		if name == "rescheduling" {
			var inner map[string]json.RawMessage
			if err := json.Unmarshal(raw, &inner); err != nil {
				t.Fatal(err)
			}
			checkState(t, got, inner)
			return
		}
		var w fixtureState
		if err := json.Unmarshal(raw, &w); err != nil {
			t.Fatal(err)
		}
		kind := map[string]study.Kind{"learning": study.Learning, "review": study.Review, "relearning": study.Relearning, "preview": study.Preview}[name]
		ok := got.Kind == kind
		if kind != study.Review {
			ok = ok && got.Seconds == w.Secs && got.Left == w.Left
		}
		r := &w
		if w.Review != nil {
			r = w.Review
		}
		if kind == study.Review || kind == study.Relearning {
			ok = ok && got.Days == r.Days && got.Lapses == r.Lapses && got.Leech == r.Leech && near(float64(got.Ease), r.Ease, 1e-4)
		}
		if len(w.Mem) == 2 {
			s, d := got.Memory()
			ok = ok && float32(s) == float32(w.Mem[0]) && float32(d) == float32(w.Mem[1])
		}
		if !ok {
			t.Errorf("state %+v, want %s %s", got, name, raw)
		}
	}
}

func near(a, b, by float64) bool { return a-b < by && b-a < by }
