package browsertest_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
	"github.com/cardferry/cardferry/hostrunner/nodetest"
)

// device is a host whose collection can be taken out, edited by the real program, and put back.
type device interface {
	login(t *testing.T, endpoint string, acc *anki.Account)
	export(t *testing.T, path string)
	load(t *testing.T, path string)
	sync(t *testing.T)
	download(t *testing.T)
}

// pageDevice is a page of Chromium; the endpoint is its server's, or at a path of that.
type pageDevice struct {
	*browsertest.Page
	path string
}

func (p pageDevice) login(t *testing.T, _ string, acc *anki.Account) {
	t.Helper()
	p.Run(t, nil, `await open({ endpoint: "/" + args[0] }); await ferry.login({user: args[1], password: args[2]})`, p.path, acc.User, anki.Password)
}
func (p pageDevice) export(t *testing.T, path string) { t.Helper(); p.ExportCollection(t, path) }
func (p pageDevice) load(t *testing.T, path string)   { t.Helper(); p.ImportCollection(t, path) }
func (p pageDevice) sync(t *testing.T)                { t.Helper(); p.Run(t, nil, `await ferry.sync()`) }
func (p pageDevice) download(t *testing.T)            { t.Helper(); p.Run(t, nil, `await ferry.download()`) }

// nodeDevice is a guest under Node.
type nodeDevice struct {
	*nodetest.Host
	account map[string]any
}

func (n *nodeDevice) call(t *testing.T, method string, params, result any) {
	t.Helper()
	if err := n.Call(method, params, result); err != nil {
		t.Fatalf("%s: %v", method, err)
	}
}

func (n *nodeDevice) login(t *testing.T, endpoint string, acc *anki.Account) {
	t.Helper()
	n.call(t, "open", map[string]any{"client": "test/1", "create": true}, nil)
	var login struct{ Endpoint, Key string }
	n.call(t, "login", map[string]any{"endpoint": endpoint, "user": acc.User, "password": anki.Password, "client": "test/1"}, &login)
	n.account = map[string]any{"endpoint": login.Endpoint, "key": login.Key}
}

func (n *nodeDevice) export(t *testing.T, path string) {
	t.Helper()
	n.call(t, "export", map[string]any{"path": path}, nil)
}

func (n *nodeDevice) load(t *testing.T, path string) {
	t.Helper()
	n.call(t, "close", nil, nil)
	n.call(t, "import", map[string]any{"path": path}, nil)
	n.call(t, "open", map[string]any{"client": "test/1", "create": false}, nil)
}

func (n *nodeDevice) sync(t *testing.T) {
	t.Helper()
	n.call(t, "sync", map[string]any{"account": n.account, "on_conflict": "ask"}, nil)
}

func (n *nodeDevice) download(t *testing.T) {
	t.Helper()
	n.call(t, "download", map[string]any{"account": n.account, "backup": true}, nil)
}

type edit struct {
	do   string
	args anki.Args
}

func note(guid, notetype, deck string, fields ...string) edit {
	return edit{"add_note", anki.Args{"guid": guid, "notetype": notetype, "deck": deck, "fields": fields, "tags": []string{"tag::" + guid}}}
}

func do(name string, args ...any) edit {
	e := edit{name, anki.Args{}}
	for i := 0; i < len(args); i += 2 {
		e.args[args[i].(string)] = args[i+1]
	}
	return e
}

// base is what both devices have before each scenario.
var base = []edit{
	note("a", "Basic", "Default", "front", "back"),
	note("b", "Cloze", "Größe::子", "{{c1::a}} {{c2::b}}", ""),
	note("c", "Basic (and reversed card)", "Other", "ﬁ ß İ", "e\u0301"),
	do("add_deck_config", "name", "Options"),
	do("set_config", "key", "shared", "value", 1),
}

// scenarios are edits of two devices since they last synced: ours, and the real one's, which syncs first.
var scenarios = map[string]struct{ ours, theirs []edit }{
	"added here":       {ours: []edit{note("n", "Basic", "New::Deck", "x", "y"), do("add_notes", "prefix", "many", "count", 600, "deck", "Many")}},
	"added there":      {theirs: []edit{note("n", "Basic", "New::Deck", "x", "y"), do("add_notes", "prefix", "many", "count", 2100, "deck", "Many")}},
	"every kind here":  {ours: every},
	"every kind there": {theirs: every},
	"both edit the same": {
		ours:   []edit{do("edit_note", "note", "a", "fields", []string{"ours"}), do("describe_deck", "deck", "Other", "desc", "ours"), do("set_config", "key", "shared", "value", 2)},
		theirs: []edit{do("edit_note", "note", "a", "fields", []string{"theirs"}), do("describe_deck", "deck", "Other", "desc", "theirs"), do("set_config", "key", "shared", "value", 3)},
	},
	"removed here, edited there": {
		ours:   []edit{do("remove_notes", "notes", []string{"c"}), do("remove_decks", "decks", []string{"Größe::子"})},
		theirs: []edit{do("edit_note", "note", "c", "fields", []string{"ﬁ ß İ", "kept?"}), do("answer", "card", "b/0", "ease", 3)},
	},
}

var every = []edit{
	do("edit_note", "note", "a", "fields", []string{"front", "<b>e\u0301</b>"}),
	do("edit_note", "note", "b", "tags", []string{"x", "Y::z"}),
	do("answer", "card", "c/0", "ease", 4),
	do("suspend", "cards", []string{"c/1"}),
	do("rename_deck", "deck", "Other", "name", "Ä"),
	do("edit_deck_config", "id", "Options", "per_day", 7),
	do("use_deck_config", "deck", "Ä", "id", "Options"),
	do("filtered_deck", "name", "Filtered", "search", "deck:Default"),
	do("edit_notetype", "id", "Cloze", "css", "b { }"),
	do("add_notetype", "name", "Own"),
	do("remove_notes", "notes", []string{"b"}),
	do("set_config", "key", "own", "value", map[string]any{"a": []int{1}}),
}

// TestScenarios runs the scenarios in Chromium and under Node, with both builds of the guest: afterwards both devices
// have equal collections, and the real program's check finds nothing.
func TestScenarios(t *testing.T) {
	t.Parallel()
	hosts := map[string]func(t *testing.T, endpoint string) device{
		"page": func(t *testing.T, endpoint string) device {
			return pageDevice{Page: browsertest.Start(t).Open(t, browsertest.NewServer(t, endpoint).URL)}
		},
		"node-js":     func(t *testing.T, _ string) device { return &nodeDevice{Host: nodetest.Start(t, nodetest.Program)} },
		"node-wasip1": func(t *testing.T, _ string) device { return &nodeDevice{Host: nodetest.Start(t, nodetest.Reactor)} },
	}
	for host, start := range hosts {
		for name, s := range scenarios {
			t.Run(fmt.Sprintf("%s/%s", host, name), func(t *testing.T) {
				t.Parallel()
				endpoint, acc := account(t)
				ours, desktop := start(t, endpoint), newDesktop(t, endpoint, acc)
				begin(t, ours, desktop)
				change(t, ours, s.ours)
				apply(t, desktop.Client, s.theirs)
				converge(t, ours, desktop)
			})
		}
	}
}

// begin gives both devices the same collection.
func begin(t *testing.T, ours device, desktop *desktop) {
	t.Helper()
	apply(t, desktop.Client, base)
	desktop.full(t, true)
	ours.login(t, desktop.endpoint, desktop.Account)
	ours.download(t)
}

func apply(t *testing.T, c *anki.Client, edits []edit) {
	t.Helper()
	for _, e := range edits {
		c.Do(t, e.do, e.args, nil)
	}
}

// change edits the collection of a device with the real program.
func change(t *testing.T, d device, edits []edit) {
	t.Helper()
	if len(edits) == 0 {
		return
	}
	path := filepath.Join(t.TempDir(), "collection.anki2")
	d.export(t, path)
	c := agent(t).Client(t, path)
	apply(t, c, edits)
	// In one second two edits of the same object do not settle, with two real clients neither.
	for table, column := range map[string]string{"notes": "mod", "cards": "mod", "decks": "mtime_secs", "notetypes": "mtime_secs", "deck_config": "mtime_secs"} {
		c.SQL(t, "UPDATE "+table+" SET "+column+" = "+column+" + 10 WHERE usn = -1")
	}
	c.Close(t)
	d.load(t, path)
}

// converge syncs until both sides have what the other had, and compares them.
func converge(t *testing.T, ours device, desktop *desktop) {
	t.Helper()
	desktop.sync(t)
	ours.sync(t)
	desktop.sync(t)
	ours.sync(t)
	path := filepath.Join(t.TempDir(), "collection.anki2")
	ours.export(t, path)
	desktop.wantSame(t, "after the syncs", path)
}
