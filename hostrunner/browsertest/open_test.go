package browsertest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

func TestReloadKeepsEverything(t *testing.T) {
	t.Parallel()
	server, page := loggedIn(t)
	page.Run(t, nil, `await exec("INSERT INTO tags VALUES ('kept', -1, 0, NULL)")`)
	page.Load(t, server.URL) // without a close
	var got []any
	page.Run(t, &got, `await open(); return [(await ferry.query("SELECT tag FROM tags"))[0].tag, ferry.account.user, ferry.status.pending]`)
	if len(got) != 3 || got[0] != "kept" || got[1] == nil || got[2] != 1.0 {
		t.Errorf("after a reload: %v", got)
	}
	page.Run(t, nil, `await ferry.logout(); await ferry.close()`)
	page.Run(t, &got, `await open({ profile: "other/ü" }); return [ferry.account, await ferry.query("SELECT tag FROM tags")]`)
	if got[0] != nil || len(got[1].([]any)) != 0 {
		t.Errorf("another profile has %v", got)
	}
	page.Run(t, &got, `await ferry.close(); await open(); return [ferry.account, await ferry.query("SELECT tag FROM tags")]`)
	if got[0] != nil || len(got[1].([]any)) != 1 {
		t.Errorf("after a logout: %v", got)
	}
}

// TestFilesThatAreStillHeld opens a profile whose files cannot be had at the first tries, as those of a worker that is just ending: SQLite's
// pool would delete all of them then.
func TestFilesThatAreStillHeld(t *testing.T) {
	t.Parallel()
	page := browsertest.Start(t).Open(t, browsertest.NewServer(t, "").URL)
	page.Run(t, nil, `await open(); await exec("INSERT INTO tags VALUES ('kept', -1, 0, NULL)"); await ferry.close()`)
	for _, name := range []string{"NoModificationAllowedError", "InvalidStateError"} { // the other one is WebKit's
		var got []any
		page.Run(t, &got, `
			const held = script("(" + ((name) => {
				const { createSyncAccessHandle } = FileSystemFileHandle.prototype;
				let made = 0;
				FileSystemFileHandle.prototype.createSyncAccessHandle = function () {
					if (made++ < 60) return Promise.reject(new DOMException("taken", name));
					return createSyncAccessHandle.call(this);
				};
			}) + ")('" + args[0] + "');");
			await open({ assets: { worker: script("import '" + held + "'; import '" + location.origin + "/dist/worker.js';") } });
			const tags = await ferry.query("SELECT tag FROM tags");
			await ferry.close();
			return tags`, name)
		if len(got) != 1 {
			t.Errorf("%s: after the first tries the collection has %v", name, got)
		}
	}
}

func TestQueryOnlyReads(t *testing.T) {
	t.Parallel()
	page := browsertest.Start(t).Open(t, browsertest.NewServer(t, "").URL)
	page.Run(t, nil, `await open()`)
	for _, sql := range []string{
		"DELETE FROM notetypes", "PRAGMA user_version = 3", "ATTACH 'x' AS y", "BEGIN", "SELECT 1; DROP TABLE col",
		"WITH n AS (SELECT 1) DELETE FROM col", "INSERT INTO tags VALUES ('x', -1, 0, NULL) RETURNING tag", "REPLACE INTO config VALUES ('x', 0, 0, '1')",
		"UPDATE col SET usn = 0", "CREATE TEMP TABLE x (y)", "DROP TABLE graves", "ALTER TABLE notes RENAME TO n", "VACUUM", "VACUUM INTO 'x'", "REINDEX", "ANALYZE",
		"SAVEPOINT x", "COMMIT", "ROLLBACK", "PRAGMA journal_mode = WAL", "PRAGMA journal_mode", "PRAGMA writable_schema = 1", "PRAGMA wal_checkpoint", "DETACH main",
		"EXPLAIN DELETE FROM notes", "-- nothing", ";", "SELECT 1; SELECT 2", "SELECT 1\x00; DROP TABLE col", "SELECT 1; /* no */ SELECT 2", "SELECT 1; nonsense",
	} {
		e := wantKind(t, page.Try(t, nil, `await ferry.query(args[0])`, sql), fault.InvalidInput)
		if e.Changed {
			t.Errorf("%s: changed", sql)
		}
	}
	wantKind(t, page.Try(t, nil, `await ferry.query("SELECT ?", [() => 1])`), fault.InvalidInput)
	page.Run(t, nil, `await ferry.query("SELECT 1 -- all"); await ferry.query("SELECT 1; ; /* all */ -- of it\n\t")`)
	var n int
	if page.Run(t, &n, `return ferry.status.pending`); n != 0 {
		t.Errorf("%d rows wait", n)
	}
	var rows []map[string]any
	page.Run(t, &rows, `return ferry.query("SELECT ? AS a, ? AS b, count(*) AS n FROM notetypes WHERE name = ?", [1.5, null, "bASIC"])`)
	if len(rows) != 1 || rows[0]["a"] != 1.5 || rows[0]["b"] != nil || rows[0]["n"] != 1.0 {
		t.Errorf("rows %v", rows)
	}
}

// TestLargeResults reads more than fits into one message easily, from the leader and from another tab.
func TestLargeResults(t *testing.T) {
	t.Parallel()
	server := browsertest.NewServer(t, "")
	browser := browsertest.Start(t)
	first, second := browser.Open(t, server.URL), browser.Open(t, server.URL)
	first.Run(t, nil, `await open()`)
	second.Run(t, nil, `await open()`)
	for name, page := range map[string]*browsertest.Page{"leader": first, "another tab": second} {
		var got []any
		page.Run(t, &got, `
			const numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT ?) ";
			const many = await ferry.query(numbers + "SELECT i, 'row ' || i AS text FROM n", [300000]);
			const [{ blob, text }] = await ferry.query("SELECT zeroblob(?1) AS blob, printf('%.*c', ?1, 'x') AS text", [32 << 20]);
			const wide = await ferry.query("SELECT " + Array.from({ length: 1500 }, (_, i) => i + " AS c" + i).join());
			const [edges] = await ferry.query("SELECT 9007199254740991 AS a, 9007199254740992 AS b, -9223372036854775808 AS c, 7 AS \"__proto__\", ?1 AS d, ?2 AS e, typeof(?3) AS f, '' AS g, x'' AS h",
				[2n ** 63n - 1n, "\u{1F408}\u0000\uFEFF", Number.NaN]);
			return [many.length, many.at(-1).text, blob.length, text.length, Object.keys(wide[0]).length, typeof edges.a, edges.b, edges.c, edges.d, edges.e, edges.f, edges.g, edges.h.length, Object.entries(edges).find(([name]) => name === "__proto__")?.[1]]`)
		want := "[300000 row 300000 3.3554432e+07 3.3554432e+07 1500 number 9007199254740992 -9223372036854775808 9223372036854775807 \U0001F408\x00\uFEFF null  0 7]"
		if s := fmt.Sprint(got); s != want {
			t.Errorf("%s: %q, want %q", name, s, want)
		}
	}
}

// manySorts is a query that needs more files than are kept at hand.
const manySorts = `
	const tables = [1, 2, 3, 4, 5].map((i) => "t" + i + " AS MATERIALIZED (SELECT i, row_number() OVER (ORDER BY i % " + i + ", fill) AS at FROM many)");
	const [{ n }] = await ferry.query(
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 3500), many AS (SELECT i, hex(zeroblob(1000)) || i AS fill FROM n), " +
			tables + " SELECT count(*) AS n FROM t1 JOIN t2 USING (i) JOIN t3 USING (i) JOIN t4 USING (i) JOIN t5 USING (i)");`

// canBeFull opens a profile that can make no more files while it is told that the storage is full; it writes to those that it has.
const canBeFull = `
		const code = "import '" + location.href + "dist/worker.js'; let full = false; new BroadcastChannel('full').onmessage = (e) => { full = e.data; };" +
			"const { createSyncAccessHandle } = FileSystemFileHandle.prototype;" +
			"FileSystemFileHandle.prototype.createSyncAccessHandle = async function (...how) {" +
			"	const handle = await createSyncAccessHandle.apply(this, how);" +
			"	if (full) handle.write = () => { throw new DOMException('full', 'QuotaExceededError'); };" +
			"	return handle; };";
		await open({ assets: { worker: script(code) } });
		window.full = new BroadcastChannel("full");
`

// TestFilesThatCannotBeMade lacks the space for more files, again and again: with space again they can be made, without a new worker.
func TestFilesThatCannotBeMade(t *testing.T) {
	t.Parallel()
	page := browsertest.Start(t).Open(t, browsertest.NewServer(t, "").URL)
	page.Run(t, nil, canBeFull+`
		full.postMessage(true)`)
	for range 10 {
		wantKind(t, page.Try(t, nil, manySorts), fault.StorageFull)
	}
	page.Run(t, nil, `full.postMessage(false); await ferry.exportFile()`)
}

// TestFullReads has no space for more files than there are: what makes none works as before, what does says so at last, and closing is no mistake.
func TestFullReads(t *testing.T) {
	t.Parallel()
	page := browsertest.Start(t).Open(t, browsertest.NewServer(t, "").URL)
	var got []any
	page.Run(t, &got, canBeFull+`
		const [{ id }] = await ferry.query("SELECT id FROM notetypes WHERE name = 'Basic'");
		await ferry.edit([{ op: "addNote", notetypeId: id, deckId: 1, fields: ["front", "back"], tags: [] }]);
		await ferry.media.add("a.txt", new Blob(["a"]));
		const packed = await ferry.exportFile();
		full.postMessage(true);
		let imports = 0, error;
		while (!error) await ferry.importFile(packed).then(() => imports++, (e) => { error = e; });
		const { cards } = await ferry.nextCards(1);
		await ferry.deckTree();
		await ferry.render({ cardId: cards[0].card_id });
		await ferry.refresh({ offline: true });
		const [{ integrity_check }] = await ferry.query("PRAGMA integrity_check");
		const there = [await ferry.media.state("a.txt"), (await ferry.backups.list()).length === imports, integrity_check];
		await ferry.close();
		return [error.kind, error.hint !== "", error.changed, imports > 2, ...there]`)
	if want := "[storage_full true false true here true ok]"; fmt.Sprint(got) != want {
		t.Errorf("%v, want %s", got, want)
	}
}

// TestSortsOfOneQuery: each large sort of a query, and each table that it makes on its way, has a file of its own while it runs, of which only a
// few are kept at hand. The others are given back, as every start opens all.
func TestSortsOfOneQuery(t *testing.T) {
	t.Parallel()
	page := browsertest.Start(t).Open(t, browsertest.NewServer(t, "").URL)
	page.Run(t, nil, `await open(); await ferry.media.get("none").catch(() => {})`) // the store of media files takes some as well
	const slots = `
		let folder = await navigator.storage.getDirectory(), n = 0;
		for (const part of ["cardferry", "default", "database", ".opaque"]) folder = await folder.getDirectoryHandle(part);
		for await (const _ of folder.keys()) n++;
		return n`
	var before, after, n int
	page.Run(t, &before, slots)
	page.Run(t, &n, manySorts+`
		await ferry.close();
		return n`)
	if n != 3500 {
		t.Errorf("%d rows", n)
	}
	if page.Run(t, &after, slots); after > before+1 {
		t.Errorf("%d files before, %d afterwards", before, after)
	}
}

// TestModules looks whether a page gets the compiled files of its worker, to keep them for the next one, if that has compiled any.
func TestModules(t *testing.T) {
	t.Parallel()
	server := browsertest.NewServer(t, "")
	browser := browsertest.Start(t)
	page, other := browser.Open(t, server.URL), browser.Open(t, server.URL)
	const openSeen = `
		const seen = [], { Worker: Given } = globalThis;
		globalThis.Worker = class extends Given {
			constructor(...args) {
				super(...args);
				this.addEventListener("message", ({ data }) => data.type === "module" && data.module instanceof WebAssembly.Module && seen.push(data.of));
			}
		};
		await open();
		await ferry.query("SELECT 1");
		return String(seen.sort())`
	var seen string
	if page.Run(t, &seen, openSeen); seen != "core,sqlite" {
		t.Errorf("the page has got %s", seen)
	}
	if other.Run(t, &seen, openSeen); seen != "" {
		t.Errorf("a page whose worker does not lead has got %s", seen)
	}
}

// TestCrash opens profiles with guests that trap, have another version, or are missing. A fresh open works after each.
func TestCrash(t *testing.T) {
	t.Parallel()
	browser := browsertest.Start(t)
	browser.Expects("the guest has crashed: RuntimeError: unreachable") // fakeGuest
	page := browser.Open(t, browsertest.NewServer(t, "").URL)
	cases := []struct{ name, assets, message string }{
		{"trap", `{ core: await fakeGuest(1) }`, "crashed"},
		{"version", `{ core: await fakeGuest(99) }`, "version 99"},
		{"no core", `{ core: "/missing.wasm" }`, "cannot be loaded"},
		{"no worker", `{ worker: "/missing.js" }`, "worker has failed"},
	}
	for _, c := range cases {
		e := wantKind(t, page.Try(t, nil, fakeGuest+`await open({ assets: `+c.assets+` })`), fault.Internal)
		if !strings.Contains(e.Message, c.message) || e.Hint == "" {
			t.Errorf("%s: message %q, hint %q", c.name, e.Message, e.Hint)
		}
		page.Run(t, nil, `await open(); await ferry.query("SELECT 1"); await ferry.close()`)
	}
	// Closing does not fail because the next worker has not opened the profile yet.
	page.Run(t, nil, `
		await open();
		workers.at(-1).dispatchEvent(new ErrorEvent("error", { message: "of a test" }));
		await ferry.close();
		await open();
		await ferry.close();`)
}

// fakeGuest makes a module with the exports that are needed to get as far as the first call, which traps.
const fakeGuest = `
	async function fakeGuest(abi) {
		const text = (s) => [s.length, ...new TextEncoder().encode(s)];
		const section = (id, items) => { const body = [items.length, ...items.flat()]; return [id, body.length, ...body]; };
		const leb = [0x80 | abi & 0x7f, abi >> 7];
		const code = (...body) => [body.length + 2, 0, ...body, 0x0b];
		return WebAssembly.compile(Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
			...section(1, [[0x60, 0, 0], [0x60, 0, 1, 0x7f], [0x60, 1, 0x7f, 1, 0x7f], [0x60, 3, 0x7f, 0x7f, 0x7f, 0]]),
			...section(3, [[0], [1], [2], [3]]),
			...section(5, [[0, 1]]),
			...section(7, [[...text("_initialize"), 0, 0], [...text("cf_abi"), 0, 1], [...text("cf_alloc"), 0, 2], [...text("cf_call"), 0, 3], [...text("memory"), 2, 0]]),
			...section(10, [code(), code(0x41, ...leb), code(0x41, 0), code(0)]),
		]));
	}
`

// TestUnsupportedBrowser takes away what old browsers lack.
func TestUnsupportedBrowser(t *testing.T) {
	t.Parallel()
	server := browsertest.NewServer(t, "")
	browser := browsertest.Start(t)
	for missing, remove := range map[string]string{
		"OPFS":      `Object.defineProperty(StorageManager.prototype, "getDirectory", { value: undefined })`,
		"Web Locks": `Object.defineProperty(Navigator.prototype, "locks", { value: undefined })`,
		"IndexedDB": `Object.defineProperty(window, "indexedDB", { value: undefined })`,
	} {
		page := browser.Open(t, server.URL)
		e := wantKind(t, page.Try(t, nil, remove+`; await open()`), fault.UnsupportedBrowser)
		if !strings.Contains(e.Message, missing) || e.Hint == "" {
			t.Errorf("without %s: %q, hint %q", missing, e.Message, e.Hint)
		}
	}
}
