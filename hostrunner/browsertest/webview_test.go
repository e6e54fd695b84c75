package browsertest_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// webview is a page without requests, service workers and SharedWorker, in a simulated app; the server is only for the app.
func webview(t *testing.T, endpoint string) *browsertest.Page {
	t.Helper()
	return browsertest.Start(t).Open(t, browsertest.NewServer(t, endpoint).URL+"testdata/webview.html")
}

// TestWebview drives a profile from a simulated app, against the real server and beside the real client.
func TestWebview(t *testing.T) {
	t.Parallel()
	endpoint, acc := account(t)
	desktop := newDesktop(t, endpoint, acc)
	desktop.addNote(t, "a", "front", "back")
	desktop.full(t, true)
	page := webview(t, endpoint)
	var lacking []string
	page.Run(t, &lacking, `
		const gone = [typeof navigator.serviceWorker, typeof SharedWorker];
		gone.push(await fetch("/sync/meta").catch((e) => e.message));
		return gone;
	`)
	if fmt.Sprint(lacking) != "[undefined undefined fetch was taken away]" {
		t.Fatalf("the page has %q", lacking)
	}

	// A call that comes before the profile is open waits for it.
	page.Run(t, nil, `
		const early = app.call("settings.set", { autoSync: false });
		globalThis.ferry = await connectHost(port1, { assets });
		if ((await early).autoSync !== false) throw new Error("the early call");
		await until(() => app.last("status"));
	`)
	wantKind(t, page.Try(t, nil, `await app.call("login", { user: args[0], password: "wrong" })`, acc.User), fault.Auth)
	page.Run(t, nil, `
		const account = await app.call("login", { user: args[0], password: args[1] });
		if (account.user !== args[0] || account.endpoint !== "https://sync.invalid/") throw new Error(JSON.stringify(account));
		await app.call("download");
		await until(() => app.last("status").status.required === "none" && app.last("status").account.user === args[0]);
	`, acc.User, anki.Password)
	wantKind(t, page.Try(t, nil, `await app.call("sync", { onConflict: "nonsense" })`), fault.InvalidInput)

	var rows []map[string]any
	page.Run(t, &rows, `return await app.call("query", "SELECT count(*) AS n, x'00ff' AS bytes, 9007199254740993 AS wide, ? AS text FROM notes", ["ß"])`)
	if got, _ := json.Marshal(rows); string(got) != `[{"bytes":{"$bytes":"AP8="},"n":1,"text":"ß","wide":{"$int":"9007199254740993"}}]` {
		t.Errorf("rows: %s", got)
	}
	rows = nil
	page.Run(t, &rows, `return await app.call("query", "SELECT typeof(?) AS a, hex(?) AS b, ? + 0 AS c", [{ $int: "9007199254740993" }, { $bytes: "AP8=" }, { $int: "9007199254740993" }])`)
	if got, _ := json.Marshal(rows); string(got) != `[{"a":"integer","b":"00FF","c":{"$int":"9007199254740993"}}]` {
		t.Errorf("rows: %s", got)
	}
	wantKind(t, page.Try(t, nil, `await app.call("query", "DELETE FROM notes")`), fault.InvalidInput)

	// An edit of the app is pending, which an event says, and the next sync sends it.
	var report syncReport
	page.Run(t, &report, `
		const [{ id }] = await app.call("query", "SELECT id FROM notetypes WHERE name = 'Basic'");
		const { results } = await app.call("edit", [{ op: "addNote", notetypeId: id, deckId: 1, fields: ["App", "Seite"], tags: [] }]);
		if (results[0].cardIds.length !== 1) throw new Error(JSON.stringify(results));
		await until(() => app.last("status").status.required === "normal" && app.last("status").status.pending > 0);
		const seen = app.events.length;
		const report = await app.call("sync");
		if (!app.events.slice(seen).some(({ status }) => status?.activity === "syncing")) throw new Error("no event of the sync");
		return report;
	`)
	if report.Sent["notes"] != 1 {
		t.Errorf("%+v", report)
	}
	desktop.sync(t)
	if rows := desktop.SQL(t, "SELECT flds FROM notes WHERE flds LIKE 'App%'"); len(rows) != 1 {
		t.Errorf("on the desktop: %v", rows)
	}

	t.Run("errors", func(t *testing.T) {
		for _, kind := range []fault.Kind{fault.Offline, fault.Timeout} {
			err := page.Try(t, nil, `
				app.before = () => { throw Object.assign(new Error("no line"), { kind: args[0] }); };
				await app.call("sync");
			`, kind.String())
			wantKind(t, err, kind)
		}
		// What has no kind of ours is a broken connection.
		err := page.Try(t, nil, `app.before = () => { throw new Error("anything"); }; await app.call("sync")`)
		if kind := fault.KindOf(err); kind != fault.Offline && kind != fault.Network {
			t.Errorf("%v of kind %v", err, kind)
		}
	})
	t.Run("cancel", func(t *testing.T) {
		err := page.Try(t, nil, `
			let waits;
			const waiting = new Promise((go) => (waits = go));
			app.before = (_, signal) => (waits(), new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted")))));
			const sync = app.call("sync");
			sync.catch(() => {});
			await waiting;
			await app.call("cancel", sync.id);
			try {
				await sync;
			} finally {
				await until(() => app.cancelled.length > 0); // the request was ended in the app, too
				app.before = () => {};
			}
		`)
		wantKind(t, err, fault.Cancelled)
		page.Run(t, nil, `await app.call("sync")`)
		// Calls that take no signal: the one waits for the server, the other for SQLite.
		const slow = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 3000000) SELECT count() FROM n`
		for _, call := range [][]any{{"devices.list"}, {"query", slow}} {
			var ms float64
			page.Run(t, &ms, `
				app.before = () => new Promise(() => {});
				const answer = app.call(...args[0]);
				const ended = answer.then(() => "done", (e) => e.kind);
				const start = performance.now();
				await app.call("cancel", answer.id);
				const kind = await ended;
				app.before = () => {};
				if (kind !== "cancelled") throw new Error(args[0] + ": " + kind);
				return performance.now() - start`, call)
			if ms > 1000 {
				t.Errorf("%s: cancelled after %.0f ms", call[0], ms)
			}
		}
	})
	t.Run("contents of failed requests", func(t *testing.T) {
		page.Run(t, nil, `
			const streams = [], { http } = app;
			app.http = async (id, request) => {
				if (request.body?.$stream === undefined) return http.call(app, id, request);
				streams.push(request.body.$stream);
				throw new Error("no line");
			};
			const kind = await app.call("upload").then(() => "done", (e) => e.kind);
			app.http = http;
			if (kind !== "network" && kind !== "offline" || streams.length === 0) throw new Error(kind + " " + streams);
			for (const stream of streams) {
				const { error } = await app.raw({ id: "late", method: "read", args: [stream] });
				if (error?.kind !== "not_found") throw new Error("the page has kept what nobody reads");
			}`)
	})
	t.Run("network", func(t *testing.T) {
		page.Run(t, nil, `
			const look = () => dispatchEvent(new Event("online")); // in place of half a minute
			app.network = "offline";
			await app.call("settings.set", { autoSync: true });
			app.post({ event: "network", network: "offline" });
			app.post({ event: "network", network: "nonsense" }); // passed over
			await app.call("status");
			look();
			await until(() => app.last("status").status.activity === "offline");
			app.network = "unmetered";
			await until(() => (look(), app.last("status").status.activity === "idle"));
			await app.call("settings.set", { autoSync: false });
		`)
	})
	t.Run("media", func(t *testing.T) { testWebviewMedia(t, page, desktop) })
	t.Run("bad messages", func(t *testing.T) { testBadMessages(t, page) })
	page.Run(t, nil, `await app.call("close")`)
	wantKind(t, page.Try(t, nil, `await app.call("query", "SELECT 1")`), fault.Closed)
}

// testWebviewMedia moves contents in both directions, by pieces.
func testWebviewMedia(t *testing.T, page *browsertest.Page, desktop *desktop) {
	page.Run(t, nil, `
		const large = "x".repeat(300_000);
		const name = await app.call("media.add", "App.txt", app.offer("text/plain", large, large, "end"));
		if (name !== "app.txt") throw new Error(name);
		await until(() => app.last("media")?.changes.some((c) => c.name === name));
		const given = await app.call("media.get", name);
		if (given.size !== 600_003 || typeof given.$stream !== "number") throw new Error(JSON.stringify(given));
		if (await (await app.collect(given)).text() !== large + large + "end") throw new Error("another content");
		const after = await app.raw({ id: "after", method: "read", args: [given.$stream] });
		if (after.error?.kind !== "not_found") throw new Error("read after the end: " + JSON.stringify(after));
		const unread = await app.call("media.get", name);
		await app.call("end", unread.$stream);
		await app.call("media.add", "small.bin", { $bytes: "AAEC", type: "application/octet-stream" });
		await app.call("sync");
		const url = await ferry.media.url(name);
		if (!url.startsWith("blob:")) throw new Error(url);
		// What the app has itself is not fetched.
		app.media["native.txt"] = { $bytes: btoa("of the app"), type: "text/plain" };
		app.media["large.txt"] = app.offer("text/plain", "two ", "pieces");
		for (const [name, content] of [["native.txt", "of the app"], ["large.txt", "two pieces"]]) {
			const file = await ferry.media.get(name);
			if (await file.text() !== content || file.type !== "text/plain") throw new Error(name);
		}
		if (await app.call("media.get", "none.txt").catch((e) => e.kind) !== "not_found") throw new Error("none.txt");
		const pack = await app.call("exportFile");
		const content = await app.collect(pack);
		if (content.size !== pack.size || pack.size < 1000) throw new Error(JSON.stringify(pack));
	`)
	if _, err := desktop.SyncMedia(desktop.endpoint, desktop.Key); err != nil {
		t.Fatal(err)
	}
	if media := desktop.Client.Media(t); media["app.txt"] == "" || media["small.bin"] == "" {
		t.Errorf("on the desktop: %v", media)
	}
	if err := page.Try(t, nil, `await app.call("media.add", "bad.bin", { $bytes: "?", type: "x" })`); fault.KindOf(err) != fault.InvalidInput {
		t.Error(err)
	}
}

// testBadMessages sends what is no call, and what is one of something that cannot be called.
func testBadMessages(t *testing.T, page *browsertest.Page) {
	var refused []string
	page.Run(t, &refused, `
		const refused = [];
		for (const method of ["nonsense", "constructor", "toString", "subscribe", "media.constructor", "media.subscribe", "settings.get.call", "", "open", "__proto__"]) {
			const { error, result } = await app.raw({ id: "bad", method, args: [] });
			refused.push(error?.kind + (result === undefined ? "" : " with a result"));
		}
		for (const args of [["x"], [{ user: 1, password: [] }], "x", 7, [null]]) refused.push((await app.raw({ id: "bad", method: "login", args })).error?.kind);
		refused.push((await app.raw({ id: "bad", method: "importFile", args: ["x"] })).error?.kind);
		refused.push((await app.raw({ id: "bad", method: "edit", args: [{}] })).error?.kind);
		for (const method of ["download", "upload", "sync"]) refused.push((await app.raw({ id: "bad", method, args: ["now"] })).error?.kind);
		return refused;
	`)
	if s := strings.Join(refused, " "); s != strings.TrimSpace(strings.Repeat("invalid_input ", len(refused))) {
		t.Errorf("refused with %s", s)
	}
	var events int
	page.Run(t, &events, `
		const before = app.events.length;
		const bad = ["", "{", "null", "[]", "7", '"text"', "{}", '{"id":1}', '{"method":"sync"}', '{"id":{},"method":"sync"}', '{"id":1,"error":"x"}'];
		for (const text of bad) port1.onmessage({ data: text });
		port1.onmessage({ data: null });
		port1.onmessage({ data: new ArrayBuffer(3) });
		// An answer that nobody waits for and an event that nobody knows are passed over.
		port1.onmessage({ data: '{"id":999999,"result":1}' });
		port1.onmessage({ data: '{"event":"unknown"}' });
		await app.call("status");
		return app.events.slice(before).filter((e) => e.event === "refused").length - bad.length - 2;
	`)
	if events != 0 {
		t.Errorf("%d more or fewer events than bad messages", events)
	}
}

// TestWebviewPorts connects over each kind of port, with what an app says of itself.
func TestWebviewPorts(t *testing.T) {
	t.Parallel()
	page := webview(t, "")
	page.Run(t, nil, `
		const connect = async (port, profile) => {
			const ferry = await connectHost(await port, { assets, profile });
			const [{ n }] = await ferry.query("SELECT 1 AS n");
			await ferry.close();
			return n;
		};
		const injected = (text) => eval("cardferryReceive(" + JSON.stringify(text) + ")"); // as evaluateJavaScript does
		const other = new App(injected);
		globalThis.webkit = { messageHandlers: { cardferry: { postMessage: (text) => other.receive(text) } } };
		await connect(webkitPort(), "webkit");
		const third = new App((text) => setTimeout(injected, 0, text));
		globalThis.ReactNativeWebView = { postMessage: (text) => third.receive(text) };
		await connect(reactNativePort(), "native");
		const coming = androidPort();
		postMessage("something else", "*");
		postMessage("cardferry", "*", [port1]);
		await connect(coming, "android");
		if (!app.asked.includes("network")) throw new Error("the app was not asked for the network");
	`)
	// One that never answers what it has said that it would.
	page.Run(t, nil, `
		const { timeout } = AbortSignal;
		AbortSignal.timeout = (ms) => timeout.call(AbortSignal, ms / 100);
		const silent = new App((text) => cardferryReceive(text));
		const { answer } = silent;
		silent.answer = (id, method, args) => (method === "network" ? new Promise(() => {}) : answer.call(silent, id, method, args));
		globalThis.ReactNativeWebView = { postMessage: (text) => silent.receive(text) };
		const ferry = await connectHost(reactNativePort(), { assets, profile: "silent" });
		AbortSignal.timeout = timeout;
		if (silent.cancelled.length === 0) throw new Error("the question is still open");
		await ferry.close();
	`)
	// An option of the page that is not there leaves what the app wants.
	page.Run(t, nil, `
		const naming = new App((text) => cardferryReceive(text));
		naming.hello.open = { profile: "named", clientName: "app/2" };
		globalThis.ReactNativeWebView = { postMessage: (text) => naming.receive(text) };
		const ferry = await connectHost(reactNativePort(), { assets, profile: undefined, clientName: null });
		const text = await ferry.diagnostics();
		await ferry.close();
		if (!text.includes("profile: named\n") || !text.includes("app/2")) throw new Error(text);
	`)
	err := page.Try(t, nil, `
		const old = new App((text) => cardferryReceive(text));
		old.hello = { version: 2 };
		globalThis.ReactNativeWebView = { postMessage: (text) => old.receive(text) };
		try {
			await connectHost(reactNativePort(), { assets });
		} finally {
			await until(() => old.last("failed")?.error.kind === "invalid_input");
		}
	`)
	if e := wantKind(t, err, fault.InvalidInput); !strings.Contains(e.Message, "version 2") || e.Hint == "" {
		t.Errorf("%+v", e)
	}
}
