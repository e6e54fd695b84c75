package edit_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/edit"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
)

// real runs testdata/realedits.py, which uses the real program.
func real(t testing.TB, result any, args ...string) {
	t.Helper()
	anki.Script{Path: "testdata/realedits.py", Zone: "UTC"}.Run(t, result, nil, args...)
}

// like is a comparison of an edit of ours with the real program's. In ops, $name stands for an id of the base.
type like struct{ name, ops string }

var likes = []like{
	{"nothing", `[]`},
	{"add a note", `[{"op":"addNote","notetypeId":$basic,"deckId":$Z,"fields":["front","back"],"tags":["b","A","T1","top::new","b","x y"]}]`},
	{"add two notes", `[{"op":"addNote","notetypeId":$reversed,"deckId":$A,"fields":["f","b"]},{"op":"addNote","notetypeId":$cloze,"deckId":$A,"fields":["{{c2::x}} {{c1::y}} {{c2::z}}",""]}]`},
	{"add without any card", `[{"op":"addNote","notetypeId":$basic,"deckId":$A,"fields":["",""]}]`},
	{"add to a filtered deck", `[{"op":"addNote","notetypeId":$basic,"deckId":$Lent,"fields":["f",""]}]`},
	{"add odd text", `[{"op":"addNote","notetypeId":$basic,"deckId":$A,"fields":["  e\u0301<b>x</b>&nbsp;\u001f\r\n\t\u007f12","\u0007[sound:a.mp3]"],"tags":["e\u0301","a::::b","::"]}]`},
	{"add a number", `[{"op":"addNote","notetypeId":$basic,"deckId":$A,"fields":["0012",""]}]`},
	{"update", `[{"op":"updateNote","noteId":$n1,"fields":["changed","1"],"tags":["T1","new"]}]`},
	{"update with the same", `[{"op":"updateNote","noteId":$n1,"fields":["one","1"]}]`},
	{"update the tags", `[{"op":"updateNote","noteId":$n1,"tags":[]}]`},
	{"update to more cards", `[{"op":"updateNote","noteId":$n3,"fields":["three","3","y"]}]`},
	{"update to more clozes", `[{"op":"updateNote","noteId":$n4,"fields":["{{c1::four}} {{c2::zwei}} {{c5::x}}",""]}]`},
	{"update a note in two decks", `[{"op":"setCards","cardIds":[$n4/0],"deckId":$A},{"op":"updateNote","noteId":$n4,"fields":["{{c1::four}} {{c3::vier}} {{c5::x}}",""]}]`},
	{"update a note in two decks, of no last one", `[{"op":"setConfig","key":"_nt_$cloze_lastDeck","value":null},{"op":"setCards","cardIds":[$n4/0],"deckId":$A},{"op":"updateNote","noteId":$n4,"fields":["{{c1::four}} {{c3::vier}} {{c5::x}}",""]}]`},
	{"update to fewer cards", `[{"op":"updateNote","noteId":$n2,"fields":["","2"]}]`},
	{"update a reviewed note to more cards", `[{"op":"setCards","cardIds":[$empty/0],"due":"3","deckId":$A},{"op":"updateNote","noteId":$empty,"fields":["front only","now"]}]`},
	{"remove notes", `[{"op":"removeNotes","noteIds":[$n2,$n4]}]`},
	{"remove a lent note", `[{"op":"removeNotes","noteIds":[$lent]}]`},
	{"add a deck", `[{"op":"addDeck","name":"New"}]`},
	{"add a deck with parents", `[{"op":"addDeck","name":"New::x:: y :"}]`},
	{"add a deck below one", `[{"op":"addDeck","name":"a::b::c::D"}]`},
	{"add a deck that is there", `[{"op":"addDeck","name":"a::b"}]`},
	{"add a deck below a filtered one", `[{"op":"addDeck","name":"lent::x"}]`},
	{"rename a deck", `[{"op":"renameDeck","deckId":$A,"name":"Q"}]`},
	{"rename a deck into another", `[{"op":"renameDeck","deckId":$A::B,"name":"z::B2"}]`},
	{"rename a deck to one that is there", `[{"op":"renameDeck","deckId":$A::B,"name":"z"}]`},
	{"rename a deck below itself", `[{"op":"renameDeck","deckId":$A,"name":"a::x"}]`},
	{"rename a deck below its child", `[{"op":"renameDeck","deckId":$A,"name":"A::B::x"}]`},
	{"rename a deck with missing parents", `[{"op":"renameDeck","deckId":$A::B,"name":"m::n::o"}]`},
	{"rename a deck in spelling", `[{"op":"renameDeck","deckId":$A,"name":"a"}]`},
	{"rename a deck to its name", `[{"op":"renameDeck","deckId":$A,"name":"A"}]`},
	{"rename the default deck", `[{"op":"renameDeck","deckId":1,"name":"A::x"}]`},
	{"rename a filtered deck", `[{"op":"renameDeck","deckId":$Lent,"name":"A::x"}]`},
	{"rename a deck below a filtered one", `[{"op":"renameDeck","deckId":$A,"name":"Lent::x"}]`},
	{"remove a deck", `[{"op":"removeDeck","deckId":$A::B}]`},
	{"remove a deck whose cards are lent", `[{"op":"removeDeck","deckId":$Z}]`},
	{"remove a filtered deck", `[{"op":"removeDeck","deckId":$Lent}]`},
	{"remove the default deck", `[{"op":"setConfig","key":"_deck_1_lastNotetype","value":$basic},{"op":"setCards","cardIds":[$n1/0,$n2/0],"deckId":1},{"op":"removeDeck","deckId":1}]`},
	{"remove a deck with a filtered one below", `[{"op":"renameDeck","deckId":$Lent,"name":"A::B::x"},{"op":"removeDeck","deckId":$A::B}]`},
	{"set config", `[{"op":"setConfig","key":"new key","value":{"a": [1, "x y", null, true, 1.5]}},{"op":"setConfig","key":"key","value":5}]`},
	{"set config to the same", `[{"op":"setConfig","key":"key","value":{"a":[1,2.5,null]}}]`},
	{"remove config", `[{"op":"setConfig","key":"key","value":null}]`},
	{"suspend", `[{"op":"setCards","cardIds":[$every],"suspended":true}]`},
	{"unsuspend", `[{"op":"setCards","cardIds":[$suspended/0,$suspendednew/0,$n1/0,$review/0],"suspended":false}]`},
	{"bury", `[{"op":"setCards","cardIds":[$every],"buried":true}]`},
	{"unbury", `[{"op":"setCards","cardIds":[$buried/0,$userburied/0,$n1/0,$relearn/0],"buried":false}]`},
	{"flag", `[{"op":"setCards","cardIds":[$every],"flag":2}]`},
	{"unflag", `[{"op":"setCards","cardIds":[$every],"flag":0}]`},
	{"move", `[{"op":"setCards","cardIds":[$every],"deckId":$A}]`},
	{"move home", `[{"op":"setCards","cardIds":[$every],"deckId":$Z}]`},
	{"move to other steps", `[{"op":"setCards","cardIds":[$every],"deckId":$Random}]`},
	{"move with FSRS", `[{"op":"setConfig","key":"fsrs","value":true},{"op":"setCards","cardIds":[$every],"flag":1},{"op":"answerCard","cardId":$review/0,"button":3,"takenMs":1000},{"op":"answerCard","cardId":$interday/0,"button":1,"takenMs":1000},{"op":"setCards","cardIds":[$n1/0,$relearn/0],"due":"5"},{"op":"setCards","cardIds":[$n2/0],"forget":true},{"op":"setCards","cardIds":[$every],"deckId":$Random}]`},
	{"move to a filtered deck", `[{"op":"setCards","cardIds":[$n1/0],"deckId":$Lent}]`},
	{"set due", `[{"op":"setCards","cardIds":[$every],"due":"5"}]`},
	{"set due once FSRS is on", `[{"op":"setCards","cardIds":[$every],"flag":1},{"op":"setConfig","key":"fsrs","value":true},{"op":"setCards","cardIds":[$every],"due":"5"}]`},
	{"set due today", `[{"op":"setCards","cardIds":[$every],"due":0}]`},
	{"set due and interval", `[{"op":"setCards","cardIds":[$every],"due":"5!"}]`},
	{"set due and no interval", `[{"op":"setCards","cardIds":[$every],"due":"0!"}]`},
	{"set due with FSRS", `[{"op":"setConfig","key":"fsrs","value":true},{"op":"setCards","cardIds":[$every],"due":"5"}]`},
	{"set due and interval with FSRS", `[{"op":"setConfig","key":"fsrs","value":true},{"op":"setCards","cardIds":[$every],"due":"5!"}]`},
	{"forget", `[{"op":"setCards","cardIds":[$every],"forget":true}]`},
	{"forget, restore", `[{"op":"setCards","cardIds":[$every],"forget":true,"restorePosition":true}]`},
	{"forget, reset", `[{"op":"setCards","cardIds":[$every],"forget":true,"resetCounts":true}]`},
	{"reposition", `[{"op":"setCards","cardIds":[$every],"position":100,"step":3}]`},
	{"reposition backwards", `[{"op":"setCards","cardIds":[$n3/0,$n2/1,$n2/0,$n1/0],"position":7}]`},
	{"answer new cards", `[{"op":"answerCard","cardId":$n1/0,"button":1,"takenMs":1000},{"op":"answerCard","cardId":$n2/0,"button":3,"takenMs":99000},{"op":"answerCard","cardId":$n3/0,"button":4,"takenMs":0}]`},
	{"answer reviews", `[{"op":"answerCard","cardId":$review/0,"button":2,"takenMs":1000},{"op":"answerCard","cardId":$suspended/0,"button":3,"takenMs":1000},{"op":"answerCard","cardId":$buried/0,"button":1,"takenMs":1000}]`},
	{"answer with FSRS", `[{"op":"setConfig","key":"fsrs","value":true},{"op":"answerCard","cardId":$review/0,"button":3,"takenMs":1000},{"op":"answerCard","cardId":$interday/0,"button":3,"takenMs":1000}]`},
	{"answer lent cards", `[{"op":"answerCard","cardId":$lent/0,"button":3,"takenMs":1000},{"op":"answerCard","cardId":$lentnew/0,"button":3,"takenMs":1000}]`},
	{"a day of work", `[{"op":"addDeck","name":"A::B::new"},{"op":"addNote","notetypeId":$cloze,"deckId":$A,"fields":["{{c1::x}}",""],"tags":["T1"]},{"op":"answerCard","cardId":$n4/1,"button":3,"takenMs":1000},{"op":"setCards","cardIds":[$n4/0],"suspended":true},{"op":"removeNotes","noteIds":[$n2]},{"op":"renameDeck","deckId":$A::B,"name":"Z::moved"},{"op":"removeDeck","deckId":$Random}]`},
	{"set a front", `[{"op":"setTemplate","notetypeId":$basic,"front":"{{Back}} {{#Front}}x{{/Front}}"}]`},
	{"set a front for more cards", `[{"op":"setTemplate","notetypeId":$reversed,"ord":1,"front":"{{Front}}{{Back}}"}]`},
	{"set a back", `[{"op":"setTemplate","notetypeId":$basic,"back":"{{FrontSide}} – {{Back}}"}]`},
	{"set a style", `[{"op":"setTemplate","notetypeId":$cloze,"css":".card { color: red }"}]`},
	{"set needs", `[{"op":"setTemplate","notetypeId":$optional,"front":"{{#Add Reverse}}{{#Front}}{{Back}}{{/Front}}{{/Add Reverse}}"},{"op":"setTemplate","notetypeId":$optional,"ord":1,"front":"{{Tags}}{{Deck}}"}]`},
	{"set a front without a field", `[{"op":"setTemplate","notetypeId":$basic,"front":"x"}]`},
	{"set a front with an unknown field", `[{"op":"setTemplate","notetypeId":$basic,"front":"{{front}}"}]`},
	{"set an unbalanced front", `[{"op":"setTemplate","notetypeId":$basic,"front":"{{#Front}}{{Front}}"}]`},
	{"set a back with an unknown field", `[{"op":"setTemplate","notetypeId":$basic,"back":"{{Nope}}"}]`},
	{"set the same front twice", `[{"op":"setTemplate","notetypeId":$reversed,"ord":1,"front":"{{Front}}"}]`},
	{"set a back without cloze", `[{"op":"setTemplate","notetypeId":$cloze,"back":"{{Text}}"}]`},
}

// TestLikeTheRealProgram makes each edit with the real program and with ours: the same rows but for ids and times, or both
// refuse.
func TestLikeTheRealProgram(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	base := filepath.Join(dir, "base.anki2")
	ids := map[string]int64{}
	real(t, &ids, "base", base)
	type job struct {
		Base string          `json:"base"`
		Out  string          `json:"out"`
		Ops  json.RawMessage `json:"ops"`
	}
	var jobs []job
	for i, l := range likes {
		jobs = append(jobs, job{base, filepath.Join(dir, fmt.Sprint(i, ".anki2")), json.RawMessage(fill(t, l.ops, ids))})
	}
	var refused, made []string
	real(t, &refused, "edit", writeJSON(t, filepath.Join(dir, "jobs.json"), jobs))
	before := contents(t, open(t, base))
	for i, l := range likes {
		path := filepath.Join(dir, fmt.Sprint("ours", i, ".anki2"))
		copyFile(t, base, path)
		db := open(t, path)
		_, err := apply(t, newHost(time.Now()), db, string(jobs[i].Ops))
		if (err != nil) != (refused[i] != "") {
			t.Errorf("%s: %v, the real program: %s", l.name, err, refused[i])
			continue
		}
		if err != nil {
			continue
		}
		theirs := open(t, jobs[i].Out)
		got, want := changes(before, contents(t, db)), changes(before, contents(t, theirs))
		if !slices.Equal(got, want) {
			t.Errorf("%s\nours\n%s\nreal\n%s", l.name, only(got, want), only(want, got))
		}
		db.Close()
		theirs.Close()
		made = append(made, path, jobs[i].Out)
	}
	var found []string
	real(t, &found, "check", writeJSON(t, filepath.Join(dir, "made.json"), made))
	for i := 0; i < len(found); i += 2 {
		if found[i] != found[i+1] {
			t.Errorf("%s: the database check says %q, of the real program's %q", made[i], found[i], found[i+1])
		}
	}
}

// writeJSON writes a value to a file and returns its name.
func writeJSON(t testing.TB, path string, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err == nil {
		err = os.WriteFile(path, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func only(a, b []string) string {
	return "  " + strings.Join(slices.DeleteFunc(slices.Clone(a), func(s string) bool { return slices.Contains(b, s) }), "\n  ")
}

var placeholder = regexp.MustCompile(`\$[A-Za-z0-9]+(::[A-Z]|/[0-9])*`)

// fill puts ids in the place of their names; $every are all cards but those of notes with several.
func fill(t testing.TB, ops string, ids map[string]int64) string {
	t.Helper()
	return placeholder.ReplaceAllStringFunc(ops, func(name string) string {
		if name == "$every" {
			var list []string
			for _, key := range slices.Sorted(maps.Keys(ids)) {
				if strings.HasSuffix(key, "/0") {
					list = append(list, strconv.FormatInt(ids[key], 10))
				}
			}
			slices.Sort(list)
			return strings.Join(list, ",")
		}
		id, ok := ids[name[1:]]
		if !ok {
			t.Fatalf("there is no %s", name)
		}
		return strconv.FormatInt(id, 10)
	})
}

// contents returns all rows, as text: table, key, values.
func contents(t testing.TB, db host.DB) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for table, key := range map[string]string{
		"col": "id", "notes": "id", "cards": "id", "revlog": "id", "decks": "id", "deck_config": "id", "notetypes": "id", "fields": "ntid || '/' || ord",
		"templates": "ntid || '/' || ord", "config": "key", "tags": "tag", "graves": "type || '/' || oid",
	} {
		columns := "*"
		if table == "col" {
			columns = "mod, scm, crt"
		}
		for row, err := range rows.Query(db, "SELECT "+key+", "+columns+" FROM "+table+" ORDER BY 1") {
			if err != nil {
				t.Fatal(err)
			}
			values := make([]string, len(row))
			for i, v := range row {
				values[i] = text(v)
			}
			out[table+" "+values[0]] = values[1:]
		}
	}
	return out
}

// text is a value as text, blobs and texts in quotes.
func text(v rows.Value) string {
	switch v := v.Any().(type) {
	case []byte:
		return fmt.Sprintf("x%q", v)
	case string:
		return strconv.Quote(v)
	default:
		return fmt.Sprint(v)
	}
}

// references are the columns that hold ids of other tables' rows, by table.
var references = map[string]map[int]string{
	"notes": {0: "notes"}, "cards": {0: "cards", 1: "notes", 2: "decks", 15: "decks"}, "decks": {0: "decks"}, "revlog": {1: "cards"},
}

// changes describes how rows differ, with times and new ids made alike: new notes and decks are numbered, new cards are named
// by note and ordinal.
func changes(before, after map[string][]string) (out []string) {
	names := map[string]string{}
	for _, table := range []string{"notes", "decks", "cards"} {
		count := 0
		for _, key := range slices.Sorted(maps.Keys(after)) {
			if of, _, _ := strings.Cut(key, " "); of != table || before[key] != nil {
				continue
			}
			names[key] = fmt.Sprint("new ", count)
			if count++; table == "cards" {
				names[key] = name(names, "notes", after[key][1]) + "/" + after[key][3]
			}
		}
	}
	for key, values := range after {
		old := before[key]
		if slices.Equal(old, values) || uiKey(key) {
			continue
		}
		table, id, _ := strings.Cut(key, " ")
		line := table + " " + name(names, table, id)
		for i, v := range values {
			if old != nil && old[i] == v {
				continue
			}
			switch of := references[table][i]; {
			case table == "notes" && i == 1 && old == nil:
				v = "guid"
			case table == "col":
				v = "changed"
			case table == "revlog" && i == 0:
				line, v = table, "id"
			case of != "":
				v = name(names, of, v)
			}
			line += fmt.Sprintf(" %d:%s", i, masked(v))
		}
		out = append(out, line)
	}
	for key := range before {
		if after[key] == nil {
			out = append(out, key+" is gone")
		}
	}
	slices.Sort(out)
	return out
}

// uiKey tells the config keys in which the real program remembers the settings of a dialog.
func uiKey(key string) bool {
	return strings.Contains(key, "randomOrderReposition") || strings.Contains(key, "shiftPositionOfExistingCards")
}

func name(names map[string]string, table, id string) string {
	if n := names[table+" "+id]; n != "" {
		return n
	}
	return id
}

var second = regexp.MustCompile(`\b1[0-9]{9}\b`)

// masked hides present times, in seconds, also of the next steps of learning.
func masked(v string) string {
	return second.ReplaceAllStringFunc(v, func(s string) string {
		if n, _ := strconv.ParseInt(s, 10, 64); n > time.Now().Unix()-600 && n < time.Now().Unix()+1200 {
			return "now"
		}
		return s
	})
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, path string) host.DB {
	t.Helper()
	db, err := sqlitehost.OpenFile(path, host.ReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func newHost(now time.Time) *host.Host {
	return &host.Host{Clock: coretest.NewClock(now, 0), Random: coretest.NewRandom(uint64(now.UnixNano())), Text: coretest.Text{}}
}

func apply(t testing.TB, h *host.Host, db host.DB, ops string) ([]edit.Result, error) {
	t.Helper()
	list, err := edit.ParseOps([]byte(ops))
	if err != nil {
		return nil, err
	}
	return edit.Apply(h, db, list, nil)
}
