package browsertest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// A mistake of an app is a SyncError as well: nothing else is ever thrown, and nothing is changed by it.
func TestWrongOptions(t *testing.T) {
	t.Parallel()
	page := browsertest.Start(t).Open(t, browsertest.NewServer(t, "").URL)
	for _, options := range []string{
		`5`, `"default"`, `{ profile: 5 }`, `{ profile: "" }`, `{ profile: ".." }`, `{ profile: "\ud800" }`, `{ profile: "x".repeat(201) }`,
		`{ endpoint: 5 }`, `{ endpoint: "http://[" }`, `{ clientName: {} }`, `{ assets: "/dist/" }`, `{ assets: { core: 5 } }`,
		`{ assets: { core: "http://[" } }`, `{ assets: { sqlite: [] } }`, `{ assets: { worker: "http://[" } }`,
		`{ assets: { worker: "http://elsewhere.invalid/worker.js" } }`, `{ assets: { serviceWorker: 5 } }`, `{ transport: {} }`,
		`{ network: "offline" }`, `{ media: true }`, `{ get profile() { throw new Error("of a getter") } }`,
	} {
		if e := wantKind(t, page.Try(t, nil, `await bridge.Cardferry.open(`+options+`)`), fault.InvalidInput); e.Changed || e.Message == "" {
			t.Errorf("open(%s): changed %v, %q", options, e.Changed, e.Message)
		}
	}
	// What is left out may be null, an address a URL, and a network function that fails knows nothing.
	page.Run(t, nil, `
		addEventListener("error", (e) => e.preventDefault());
		await open({ profile: null, endpoint: new URL("/", location.href), clientName: null, assets: null, transport: null, network: () => { throw new Error("no idea"); } });
		await ferry.query("SELECT 1");
		await ferry.close();`)
}

// misuses are calls that no app should make.
var misuses = []string{
	`subscribe(5)`, `login()`, `login(null)`, `login({ user: "a" })`, `login({ user: "a", password: 5 })`, `login({ user: "a", password: "b", endpoint: "http://[" })`,
	`login({ user: "a", get password() { throw new Error("of a getter") } })`, `sync({ get signal() { throw new Error("of a getter") } })`, `settings.set({ get live() { throw new Error("of a getter") } })`,
	`signUp("a")`, `sync(5)`, `sync({ media: "no" })`, `sync({ onConflict: "merge" })`, `sync({ signal: {} })`, `upload({ backup: 1 })`, `download("now")`,
	`refresh({ offline: "yes" })`, `query()`, `query(5)`, `query("SELECT ?", "x")`, `query("SELECT ?", [{}])`, `query("SELECT ?", [undefined])`, `query("SELECT ?", [2n ** 63n])`, `query("SELECT ?", [])`, `query("SELECT ?", [1, 2])`,
	`query("")`, `query("SELEKT")`, `edit()`, `edit(5)`, `edit([5])`, `edit([{}])`, `edit([{ op: "drop" }])`, `edit([{ op: "removeNotes", noteIds: "all" }])`,
	`edit([{ op: "removeNotes", noteIds: [5n] }])`, `edit([{ op: "setConfig", key: "k", value: NaN }])`, `edit([{ op: "answerCard", cardId: 1, button: 5 }])`, `render()`, `render({ cardId: "x" })`, `compareTyped({ given: 5 })`,
	`nextCards("deck")`, `nextCards(1, { count: 0 })`, `nextCards(1, { count: "all" })`, `exportFile({ media: 1 })`, `importFile("/x.colpkg")`, `importFile(new Blob(["x"]), 5)`,
	`settings.set(5)`, `settings.set({ autoSync: "on" })`, `settings.set({ metered: "some" })`, `settings.set({ mediaInterval: -1 })`, `settings.set({ mediaInterval: NaN })`, `settings.set({ mediaInterval: "5" })`, `serverContents({ since: NaN })`, `backups.restore()`, `backups.restore(5)`,
	`devices.remove("")`, `media.subscribe({})`, `media.get()`, `media.get(5)`, `media.url(null)`, `media.url("\udc00.png")`, `media.add("x.png", "content")`,
	`media.add({}, new Blob(["x"]))`, `media.add("\ud800.png", new Blob(["x"]))`, `media.remove(["x"])`, `media.check({ apply: "yes" })`, `media.state({})`, `media.sync(5)`,
}

func TestWrongCalls(t *testing.T) {
	t.Parallel()
	page := browsertest.Start(t).Open(t, browsertest.NewServer(t, "").URL)
	page.Run(t, nil, `await open()`)
	for _, call := range misuses {
		var kind string
		page.Run(t, &kind, `
			try {
				await ferry.`+call+`;
				return "nothing";
			} catch (e) {
				return e instanceof bridge.SyncError ? e.kind + (e.changed ? ", changed" : "") : String(e);
			}`)
		if kind != "invalid_input" {
			t.Errorf("%s: %s", call, kind)
		}
	}
	var n int
	if page.Run(t, &n, `await ferry.close(); await open(); return ferry.status.pending`); n != 0 {
		t.Errorf("%d rows wait", n)
	}
}

// TestAfterClose: every call fails with one kind, and closing again is no mistake.
func TestAfterClose(t *testing.T) {
	t.Parallel()
	page := browsertest.Start(t).Open(t, browsertest.NewServer(t, "").URL)
	page.Run(t, nil, `
		await open();
		window.hanging = ferry.query("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 3000) SELECT * FROM n").then(() => "done", (e) => e.kind);
		await Promise.all([ferry.close(), ferry.close()]);
		await ferry.close();`)
	var kind string
	if page.Run(t, &kind, `return window.hanging`); kind != "done" && kind != "cancelled" && kind != "closed" {
		t.Errorf("a call that was running: %s", kind)
	}
	calls := strings.Fields(`login({user:"a",password:"b"}) signUp({user:"a",password:"b"}) logout() refresh() sync() upload() download() query("SELECT") edit([]) undo()
		render({cardId:1}) compareTyped({}) deckTree() nextCards(1) exportFile() importFile(new(Blob)([""])) diagnostics() settings.get() settings.set({}) backups.list()
		backups.restore("1") devices.list() devices.remove("1") media.sync() media.get("a") media.url("a") media.add("a",new(Blob)(["x"])) media.remove("a") media.check()
		media.state("a")`)
	for _, call := range calls {
		if page.Run(t, &kind, `return ferry.`+call+`.then(() => "nothing", (e) => e.kind ?? String(e))`); kind != "closed" {
			t.Errorf("%s: %s", call, kind)
		}
	}
	var got []any
	page.Run(t, &got, `
		const heard = [];
		ferry.subscribe((s) => heard.push(s.activity))();
		return [heard.length, (await ferry.storage()).quota > 0]`)
	if fmt.Sprint(got) != "[1 true]" {
		t.Errorf("what needs no worker: %v", got)
	}
}

// TestListenersFail: what a listener throws is the page's, and the others hear all the same.
func TestListenersFail(t *testing.T) {
	t.Parallel()
	page := browsertest.Start(t).Open(t, browsertest.NewServer(t, "").URL)
	var got []any
	page.Run(t, &got, until+`
		await open();
		const errors = [], statuses = [], changes = [];
		addEventListener("error", (e) => { errors.push(e.message); e.preventDefault(); });
		const end = ferry.subscribe(() => { throw new Error("of a listener"); }); // in its first call, too
		ferry.subscribe((s) => statuses.push(s.pending));
		ferry.media.subscribe(() => { throw new Error("of another listener"); });
		ferry.media.subscribe((list) => changes.push(...list));
		await ferry.media.add("a.txt", new Blob(["a"]));
		await ferry.edit([{ op: "addDeck", name: "New" }]);
		await until(() => statuses.includes(1));
		const heard = errors.filter((e) => e.includes("of a listener")).length;
		end();
		await ferry.edit([{ op: "addDeck", name: "Newer" }]);
		await until(() => statuses.includes(2));
		return [changes.length, heard > 1, errors.some((e) => e.includes("of another listener")), errors.filter((e) => e.includes("of a listener")).length - heard]`)
	if fmt.Sprint(got) != "[1 true true 0]" {
		t.Errorf("changes, errors: %v", got)
	}
}
