package browsertest_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// vectors has those of study.md §9 that tell what cards a note has, and how they look.
const vectors = "../../core/render/testdata/"

// TestGenerationInPage adds the notes of the vectors in a page, to notetypes of the real program's making: they get the cards that they
// get there, and the real program has them after a sync.
func TestGenerationInPage(t *testing.T) {
	t.Parallel()
	endpoint, acc := account(t)
	desktop := newDesktop(t, endpoint, acc)
	type note struct {
		ID         string
		NotetypeID int64
		Cloze      bool
		Templates  []string
		Fields     []string
		FieldNames []string `json:"field_names"`
		Title      string
		Tags       []string
		Ords       []int
		Refused    string `json:"notetype_error"`
	}
	notes := coretest.ReadLines[note](t, vectors+"generation.jsonl")
	notes = slices.DeleteFunc(notes, func(n note) bool { return n.Refused != "" })
	for i := range notes {
		n := &notes[i]
		backs := make([]string, len(n.Templates))
		for k := range backs {
			backs[k] = "x"
			if n.Cloze {
				backs[k] = n.Templates[k] + "x"
			}
		}
		if n.Tags = []string{}; strings.Contains(n.Title, "special") && !strings.Contains(n.Title, "without") {
			n.Tags = []string{"t"}
		}
		n.NotetypeID = desktop.ID(t, "make_notetype", anki.Args{"name": "vector " + n.ID, "cloze": n.Cloze, "fields": n.FieldNames, "fronts": n.Templates, "backs": backs})
	}
	desktop.full(t, true)
	page := browsertest.Start(t).Open(t, browsertest.NewServer(t, endpoint).URL)
	page.Run(t, nil, `await open(); await ferry.login({user: args[0], password: args[1]}); await ferry.download()`, acc.User, anki.Password)
	type added struct {
		NoteID int64
		Ords   []int
	}
	var got []added
	page.Run(t, &got, `
		const out = [];
		for (const n of args[0]) {
			const fields = n.field_names.map((_, i) => n.Fields[i] ?? "");
			const { results } = await ferry.edit([{ op: "addNote", notetypeId: n.NotetypeID, deckId: 1, fields, tags: n.Tags }]);
			const rows = await ferry.query("SELECT ord FROM cards WHERE nid = ? ORDER BY ord", [results[0].noteId]);
			out.push({ NoteID: results[0].noteId, Ords: rows.map((r) => r.ord) });
		}
		await ferry.sync();
		return out;`, notes)
	desktop.sync(t)
	there := map[int64][]int{}
	for _, row := range desktop.SQL(t, "SELECT nid, ord FROM cards ORDER BY nid, ord") {
		id := anki.Int(row[0])
		there[id] = append(there[id], int(anki.Int(row[1])))
	}
	for i, n := range notes {
		if !slices.Equal(got[i].Ords, n.Ords) || !slices.Equal(there[got[i].NoteID], n.Ords) {
			t.Errorf("%s %s: cards %v here, %v there, want %v", n.ID, n.Title, got[i].Ords, there[got[i].NoteID], n.Ords)
		}
	}
	if len(notes) < 100 {
		t.Errorf("only %d vectors", len(notes))
	}
}

// hintIDs are opaque; later are the parts of a side that the page shows otherwise than the vectors have them (study.md §2.6).
var (
	hintIDs = regexp.MustCompile(`hint[0-9a-f]{16}`)
	later   = regexp.MustCompile(`(?i)\[sound:|\[anki:|\[latex\]|\[\$|\[\[type:cloze|<div>The front of this card is blank|<div>No cloze `)
)

// TestRenderingInPage renders the vectors in a page.
func TestRenderingInPage(t *testing.T) {
	t.Parallel()
	endpoint, acc := account(t)
	desktop := newDesktop(t, endpoint, acc)
	type card struct {
		ID, Title, Q, A  string
		NotetypeID       int64
		Cloze            bool
		Fields           map[string]string
		List, Tags       []string
		Ord              int
		Question, Answer string
		IsEmpty          bool `json:"is_empty"`
		Error            string
	}
	var cards []card
	for _, c := range coretest.ReadLines[card](t, vectors+"rendering.jsonl") {
		if c.Error != "" || c.IsEmpty || later.MatchString(c.Question+c.Answer) || regexp.MustCompile(`\{\{(Deck|Subdeck|Type|Card)\}\}`).MatchString(c.Q+c.A) {
			continue
		}
		var names []string
		for name, content := range c.Fields {
			names, c.List = append(names, name), append(c.List, content)
		}
		args := anki.Args{"name": fmt.Sprintf("card %s", c.ID), "cloze": c.Cloze, "fields": names, "fronts": []string{c.Q}, "backs": []string{c.A}}
		var id int64
		if err := desktop.Try("make_notetype", args, &id); err != nil {
			continue // one that the real program takes from a sync only
		}
		c.NotetypeID = id
		cards = append(cards, c)
	}
	desktop.full(t, true)
	page := browsertest.Start(t).Open(t, browsertest.NewServer(t, endpoint).URL)
	page.Run(t, nil, `await open(); await ferry.login({user: args[0], password: args[1]}); await ferry.download()`, acc.User, anki.Password)
	var got []struct{ Question, Answer string }
	page.Run(t, &got, `return Promise.all(args[0].map(async (c) => {
		const r = await ferry.render({ notetypeId: c.NotetypeID, ord: c.Ord, fields: c.List, tags: c.Tags });
		return { Question: r.question, Answer: r.answer };
	}))`, cards)
	for i, c := range cards {
		for side, pair := range map[string][2]string{"question": {got[i].Question, c.Question}, "answer": {got[i].Answer, c.Answer}} {
			if hintIDs.ReplaceAllString(pair[0], "hint") != hintIDs.ReplaceAllString(pair[1], "hint") {
				t.Errorf("%s %s: %s\n%s\nwant\n%s", c.ID, c.Title, side, pair[0], pair[1])
			}
		}
	}
	if len(cards) < 50 {
		t.Errorf("only %d vectors", len(cards))
	}
}
