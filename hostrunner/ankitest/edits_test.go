package ankitest_test

import (
	"testing"

	"github.com/cardferry/cardferry/hostrunner/ankitest"
)

type args = map[string]any

// edits are those that a sync can merge, in an order in which each finds what it needs.
var edits = []struct {
	do   string
	args args
}{
	{"add_note", args{"guid": "n1", "notetype": "Basic (and reversed card)", "deck": "Größe::子", "fields": []string{"ﬁ ß İ", "b"}, "tags": []string{"тег::x"}}},
	{"add_note", args{"guid": "n2", "notetype": "Cloze", "deck": "Default", "fields": []string{"{{c1::a}} {{c2::b}}", ""}}},
	{"add_notes", args{"prefix": "many", "count": 300, "notetype": "Basic", "deck": "Many"}},
	{"edit_note", args{"guid": "n1", "field": 1, "text": "<b>e\u0301</b>"}},
	{"tag_note", args{"guid": "n2", "tags": []string{"a", "B::c"}}},
	{"rename_tag", args{"name": "a", "to": "aa"}},
	{"collapse_tag", args{"name": "B", "collapsed": false}},
	{"remove_tag", args{"name": "aa"}},
	{"answer", args{"guid": "n1", "ord": 0, "ease": 3}},
	{"answer", args{"guid": "n1", "ord": 0, "ease": 4}},
	{"card", args{"guid": "n1", "ord": 1, "act": "suspend"}},
	{"card", args{"guid": "n1", "ord": 1, "act": "unsuspend"}},
	{"card", args{"guid": "n1", "ord": 1, "act": "bury"}},
	{"card", args{"guid": "n1", "ord": 1, "act": "unbury"}},
	{"card", args{"guid": "n2", "ord": 0, "act": "flag", "value": 3}},
	{"card", args{"guid": "n2", "ord": 0, "act": "move", "value": "Other"}},
	{"card", args{"guid": "many0", "ord": 0, "act": "due", "value": 5}},
	{"card", args{"guid": "many0", "ord": 0, "act": "forget"}},
	{"card", args{"guid": "many1", "ord": 0, "act": "remove"}},
	{"remove_note", args{"guid": "many2"}},
	{"add_deck", args{"name": "A::B::C"}},
	{"rename_deck", args{"name": "A::B", "to": "Ä"}},
	{"describe_deck", args{"name": "Ä", "text": "über"}},
	{"collapse_deck", args{"name": "Ä", "collapsed": true}},
	{"add_filtered", args{"name": "Filtered", "search": "deck:Many"}},
	{"rebuild_filtered", args{"name": "Filtered"}},
	{"answer", args{"guid": "many5", "ord": 0, "ease": 3}},
	{"empty_filtered", args{"name": "Filtered"}},
	{"remove_deck", args{"name": "Filtered"}},
	{"remove_deck", args{"name": "Many"}},
	{"add_deck_config", args{"name": "Schnell"}},
	{"edit_deck_config", args{"name": "Schnell", "per_day": 33}},
	{"use_deck_config", args{"deck": "Other", "name": "Schnell"}},
	{"add_notetype", args{"name": "Typ", "fields": []string{"Eins", "Zwei"}}},
	{"edit_notetype", args{"name": "Typ", "css": "b { color: red }", "question": "{{Eins}}!"}},
	{"edit_notetype", args{"name": "Typ", "to": "Art", "rename_field": "Drei"}},
	{"set_config", args{"key": "ours", "value": args{"x": []any{1, 2.5, nil, "ü"}}}},
	{"remove_config", args{"key": "ours"}},
}

// forcing are edits that need a one-way sync.
var forcing = []struct {
	do   string
	args args
}{
	{"edit_notetype", args{"name": "Basic", "add_field": "More"}},
	{"edit_notetype", args{"name": "Basic", "add_template": "Card 2"}},
	{"edit_notetype", args{"name": "Basic", "sort_field": 1}},
	{"remove_notetype", args{"name": "Art"}},
	{"remove_deck_config", args{"name": "Schnell"}},
}

// TestEdits makes every edit of the agent on a real client, and lets another one receive it.
func TestEdits(t *testing.T) {
	t.Parallel()
	s, u := ankitest.Shared(t)
	a := ankitest.NewClient(t, ankitest.CopyCollection(t, ankitest.Fixture(t, "stock.anki2")))
	a.Login(s.URL, u)
	a.Upload()
	b := ankitest.NewClient(t, "")
	b.Login(s.URL, u)
	b.Download()
	agree := func(what string) {
		t.Helper()
		server := ankitest.MustDump(t, s.Collection(u))
		mine := ankitest.MustDump(t, b.Path)
		ankitest.RequireEqual(t, "receiver and server after "+what, mine, server, ankitest.AfterDownload)
		ankitest.RequireEqual(t, "receiver and sender after "+what, mine, ankitest.MustDump(t, a.Path), append(ankitest.BetweenDevices, ankitest.RemovedTags)...)
	}
	for _, e := range edits {
		a.Do(e.do, e.args)
		a.Sync()
		b.Sync()
		agree(e.do)
	}
	for _, e := range forcing {
		a.Do(e.do, e.args)
		if r, err := a.TrySync(); err != nil || r.Required != "full" {
			t.Fatalf("%s: %+v %v", e.do, r, err)
		}
		a.Upload()
		b.Download()
		agree(e.do)
	}
	a.Close()
	b.Close()
	ankitest.CheckFile(t, a.Path)
	ankitest.CheckFile(t, b.Path)
}
