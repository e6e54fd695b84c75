package browsertest_test

import (
	"strings"
	"testing"

	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// database has helpers to look into the package's IndexedDB.
const database = `
	const db = await new Promise((ok, fail) => { const r = indexedDB.open("cardferry"); r.onsuccess = () => ok(r.result); r.onerror = () => fail(r.error); });
	const ask = (table, mode, run) => new Promise((ok, fail) => { const r = run(db.transaction(table, mode).objectStore(table)); r.onsuccess = () => ok(r.result); r.onerror = () => fail(r.error); });
`

// TestSecrets looks for the account's key where it must not be: in IndexedDB, messages to pages, other tabs, diagnostics.
func TestSecrets(t *testing.T) {
	t.Parallel()
	server := ownServer(t)
	browser := browsertest.Start(t)
	page, other := browser.Open(t, server.URL), browser.Open(t, server.URL)
	const listen = `
		window.heard = [];
		for (const name of ["cardferry:default"]) new BroadcastChannel(name).onmessage = (e) => window.heard.push(e.data);`
	page.Run(t, nil, listen)
	other.Run(t, nil, `await open();`+listen)
	login(t, page)
	other.Run(t, nil, `await ferry.refresh({ offline: true })`)

	var stored struct {
		Fields      []string
		Extractable bool
		Algorithm   string
		Text        string
	}
	page.Run(t, &stored, database+`
		const account = await ask("accounts", "readonly", (t) => t.get("default"));
		const key = await ask("keys", "readonly", (t) => t.get("default"));
		db.close();
		return { fields: Object.keys(account).sort(), extractable: key.extractable, algorithm: key.algorithm.name,
			text: new TextDecoder("latin1").decode(account.sealed.bytes) }`)
	if got := strings.Join(stored.Fields, " "); got != "endpoint newEndpoint sealed user" || stored.Extractable || stored.Algorithm != "AES-GCM" {
		t.Errorf("stored account: %+v", stored)
	}

	// The key itself is seen only by the server.
	keys := make(chan string, 1)
	server.Intercept(keyOf(keys))
	page.Run(t, nil, `await ferry.refresh().catch(() => {})`)
	server.Intercept(nil)
	key := <-keys
	if len(key) < 16 || strings.Contains(stored.Text, key) {
		t.Fatalf("key %q", key)
	}
	for i, p := range []*browsertest.Page{page, other} {
		var text string
		p.Run(t, &text, `return JSON.stringify(window.heard) + JSON.stringify([ferry.status, ferry.account]) + await ferry.diagnostics()`)
		if strings.Contains(text, key) || strings.Contains(text, ownPassword) {
			t.Errorf("page %d has seen a secret", i)
		}
	}
	page.Load(t, server.URL)
	var user string
	if page.Run(t, &user, `await open(); return ferry.account.user`); user != ownUser {
		t.Errorf("after a reload: %q", user)
	}
}

// TestOldAccount opens a profile whose account an earlier version has stored with a plain key, and one whose sealing key is gone.
func TestOldAccount(t *testing.T) {
	t.Parallel()
	server := ownServer(t)
	page := browsertest.Start(t).Open(t, server.URL)
	login(t, page)
	keys := make(chan string, 1)
	server.Intercept(keyOf(keys))
	page.Run(t, nil, `await ferry.refresh().catch(() => {}); await ferry.close()`)
	server.Intercept(nil)
	page.Run(t, nil, database+`
		const { user, endpoint, newEndpoint } = await ask("accounts", "readonly", (t) => t.get("default"));
		await ask("accounts", "readwrite", (t) => t.put({ user, endpoint, newEndpoint, key: args[0] }, "default"));
		await ask("keys", "readwrite", (t) => t.delete("default"));
		db.close();`, <-keys)
	var got []any
	page.Run(t, &got, `await open(); await ferry.refresh();`+database+`
		const stored = await ask("accounts", "readonly", (t) => t.get("default"));
		await ask("keys", "readwrite", (t) => t.delete("default"));
		db.close();
		return [ferry.account.user, "key" in stored, "sealed" in stored]`)
	if got[0] != ownUser || got[1] != false || got[2] != true {
		t.Errorf("user, plain key, sealed key: %v", got)
	}
	var account any
	page.Run(t, &account, `await ferry.close(); await open(); return ferry.account`)
	if account != nil {
		t.Errorf("without the sealing key: %v", account)
	}
	login(t, page)
}
