package browsertest_test

import (
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

func TestQueryOnlyReads(t *testing.T) {
	t.Parallel()
	page := browsertest.Start(t).Open(t, browsertest.NewServer(t, "").URL)
	page.Run(t, nil, `await open()`)
	for _, sql := range []string{"DELETE FROM notetypes", "PRAGMA user_version = 3", "ATTACH 'x' AS y", "BEGIN", "SELECT 1; DROP TABLE col"} {
		e := wantKind(t, page.Try(t, nil, `await ferry.query(args[0])`, sql), fault.InvalidInput)
		if e.Changed {
			t.Errorf("%s: changed", sql)
		}
	}
	wantKind(t, page.Try(t, nil, `await ferry.query("SELECT ?", [() => 1])`), fault.InvalidInput)
	var rows []map[string]any
	page.Run(t, &rows, `return ferry.query("SELECT ? AS a, ? AS b, count(*) AS n FROM notetypes WHERE name = ?", [1.5, null, "bASIC"])`)
	if len(rows) != 1 || rows[0]["a"] != 1.5 || rows[0]["b"] != nil || rows[0]["n"] != 1.0 {
		t.Errorf("rows %v", rows)
	}
}

// TestCrash opens profiles with guests that trap, have another version, or are missing. A fresh open works after each.
func TestCrash(t *testing.T) {
	t.Parallel()
	page := browsertest.Start(t).Open(t, browsertest.NewServer(t, "").URL)
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
