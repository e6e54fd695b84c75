package browsertest_test

import (
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

const countTags = `(await ferry.query("SELECT count(*) AS n FROM tags"))[0].n`

// until polls in the page until a condition holds; the time limit of Run ends a wait in vain.
const until = `const until = async (f) => { while (!await f()) await new Promise((go) => setTimeout(go, 20)); };`

// addTag writes a row through whichever tab leads.
func addTag(t testing.TB, page *browsertest.Page, tag string) {
	t.Helper()
	page.Run(t, nil, `await exec("INSERT INTO tags VALUES ('" + args[0] + "', -1, 0, NULL); UPDATE col SET mod = mod + 1000")`, tag)
}

func wantTags(t testing.TB, page *browsertest.Page, want int) {
	t.Helper()
	var n int
	if page.Run(t, &n, `return `+countTags); n != want {
		t.Errorf("%d tags, want %d", n, want)
	}
}

// TestTabsShareProfile opens a profile in several tabs: reads, writes, account and status are the same in all.
func TestTabsShareProfile(t *testing.T) {
	t.Parallel()
	server := ownServer(t)
	browser := browsertest.Start(t)
	first, second, third := browser.Open(t, server.URL), browser.Open(t, server.URL), browser.Open(t, server.URL)
	login(t, first)
	second.Run(t, nil, `await open()`)
	addTag(t, second, "from the second tab")
	wantTags(t, first, 1)
	second.Run(t, nil, `await ferry.refresh({ offline: true })`)
	third.Run(t, nil, `await open()`)
	var statuses [3]string
	for i, page := range []*browsertest.Page{first, second, third} {
		page.Run(t, &statuses[i], until+`
			await until(() => ferry.status.pending === 1);
			return JSON.stringify([ferry.status, ferry.account])`)
	}
	if statuses[0] != statuses[1] || statuses[0] != statuses[2] {
		t.Errorf("statuses of three tabs: %q", statuses)
	}
	wantKind(t, third.Try(t, nil, `await ferry.query("DELETE FROM tags")`), fault.InvalidInput)
	for _, name := range []string{"laterCall", "constructor"} { // of an app that has just been updated, in a tab beside an older one
		if e := wantKind(t, third.Try(t, nil, `await unknown(args[0])`, name), fault.Busy); e.Hint == "" {
			t.Errorf("%s: no hint", name)
		}
	}
	second.Run(t, nil, `await ferry.upload()`)
	first.Run(t, nil, until+`await until(() => ferry.status.lastSync > 0 && ferry.status.activity === "idle")`)

	// Whoever closes, the others go on.
	first.Run(t, nil, `await ferry.close()`)
	wantKind(t, first.Try(t, nil, `await ferry.query("SELECT 1")`), fault.Closed)
	addTag(t, third, "after the leader has closed")
	wantTags(t, second, 2)
	third.Run(t, nil, `await ferry.close()`)
	wantTags(t, second, 2)
	first.Run(t, nil, `await open()`)
	wantTags(t, first, 2)
	first.Run(t, nil, `await open({ profile: "other" })`)
	wantTags(t, first, 0)
}

// neverAnswer makes the server keep requests for path waiting; the channel tells of the first.
func neverAnswer(server *browsertest.Server, path string) <-chan bool {
	asked := make(chan bool, 1)
	server.Intercept(only(path, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then the server notices that the page has gone
		select {
		case asked <- true:
		default:
		}
		<-r.Context().Done()
	}))
	return asked
}

// leave are the ways in which a leader goes away.
var leave = map[string]func(*testing.T, *browsertest.Server, *browsertest.Page){
	"closed": func(_ *testing.T, _ *browsertest.Server, p *browsertest.Page) { p.Close() },
	"killed": func(_ *testing.T, _ *browsertest.Server, p *browsertest.Page) { p.Crash() },
	"frozen": func(t *testing.T, _ *browsertest.Server, p *browsertest.Page) { p.Freeze(t) },
	"left":   func(t *testing.T, s *browsertest.Server, p *browsertest.Page) { p.Load(t, s.URL+"?left") },
}

// TestTakeOver lets the leader go while another tab's sync waits for the server: the sync ends well on the next leader.
func TestTakeOver(t *testing.T) {
	t.Parallel()
	for name, gone := range leave {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := ownServer(t)
			browser := browsertest.Start(t)
			first, second := browser.Open(t, server.URL), browser.Open(t, server.URL)
			login(t, first)
			first.Run(t, nil, `await ferry.upload()`)
			second.Run(t, nil, `await open()`)
			addTag(t, second, "kept")
			asked := neverAnswer(server, "/sync/meta")
			second.Run(t, nil, `window.syncing = ferry.sync(); window.reading = ferry.query("SELECT tag FROM tags")`)
			<-asked
			server.Intercept(nil)
			gone(t, server, first)
			var got []any
			second.Run(t, &got, `
				const { required, sent } = await window.syncing;
				return [required, sent.tags, (await window.reading).length, ferry.status.activity, ferry.status.pending]`)
			if got[0] != "none" || got[1] != 1.0 || got[2] != 1.0 || got[3] != "idle" || got[4] != 0.0 {
				t.Errorf("required, sent tags, rows, activity, pending: %v", got)
			}
			if name == "frozen" {
				first.Thaw(t)
				wantTags(t, first, 1)
			}
		})
	}
}

// TestCancelledBeforeTakeOver cancels a call after its leader has gone, while another tab is about to lead: it is not done, as nobody wants it any more.
func TestCancelledBeforeTakeOver(t *testing.T) {
	t.Parallel()
	server := ownServer(t)
	browser := browsertest.Start(t)
	first, second, third := browser.Open(t, server.URL), browser.Open(t, server.URL), browser.Open(t, server.URL)
	login(t, first)
	first.Run(t, nil, `await ferry.upload()`)
	third.Run(t, nil, `
		const code = "import '" + location.href + "dist/worker.js'; const { getDirectory } = StorageManager.prototype;" +
			"StorageManager.prototype.getDirectory = async function () { await fetch('" + location.href + "sync/opening'); return getDirectory.call(this); };";
		await open({ assets: { worker: script(code) } })`) // the next to lead
	second.Run(t, nil, `await open()`)
	asked := neverAnswer(server, "/sync/download")
	second.Run(t, nil, `
		window.end = new AbortController();
		window.fetching = ferry.download({ signal: end.signal }).then(() => "done", (e) => e.kind)`)
	<-asked
	opening, release := make(chan bool, 1), make(chan bool)
	var downloads atomic.Int32
	server.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
		switch r.URL.Path {
		case "/sync/download":
			downloads.Add(1)
		case "/sync/opening":
			select {
			case opening <- true:
			default:
			}
			<-release
		}
		return false
	})
	first.Crash()
	<-opening
	var kind string
	if second.Run(t, &kind, `end.abort(); return window.fetching`); kind != "cancelled" {
		t.Errorf("the call: %s", kind)
	}
	close(release)
	second.Run(t, nil, `await ferry.query("SELECT 1"); await ferry.sync()`)
	if n := downloads.Load(); n != 0 {
		t.Errorf("%d downloads by the next leader", n)
	}
}

// TestFrozenAlone freezes the only tab in the middle of a sync; it ends after the thaw.
func TestFrozenAlone(t *testing.T) {
	t.Parallel()
	server := ownServer(t)
	page := browsertest.Start(t).Open(t, server.URL)
	login(t, page)
	page.Run(t, nil, `await ferry.upload()`)
	addTag(t, page, "kept")
	asked := neverAnswer(server, "/sync/meta")
	page.Run(t, nil, `window.syncing = ferry.sync()`)
	<-asked
	server.Intercept(nil)
	page.Freeze(t)
	page.Thaw(t)
	var sent int
	if page.Run(t, &sent, `return (await window.syncing).sent.tags`); sent != 1 {
		t.Errorf("sent %d tags", sent)
	}
}

// TestTakeOverFails has a tab take over that cannot open the profile, as its version has another core than the server has by now: it keeps nothing of
// what it has opened, and other tabs can.
func TestTakeOverFails(t *testing.T) {
	t.Parallel()
	server := browsertest.NewServer(t, "")
	browser := browsertest.Start(t)
	leader, old := browser.Open(t, server.URL), browser.Open(t, server.URL)
	leader.Run(t, nil, `await open()`)
	old.Run(t, nil, `
		// It exports a memory, _initialize and cf_abi, which returns 99.
		const hex = "0061736d01000000" + "01080260000060" + "00017f" + "0303020001" + "0503010001" +
			"072103066d656d6f727902000b5f696e697469616c697a6500000663665f6162690001" + "0a0a0202000b050041e3000b";
		const core = await WebAssembly.compile(Uint8Array.from(hex.match(/../g), (x) => parseInt(x, 16)));
		await open({ assets: { core } })`)
	leader.Run(t, nil, `await ferry.close()`)
	for range 2 {
		wantKind(t, old.Try(t, nil, `await ferry.query("SELECT 1")`), fault.Internal)
	}
	leader.Run(t, nil, `await open()`)
	wantTags(t, old, 0)
}

// TestFiveAtOnce opens the profile in five tabs at the same time, and closes them one after the other.
func TestFiveAtOnce(t *testing.T) {
	t.Parallel()
	server := browsertest.NewServer(t, "")
	browser := browsertest.Start(t)
	pages := make([]*browsertest.Page, 5)
	for i := range pages {
		pages[i] = browser.Open(t, server.URL)
	}
	for _, page := range pages {
		page.Run(t, nil, `window.opening = open()`)
	}
	for i, page := range pages {
		page.Run(t, nil, `await window.opening`)
		addTag(t, page, string(rune('a'+i)))
	}
	for i, page := range pages {
		wantTags(t, page, len(pages))
		if i < len(pages)-1 {
			page.Close()
		}
	}
}

// TestRefreshStorm reloads a page 20 times as soon as it has begun to open the profile, beside a tab that stays.
func TestRefreshStorm(t *testing.T) {
	t.Parallel()
	for name, beside := range map[string]bool{"alone": false, "beside another tab": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := browsertest.NewServer(t, "")
			browser := browsertest.Start(t)
			page := browser.Open(t, server.URL)
			page.Run(t, nil, `await open()`)
			addTag(t, page, "kept")
			var other *browsertest.Page
			if beside {
				other = browser.Open(t, server.URL)
				other.Run(t, nil, `await open()`)
			}
			for range 20 {
				page.Run(t, nil, `window.opening = open()`)
				page.Load(t, server.URL)
			}
			page.Run(t, nil, `await open()`)
			wantTags(t, page, 1)
			if beside {
				wantTags(t, other, 1)
			}
		})
	}
}

// TestBackForward leaves a page and comes back to it, which the browser may have kept as it was.
func TestBackForward(t *testing.T) {
	t.Parallel()
	server := browsertest.NewServer(t, "")
	browser := browsertest.Start(t)
	page := browser.Open(t, server.URL)
	page.Run(t, nil, `await open(); addEventListener("pageshow", (e) => { window.restored = e.persisted })`)
	addTag(t, page, "kept")
	page.Load(t, server.URL+"?second")
	page.Run(t, nil, `await open()`)
	wantTags(t, page, 1)
	page.Back(t)
	var restored bool
	page.Run(t, &restored, `return window.restored === true`)
	t.Logf("kept by the browser: %v", restored)
	if !restored {
		page.Run(t, nil, `await open()`)
	}
	wantTags(t, page, 1)
}

// TestEditsOnce kills one leader after the other while a tab edits through them: every edit is done, and none twice.
func TestEditsOnce(t *testing.T) {
	t.Parallel()
	server := browsertest.NewServer(t, "")
	browser := browsertest.Start(t)
	first, second, third := browser.Open(t, server.URL), browser.Open(t, server.URL), browser.Open(t, server.URL)
	for _, page := range []*browsertest.Page{first, second, third} {
		page.Run(t, nil, `await open()`) // each waits for the lock behind those before it
	}
	third.Run(t, nil, `
		const [{ id }] = await ferry.query("SELECT id FROM notetypes WHERE name = 'Basic'");
		window.made = [];
		window.editing = (async () => {
			for (let i = 0; i < 90; i += 3) {
				const add = (n) => ferry.edit([{ op: "addNote", notetypeId: id, deckId: 1, fields: ["note " + n, ""], tags: [] }]);
				const reports = await Promise.all([add(i), add(i + 1), add(i + 2)]);
				window.made.push(...reports.map((r) => r.results[0].noteId));
			}
		})();`)
	for i, page := range []*browsertest.Page{first, second} {
		third.Run(t, nil, until+`await until(() => window.made.length > args[0])`, 20*(i+1))
		page.Crash()
	}
	var got struct {
		Made, Distinct, Notes, Cards, Texts int
		Sound                               string
	}
	third.Run(t, &got, `
		await window.editing;
		const [n] = await ferry.query("SELECT count(*) AS notes, count(DISTINCT flds) AS texts FROM notes");
		const [{ cards }] = await ferry.query("SELECT count(*) AS cards FROM cards");
		const [{ integrity_check: sound }] = await ferry.query("PRAGMA integrity_check");
		return { made: window.made.length, distinct: new Set(window.made).size, cards, sound, ...n }`)
	if got.Made != 90 || got.Distinct != 90 || got.Notes != 90 || got.Texts != 90 || got.Cards != 90 || got.Sound != "ok" {
		t.Errorf("90 edits: %+v", got)
	}
}

// TestBusy lets something keep what a profile needs: the files, as a tab does that has lost its lock and still has them, or
// the lock, as one that is frozen without notice.
func TestBusy(t *testing.T) {
	t.Parallel()
	for name, hold := range map[string]string{
		"files": `
			const code = "onmessage = " + (async () => {
				let dir = await navigator.storage.getDirectory();
				for (const name of ["cardferry", "default", "database", ".opaque"]) dir = await dir.getDirectoryHandle(name);
				for await (const file of dir.values()) self.held = [...(self.held ?? []), await file.createSyncAccessHandle()];
				postMessage("held");
			});
			window.holder = new Worker(script(code));
			await new Promise((ok, fail) => { holder.onmessage = ok; holder.onerror = (e) => fail(new Error(e.message)); holder.postMessage(0); });
			window.letGo = () => holder.terminate();`,
		"lock": `await new Promise((ok) => navigator.locks.request("cardferry:default", () => { ok(); return new Promise((go) => { window.letGo = go; }); }));`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := browsertest.NewServer(t, "")
			browser := browsertest.Start(t)
			holder, first, second := browser.Open(t, server.URL), browser.Open(t, server.URL), browser.Open(t, server.URL)
			holder.Run(t, nil, `await open(); await ferry.close()`)
			holder.Run(t, nil, hold)
			first.Run(t, nil, `window.opening = open().catch((e) => e.kind + (e.hint && " with a hint"))`)
			second.Run(t, nil, `window.opening = open().catch((e) => e.kind + (e.hint && " with a hint"))`)
			for _, page := range []*browsertest.Page{first, second} {
				var kind string
				if page.Run(t, &kind, `return window.opening`); kind != "busy with a hint" {
					t.Errorf("open: %q", kind)
				}
			}
			holder.Run(t, nil, `window.letGo()`)
			first.Run(t, nil, `await open()`)
			second.Run(t, nil, `await open(); await ferry.query("SELECT 1")`)
		})
	}
}

// TestLostAnswer kills a leader that has done an edit and whose answer was lost: the next leader does not do it again.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	server := browsertest.NewServer(t, "")
	browser := browsertest.Start(t)
	first, second := browser.Open(t, server.URL), browser.Open(t, server.URL)
	first.Run(t, nil, `
		const code = "import '" + location.href + "dist/worker.js'; const post = BroadcastChannel.prototype.postMessage;" +
			"BroadcastChannel.prototype.postMessage = function (m) { if (!m.result?.results && !m.result?.undone) post.call(this, m); };";
		await open({ assets: { worker: script(code) } })`)
	second.Run(t, nil, until+`
		await open();
		const [{ id }] = await ferry.query("SELECT id FROM notetypes WHERE name = 'Basic'");
		const add = (text) => ferry.edit([{ op: "addNote", notetypeId: id, deckId: 1, fields: [text, ""], tags: [] }]);
		const notes = async () => (await ferry.query("SELECT count(*) AS n FROM notes"))[0].n;
		window.made = add("kept");
		await until(async () => await notes() === 1);
		window.both = add("taken back");
		await until(async () => await notes() === 2);
		window.undone = ferry.undo();
		await until(async () => await notes() === 1);`)
	first.Crash()
	var got []any
	second.Run(t, &got, `
		const [{ results: [{ noteId }] }, { results: [second] }, { undone }] = await Promise.all([made, both, window.undone]);
		return [undone, await ferry.query("SELECT id, flds FROM notes").then((rows) => rows.map((r) => r.flds + (r.id === noteId))), second.noteId > 0]`)
	if texts, ok := got[1].([]any); got[0] != "addNote" || !ok || len(texts) != 1 || texts[0] != "kept\x1ftrue" || got[2] != true {
		t.Errorf("undone, notes, answer: %q", got)
	}
}

// TestImportOnce kills a leader that has imported a package and is still busy with what follows, while another tab has edited the new
// collection already: the next leader does not import it again, in the place of the edit.
func TestImportOnce(t *testing.T) {
	t.Parallel()
	server := browsertest.NewServer(t, "")
	browser := browsertest.Start(t)
	first, second := browser.Open(t, server.URL), browser.Open(t, server.URL)
	// The service worker's copy of the directory of files, which has to forget one that is replaced before its end is told, cannot be opened.
	first.Run(t, nil, `
		const code = "import '" + location.href + "dist/worker.js'; const { open } = IDBFactory.prototype;" +
			"IDBFactory.prototype.open = function (name, version) { return name === 'cardferry-media' ? {} : open.call(this, name, version); };";
		await open({ assets: { worker: script(code) } })`)
	var got []any
	second.Run(t, &got, until+`
		const other = await bridge.Cardferry.open({ profile: "other" });
		await other.edit([{ op: "addDeck", name: "packed" }]);
		await other.media.add("packed.txt", new Blob(["packed"]));
		const packed = await other.exportFile();
		await open();
		await ferry.media.add("packed.txt", new Blob(["replaced"]));
		window.importing = ferry.importFile(packed);
		await until(async () => (await ferry.query("SELECT 1 FROM decks WHERE name = 'packed'")).length > 0);
		await ferry.edit([{ op: "addDeck", name: "mine" }]);
		return Promise.race([importing, new Promise((go) => setTimeout(() => go([]), 500))])`)
	if len(got) > 0 {
		t.Fatalf("the import has ended: %v", got)
	}
	first.Crash()
	second.Run(t, &got, `
		const { media } = await importing;
		const names = (await ferry.query("SELECT name FROM decks")).map(({ name }) => name);
		return [media, ferry.status.media.done, (await ferry.backups.list()).length, ...names.sort()]`)
	if want := "[1 1 1 Default mine packed]"; fmt.Sprint(got) != want {
		t.Errorf("files stored and there, backups, decks: %v, want %s", got, want)
	}
}

// TestCallsBesideClose: a tab that makes calls while the leader closes has them answered by the next one, never by the one that is leaving.
func TestCallsBesideClose(t *testing.T) {
	t.Parallel()
	page := browsertest.Start(t).Open(t, browsertest.NewServer(t, "").URL)
	page.Run(t, nil, `
		for (let i = 0; i < 12; i++) {
			const opening = [1, 2].map(() => bridge.Cardferry.open({ profile: "p" + i }));
			const [first, second] = await Promise.all(opening);
			const closed = first.close();
			for (let n = 0; n < 4; n++) {
				await Promise.all([second.media.state("x.png"), second.query("SELECT 1")]);
				await new Promise((go) => setTimeout(go, n));
			}
			await closed;
			await second.close();
		}`)
}

// TestClockSetForward: while a tab waits for what the leader does, the clock is set forward, or the device sleeps: the leader is still there.
func TestClockSetForward(t *testing.T) {
	t.Parallel()
	server := ownServer(t)
	browser := browsertest.Start(t)
	first, second := browser.Open(t, server.URL), browser.Open(t, server.URL)
	login(t, first)
	first.Run(t, nil, `await ferry.upload()`)
	second.Run(t, nil, `
		const code = "const now = Date.now; new BroadcastChannel('clock').onmessage = ({ data }) => { Date.now = () => now() + data; };" +
			"import('" + location.origin + "/dist/worker.js').then(() => early.forEach((e) => onmessage(e))); const early = []; onmessage = (e) => early.push(e);";
		await open({ assets: { worker: script(code) } })`)
	asked, answer := make(chan bool, 1), make(chan bool)
	server.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/sync/meta" {
			asked <- true
			<-answer
		}
		return false
	})
	second.Run(t, nil, `window.syncing = ferry.sync().then((r) => r.required, (e) => e.kind + ": " + e.message)`)
	<-asked
	second.Run(t, nil, `new BroadcastChannel("clock").postMessage(600_000); await new Promise((go) => setTimeout(go, 1500))`)
	close(answer)
	var got string
	if second.Run(t, &got, `return window.syncing`); got != "none" {
		t.Errorf("the sync ends with %q", got)
	}
}
