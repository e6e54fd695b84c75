package browsertest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
	"github.com/cardferry/cardferry/hostrunner/syncserver"
)

// keyOf is an interceptor that tells the account's key, which requests for meta have in their header.
func keyOf(keys chan<- string) func(http.ResponseWriter, *http.Request) bool {
	return func(_ http.ResponseWriter, r *http.Request) bool {
		var header struct {
			Key string `json:"k"`
		}
		if json.Unmarshal([]byte(r.Header.Get("anki-sync")), &header) == nil && header.Key != "" {
			select {
			case keys <- header.Key:
			default:
			}
		}
		return false
	}
}

// addNote writes a note without cards.
func addNote(t testing.TB, page *browsertest.Page, fields string) {
	t.Helper()
	page.Run(t, nil, `await exec("INSERT INTO notes SELECT " + Date.now() + ", 'guid" + Math.random() + "', id, 1, -1, '', '" + args[0] + "', 'x', 0, 0, '' FROM notetypes LIMIT 1; UPDATE col SET mod = mod + 1000")`, fields)
}

func TestStorageReport(t *testing.T) {
	t.Parallel()
	page := browsertest.Start(t).Open(t, browsertest.NewServer(t, "").URL)
	var report struct {
		Usage, Quota float64
		Persisted    bool
		Granted      bool
		After        bool
	}
	page.Run(t, &report, `
		await open();
		const r = await ferry.storage();
		return { ...r, granted: await ferry.storage.request(), after: (await ferry.storage()).persisted }`)
	if report.Usage <= 0 || report.Quota <= report.Usage || report.Granted != report.After {
		t.Errorf("%+v", report)
	}

	// Safari 16.4 has all that the bridge needs, and does not say how much is stored.
	var text string
	page.Run(t, &text, `
		await ferry.close();
		delete StorageManager.prototype.estimate;
		const code = "import '" + location.origin + "/dist/worker.js'; delete StorageManager.prototype.estimate;";
		await open({ assets: { worker: script(code) } });
		const { usage, quota } = await ferry.storage();
		return usage + " of " + quota + "\n" + (await ferry.diagnostics())`)
	if !strings.HasPrefix(text, "0 of 0\n") || !strings.Contains(text, "storage: ? of ? bytes") {
		t.Error(text)
	}
}

// TestWithoutAny: AbortSignal.any is younger than all else that the bridge needs, as in Safari 17.3 and Firefox 115.
func TestWithoutAny(t *testing.T) {
	t.Parallel()
	server := ownServer(t)
	page := browsertest.Start(t).Open(t, server.URL)
	var got []any
	page.Run(t, &got, `
		await open({ assets: { worker: script("import '" + location.origin + "/dist/worker.js'; delete AbortSignal.any;") } });
		await ferry.login({ user: args[0], password: args[1] });
		const kind = await ferry.media.get("none.txt").catch((e) => e.kind);
		return [kind, (await ferry.devices.list()).length, await ferry.signUp({ user: "new", password: "long password" }).then((a) => a.user)]`, ownUser, ownPassword)
	if s := fmt.Sprint(got); s != "[not_found 1 new]" {
		t.Error(s)
	}
	// A logout still ends a login.
	server.Intercept(only("/sync/hostKey", func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	wantKind(t, page.Try(t, nil, `
		const entering = ferry.login({ user: args[0], password: args[1] });
		entering.catch(() => {});
		await ferry.query("SELECT 1");
		await ferry.logout();
		await entering`, ownUser, ownPassword), fault.Cancelled)
}

// TestEvicted removes the files of a profile as a browser that needs space does: the collection comes back from the server, and
// the empty one never gets there.
func TestEvicted(t *testing.T) {
	t.Parallel()
	server := ownServer(t)
	page := browsertest.Start(t).Open(t, server.URL)
	login(t, page)
	addNote(t, page, "precious")
	page.Run(t, nil, `await ferry.upload()`)
	const evict = `
		await ferry.close();
		await (await navigator.storage.getDirectory()).removeEntry("cardferry", { recursive: true });`
	const notes = `(await ferry.query("SELECT count(*) AS n FROM notes"))[0].n`

	// With a network, without being asked.
	var got []any
	page.Run(t, &got, evict+until+`
		await open();
		await until(async () => `+notes+` === 1 && ferry.status.activity === "idle");
		return [ferry.status.required, ferry.status.error ?? null]`)
	if got[0] != "none" || got[1] != nil {
		t.Errorf("required and error after the collection was fetched again: %v", got)
	}

	// Without one: the status says so, and neither sync nor upload sends the empty collection.
	var uploads int
	server.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/upload") {
			uploads++
		}
		panic(http.ErrAbortHandler)
	})
	page.Run(t, &got, evict+until+`
		await open();
		await until(() => ferry.status.activity === "offline" && ferry.status.error?.details.evicted);
		return [ferry.status.required, ferry.status.error.kind, ferry.status.error.message, ferry.status.error.hint]`)
	if got[0] != "full" || got[1] != "network" || !strings.Contains(got[2].(string), "gone") || got[3] == "" {
		t.Errorf("status without a network: %v", got)
	}
	wantKind(t, page.Try(t, nil, `await ferry.sync({ onConflict: "upload" })`), fault.Network)
	// The mark outlives the page.
	page.Load(t, server.URL)
	page.Run(t, nil, `await open()`)
	server.Intercept(nil)
	e := wantKind(t, page.Try(t, nil, `await ferry.upload()`), fault.OneWayNeeded)
	if e.Hint == "" || e.Details["download_ok"] != true || e.Details["upload_ok"] != false {
		t.Errorf("upload of an empty collection: %+v", e)
	}
	var n int
	page.Run(t, &n, `await ferry.sync({ onConflict: "upload" }); return `+notes)
	if n != 1 || uploads != 0 {
		t.Errorf("after a sync: %d notes, %d uploads", n, uploads)
	}
	// From now on everything is as usual.
	addNote(t, page, "another")
	page.Run(t, &n, `await ferry.upload(); return ferry.status.pending`)
	if n != 0 {
		t.Errorf("%d rows wait", n)
	}
}

// TestEvictedAndClosed closes the profile while its lost collection is being fetched, of which the server sends nothing: nobody waits for that.
func TestEvictedAndClosed(t *testing.T) {
	t.Parallel()
	server := ownServer(t)
	page := browsertest.Start(t).Open(t, server.URL)
	login(t, page)
	addNote(t, page, "precious")
	page.Run(t, nil, `
		await ferry.upload();
		await ferry.close();
		await (await navigator.storage.getDirectory()).removeEntry("cardferry", { recursive: true })`)
	for _, path := range []string{"/sync/meta", "/sync/download"} {
		asked := neverAnswer(server, path)
		page.Run(t, nil, `await open()`)
		<-asked
		var took float64
		page.Run(t, &took, `
			const begun = performance.now();
			await ferry.close();
			return performance.now() - begun`)
		if took > 10_000 {
			t.Errorf("while %s had no answer, closing took %v ms", path, took)
		}
	}
	server.Intercept(nil)
	page.Run(t, nil, until+`
		await open();
		await until(async () => (await ferry.query("SELECT count(*) AS n FROM notes"))[0].n === 1);
		await ferry.close()`)
}

// TestEvictedWithoutAccount says what has happened, and lets a user begin anew.
func TestEvictedWithoutAccount(t *testing.T) {
	t.Parallel()
	server := ownServer(t)
	page := browsertest.Start(t).Open(t, server.URL)
	var kind string
	page.Run(t, &kind, `
		await open();
		await ferry.close();
		await (await navigator.storage.getDirectory()).removeEntry("cardferry", { recursive: true });
		await open();
		return ferry.status.activity + " " + ferry.status.error?.kind`)
	if kind != "attention not_found" {
		t.Errorf("status %q", kind)
	}
	addNote(t, page, "begun anew")
	login(t, page)
	var n int
	page.Run(t, &n, `await ferry.upload(); return (await ferry.query("SELECT count(*) AS n FROM notes"))[0].n`)
	if n != 1 {
		t.Errorf("%d notes", n)
	}
}

// TestBackups restores what a download has replaced.
func TestBackups(t *testing.T) {
	t.Parallel()
	server := ownServer(t)
	page := browsertest.Start(t).Open(t, server.URL)
	login(t, page)
	page.Run(t, nil, `await ferry.upload()`)
	addNote(t, page, "lost by the download")
	var got struct {
		Backup string
		List   []struct {
			ID, Reason     string
			Created, Bytes float64
		}
		Kept     string
		After    int
		Restored int
		Required string
		NotFound string
	}
	page.Run(t, &got, `
		const notes = async () => (await ferry.query("SELECT count(*) AS n FROM notes"))[0].n;
		const { backup } = await ferry.download();
		const after = await notes();
		const list = await ferry.backups.list();
		const { backup: kept } = await ferry.backups.restore(backup);
		const notFound = await ferry.backups.restore("none").catch((e) => e.kind);
		return { backup, list, kept, after, restored: await notes(), required: ferry.status.required, notFound }`)
	if len(got.List) == 0 || got.List[0].ID != got.Backup || got.List[0].Reason != "download" || got.List[0].Created == 0 || got.List[0].Bytes == 0 {
		t.Errorf("backups: %+v", got)
	}
	if got.After != 0 || got.Restored != 1 || got.Kept == "" || got.NotFound != "not_found" {
		t.Errorf("restoring: %+v", got)
	}
}

// TestSignUp makes an account, and maps each refusal.
func TestSignUp(t *testing.T) {
	t.Parallel()
	server := serverWith(t, &syncserver.Server{})
	page := browsertest.Start(t).Open(t, server.URL)
	page.Run(t, nil, `await open()`)
	for i, c := range []struct {
		user, password string
		kind           fault.Kind
		reason         string
	}{
		{ownUser, "some long password", fault.InvalidInput, "taken"},
		{"", "some long password", fault.InvalidInput, "invalid"},
	} {
		e := wantKind(t, page.Try(t, nil, `await ferry.signUp({ user: args[0], password: args[1] })`, c.user, c.password), c.kind)
		if e.Hint == "" || e.Details["reason"] != c.reason {
			t.Errorf("%d: hint %q, details %v", i, e.Hint, e.Details)
		}
	}
	for status, want := range map[int]struct {
		kind   fault.Kind
		reason string
	}{
		403: {fault.ServerMessage, "closed"},
		404: {fault.ServerMessage, "unsupported"},
		422: {fault.InvalidInput, "invalid"},
		429: {fault.Network, "rate_limited"},
	} {
		server.Intercept(only("/api/signup", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(status)
			fmt.Fprint(w, `{"error":"because"}`)
		}))
		e := wantKind(t, page.Try(t, nil, `await ferry.signUp({ user: "new", password: "long password" })`), want.kind)
		if e.Hint == "" || e.Details["reason"] != want.reason || status == 429 && e.Details["retry_after"] != 7.0 {
			t.Errorf("%d: hint %q, details %v", status, e.Hint, e.Details)
		}
	}
	wantKind(t, page.Try(t, nil, `
		const other = await bridge.Cardferry.open({ profile: "other", endpoint: "data:text/plain,x" });
		await other.signUp({ user: "new", password: "long password" }).finally(() => other.close())`), fault.InvalidInput)
	server.Intercept(only("/api/signup", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	wantKind(t, page.Try(t, nil, `await ferry.signUp({ user: "new", password: "long password" })`), fault.Network)
	// An account whose maker has not heard of it is theirs.
	server.Intercept(only("/api/signup", func(_ http.ResponseWriter, r *http.Request) {
		server.PassOn(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	}))
	wantKind(t, page.Try(t, nil, `await ferry.signUp({ user: "new", password: "long password" })`), fault.Network)
	server.Intercept(nil)
	wantKind(t, page.Try(t, nil, `await ferry.signUp({ user: "new", password: "another password" })`), fault.InvalidInput)
	var user string
	page.Run(t, &user, `await ferry.signUp({ user: "new", password: "long password" }); await ferry.upload(); return ferry.account.user`)
	if user != "new" {
		t.Errorf("signed up as %q", user)
	}
	// Of a server in a folder, whose address may lack the slash at its end.
	server.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
		r.URL.Path = strings.Replace(r.URL.Path, "/sync/cards/", "/", 1)
		return false
	})
	page.Run(t, &user, `
		const below = await bridge.Cardferry.open({ profile: "below", endpoint: "/sync/cards" });
		await below.signUp({ user: "second", password: "long password" }).finally(() => below.close());
		return below.account.user`)
	if user != "second" {
		t.Errorf("signed up as %q", user)
	}
}

// TestDiagnostics reads the text of a profile with cards, an account and errors.
func TestDiagnostics(t *testing.T) {
	t.Parallel()
	server := ownServer(t)
	page := browsertest.Start(t).Open(t, server.URL)
	login(t, page)
	addNote(t, page, "card content")
	server.Intercept(only("/sync/meta", status(500)))
	keys := make(chan string, 1)
	var text string
	page.Run(t, &text, `
		await ferry.sync().catch(() => {});
		await ferry.query("SELECT 'card content' FROM nowhere").catch(() => {});
		return ferry.diagnostics()`)
	server.Intercept(keyOf(keys))
	page.Run(t, nil, `await ferry.refresh().catch(() => {})`)
	for _, want := range []string{"cardferry: 0.", "guest: 0.", "sqlite: 3.", "notes 1", "sync: server_error, ", "query: invalid_input\n", "Chrome", "tabs: 1", server.URL} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing", want)
		}
	}
	for _, secret := range []string{"card content", ownUser, ownPassword, <-keys} {
		if strings.Contains(text, secret) {
			t.Errorf("%q is in the text", secret)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

// TestTransport lets the page make the requests, which must not use fetch in the worker.
func TestTransport(t *testing.T) {
	t.Parallel()
	server := ownServer(t)
	page := browsertest.Start(t).Open(t, server.URL)
	var urls []string
	page.Run(t, nil, `
		window.urls = [];
		await open({ endpoint: "https://elsewhere.invalid/", transport: (url, init) => {
			window.urls.push(new URL(url).pathname);
			return fetch(url.replace("https://elsewhere.invalid/", location.href), init);
		} });
		await ferry.login({ user: args[0], password: args[1] });`, ownUser, ownPassword)
	addNote(t, page, "sent by the app")
	var n int
	page.Run(t, &n, `
		await ferry.upload();
		await ferry.download();
		return (await ferry.query("SELECT count(*) AS n FROM notes"))[0].n`)
	page.Run(t, &urls, `return window.urls`)
	if n != 1 || !strings.Contains(strings.Join(urls, " "), "/sync/upload") {
		t.Errorf("%d notes, requests %v", n, urls)
	}
	asked := neverAnswer(server, "/sync/meta")
	page.Run(t, nil, `window.end = new AbortController(); window.syncing = ferry.sync({ signal: window.end.signal }).catch((e) => e.kind)`)
	<-asked
	var kind string
	if page.Run(t, &kind, `window.end.abort(); return window.syncing`); kind != "cancelled" {
		t.Errorf("cancelled: %q", kind)
	}
	page.Run(t, &kind, `
		await ferry.close();
		await open({ transport: () => Promise.reject(new bridge.SyncError("proxy_auth", "the proxy wants a password")) });
		return ferry.refresh().catch((e) => e.kind)`)
	if kind != "proxy_auth" {
		t.Errorf("an error of the app: %q", kind)
	}
}

// TestTransportOfTabs: the requests of a call from another tab are made by the leader's app, and by the tab's own once that leads.
func TestTransportOfTabs(t *testing.T) {
	t.Parallel()
	server := ownServer(t)
	browser := browsertest.Start(t)
	first, second := browser.Open(t, server.URL), browser.Open(t, server.URL)
	const openLent = `
		window.asked = 0;
		await open({ endpoint: "https://elsewhere.invalid/", transport: (url, init) => {
			window.asked++;
			return fetch(url.replace("https://elsewhere.invalid/", location.href), init);
		} });`
	first.Run(t, nil, openLent)
	second.Run(t, nil, openLent+`await ferry.login({ user: args[0], password: args[1] });`, ownUser, ownPassword)
	addTag(t, second, "sent by the app")
	second.Run(t, nil, `await ferry.upload()`)
	var asked int
	if first.Run(t, &asked, `return window.asked`); asked < 2 {
		t.Errorf("the leader's app has made %d requests", asked)
	}
	if second.Run(t, &asked, `return window.asked`); asked != 0 {
		t.Errorf("the app of the other tab has made %d requests", asked)
	}
	waiting := neverAnswer(server, "/sync/meta")
	second.Run(t, nil, `window.end = new AbortController(); window.syncing = ferry.sync({ signal: window.end.signal }).catch((e) => e.kind)`)
	<-waiting
	var kind string
	if second.Run(t, &kind, `window.end.abort(); return window.syncing`); kind != "cancelled" {
		t.Errorf("cancelled from the other tab: %q", kind)
	}
	waiting = neverAnswer(server, "/sync/meta")
	second.Run(t, nil, `window.syncing = ferry.sync()`)
	<-waiting
	server.Intercept(nil)
	first.Crash()
	if second.Run(t, &kind, `return (await window.syncing).required`); kind != "none" {
		t.Errorf("required: %q", kind)
	}
	if second.Run(t, &asked, `return window.asked`); asked == 0 {
		t.Error("the new leader's app has made no request")
	}
}

// TestBlockedStorage opens a profile where the browser gives no storage: in a frame without an origin, and where its files, or its
// database, are refused.
func TestBlockedStorage(t *testing.T) {
	t.Parallel()
	server := browsertest.NewServer(t, "")
	browser := browsertest.Start(t)
	refuse := func(what string) string {
		return `const code = "` + what + `; import('" + location.origin + "/dist/worker.js').then(() => early.forEach((e) => onmessage(e)));" +
			"const early = []; onmessage = (e) => early.push(e);";
		await bridge.Cardferry.open({ assets: { worker: script(code) } });`
	}
	for name, open := range map[string]string{
		"no origin": `
			const frame = document.createElement("iframe");
			frame.sandbox = "allow-scripts";
			frame.srcdoc = "<script>onmessage = async ({ data }) => (await import(data)).Cardferry.open()" +
				".catch(({ kind, message, hint }) => parent.postMessage({ kind, message, hint }, '*'))</" + "script>";
			// As such a frame may not load the module from here.
			const module = "data:text/javascript," + encodeURIComponent(await (await fetch("/dist/index.js")).text());
			frame.onload = () => frame.contentWindow.postMessage(module, "*");
			const heard = new Promise((ok) => addEventListener("message", ({ data }) => ok(data), { once: true }));
			document.body.append(frame);
			const { kind, message, hint } = await heard;
			throw new bridge.SyncError(kind, message, { hint });`,
		"files refused":      refuse(`StorageManager.prototype.getDirectory = () => Promise.reject(new DOMException('blocked', 'SecurityError'))`),
		"database refused":   refuse(`IDBFactory.prototype.open = () => { throw new DOMException('blocked', 'SecurityError') }`),
		"no access to files": refuse(`delete FileSystemFileHandle.prototype.createSyncAccessHandle`),
		// As WebKit says it in private windows, and WebKitGTK, which has files without handles, in all.
		"a private window": refuse(`StorageManager.prototype.getDirectory = () => Promise.reject(new DOMException('transient', 'UnknownError'))`),
		"no handles":       refuse(`FileSystemFileHandle.prototype.createSyncAccessHandle = () => Promise.reject(new DOMException('no', 'NotSupportedError'))`),
	} {
		page := browser.Open(t, server.URL)
		e := wantKind(t, page.Try(t, nil, open), fault.UnsupportedBrowser)
		if e.Hint == "" || e.Message == "" {
			t.Errorf("%s: %q, hint %q", name, e.Message, e.Hint)
		}
	}
}

// TestTwoProfiles has two profiles open in one page and in another, each with its own collection, account, files and status.
func TestTwoProfiles(t *testing.T) {
	t.Parallel()
	server := ownServer(t)
	browser := browsertest.Start(t)
	page, other := browser.Open(t, server.URL), browser.Open(t, server.URL)
	const both = `
		const names = ["one", "one/two ü"];
		window.both = await Promise.all(names.map((profile) => bridge.Cardferry.open({ profile })));
		await Promise.all(window.both.map((f) => f.settings.set({ autoSync: false })));`
	page.Run(t, nil, both+`
		await Promise.all(window.both.map(async (f, i) => {
			await f.edit([{ op: "addDeck", name: "deck " + i }, ...(i ? [{ op: "addDeck", name: "and another" }] : [])]);
			await f.media.add("same name.txt", new Blob(["of " + i]));
		}));
		await window.both[1].login({ user: args[0], password: args[1] });`, ownUser, ownPassword)
	for name, p := range map[string]*browsertest.Page{"the first page": page, "another page": other} {
		prepare := ""
		if p == other {
			prepare = both
		}
		var got []any
		p.Run(t, &got, prepare+until+`
			await until(() => window.both.every((f, i) => f.status.pending === i + 1 && f.status.media.done === 1));
			return Promise.all(window.both.map(async (f) => [
				f.account?.user ?? "nobody", await (await f.media.get("same name.txt")).text(), (await f.deckTree()).decks?.length ?? 0,
				(await f.query("SELECT count(*) AS n FROM decks"))[0].n]))`)
		if s := fmt.Sprint(got); !strings.HasPrefix(s, "[[nobody of 0 ") || !strings.Contains(s, "["+ownUser+" of 1 ") || !strings.HasSuffix(s, " 3]]") {
			t.Errorf("%s: %v", name, got)
		}
	}
	var n int
	page.Run(t, &n, `
		await window.both[0].close();
		await window.both[1].upload();
		return window.both[1].status.pending`)
	if n != 0 {
		t.Errorf("%d rows wait after one profile was closed and the other one uploaded", n)
	}
}

// TestFullStorage fills what the site may store: an edit says so and changes nothing, in every tab, and works again with more
// space.
func TestFullStorage(t *testing.T) {
	t.Parallel()
	server := browsertest.NewServer(t, "")
	browser := browsertest.Start(t)
	page, other := browser.Open(t, server.URL), browser.Open(t, server.URL)
	page.Run(t, nil, `await open()`)
	other.Run(t, nil, `await open()`)
	const add = `
		const [{ id }] = await ferry.query("SELECT id FROM notetypes WHERE name = 'Basic'");
		await ferry.edit([{ op: "addNote", notetypeId: id, deckId: 1, fields: ["x".repeat(args[0]), "large"], tags: [] }])`
	page.Run(t, nil, add, 10)
	var used float64
	page.Run(t, &used, `return (await ferry.storage()).usage`)
	page.Quota(t, used+1<<20)
	e := wantKind(t, other.Try(t, nil, add, 4<<20), fault.StorageFull)
	if e.Hint == "" || e.Changed {
		t.Errorf("hint %q, changed %v", e.Hint, e.Changed)
	}
	var got []any
	const look = `
		const [{ n }] = await ferry.query("SELECT count(*) AS n FROM notes");
		const [{ integrity_check }] = await ferry.query("PRAGMA integrity_check");
		return [n, integrity_check]`
	if page.Run(t, &got, look); got[0] != 1.0 || got[1] != "ok" {
		t.Errorf("with a full storage: %v", got)
	}
	page.Load(t, server.URL)
	other.Close()
	page.Quota(t, 0)
	if page.Run(t, &got, `await open();`+add+";"+look, 4<<20); got[0] != 2.0 || got[1] != "ok" {
		t.Errorf("with more space: %v", got)
	}
}

// TestSpaceGivenBack exports and replaces a collection again and again: what the files have taken meanwhile is given back, also while the profile
// stays open.
func TestSpaceGivenBack(t *testing.T) {
	t.Parallel()
	page := browsertest.Start(t).Open(t, browsertest.NewServer(t, "").URL)
	var before, after float64
	page.Run(t, &before, `
		await open();
		const [{ id }] = await ferry.query("SELECT id FROM notetypes WHERE name = 'Basic'");
		const random = Array.from({ length: 4 << 10 }, () => crypto.randomUUID()).join("");
		for (let i = 0; i < 30; i++) await ferry.edit([{ op: "addNote", notetypeId: id, deckId: 1, fields: [i + random, "large"], tags: [] }]);
		return (await ferry.storage()).usage`)
	page.Run(t, &after, `
		for (let i = 0; i < 6; i++) await ferry.exportFile();
		for (let i = 0; i < 100; i++) { // slots are replaced when the call has ended
			if ((await ferry.storage()).usage < args[0] * 1.5) break;
			await new Promise((resolve) => setTimeout(resolve, 100));
		}
		return (await ferry.storage()).usage`, before)
	if after > before*1.5 {
		t.Errorf("%.1f MB are used after six exports, %.1f before", after/1e6, before/1e6)
	}
}

// TestDamagedCollection opens a profile whose collection is damaged: it stays as it is until the user has it put aside. Then the server's copy
// comes, and the damaged file is among the backups.
func TestDamagedCollection(t *testing.T) {
	t.Parallel()
	page := browsertest.Start(t).Open(t, ownServer(t).URL)
	login(t, page)
	addNote(t, page, "precious")
	page.Run(t, nil, `
		await ferry.upload();
		await load(btoa("damaged ".repeat(5000))).catch(() => {}); // it does not open again
		await ferry.close().catch(() => {})`)
	for range 2 {
		if e := wantKind(t, page.Try(t, nil, `await open()`), fault.DamagedFile); !strings.Contains(e.Hint, "setAside") {
			t.Errorf("hint %q", e.Hint)
		}
	}
	var got []any
	page.Run(t, &got, until+`
		await open({ setAside: true });
		const notes = async () => (await ferry.query("SELECT count(*) AS n FROM notes"))[0].n;
		await until(async () => (await notes()) === 1 && ferry.status.activity === "idle");
		const { required, error } = ferry.status;
		const [{ reason, bytes }] = await ferry.backups.list();
		await ferry.close();
		await open();
		return [await notes(), required, error ?? "", reason, bytes, (await ferry.refresh()).required]`)
	if want := "[1 none  damaged 40000 none]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
}
