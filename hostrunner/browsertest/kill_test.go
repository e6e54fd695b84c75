package browsertest_test

import (
	"testing"

	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// writer moves amounts between rows in transactions that do not fit into the page cache, until it is killed. Older
// versions of sqlite-wasm did not roll back the journal that is left then (design.md §2).
const writer = `
	await exec("CREATE TABLE IF NOT EXISTS kill (id INTEGER PRIMARY KEY, amount INT, fill BLOB)");
	await exec("WITH n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 300) INSERT OR IGNORE INTO kill SELECT i, 100, randomblob(4000) FROM n");
	await exec("PRAGMA cache_size = 20");
	window.rounds = 0;
	(async () => {
		for (;;) {
			await exec("BEGIN; UPDATE kill SET amount = amount - 1, fill = randomblob(4000) WHERE id % 2; UPDATE kill SET amount = amount + 1, fill = randomblob(4000) WHERE NOT id % 2; COMMIT; PRAGMA cache_size = 20");
			window.rounds++;
		}
	})();
	while (window.rounds < 3) await new Promise((done) => setTimeout(done));
`

const inspect = `
	await open();
	const [{ sum, n }] = await ferry.query("SELECT sum(amount) AS sum, count(*) AS n FROM kill");
	const [{ integrity_check }] = await ferry.query("PRAGMA integrity_check");
	return [sum, n, integrity_check];
`

// TestKilledTab ends a tab's process, and then the whole browser, while they write: the file is whole afterwards.
func TestKilledTab(t *testing.T) {
	t.Parallel()
	server := browsertest.NewServer(t, "")
	dir := t.TempDir()
	browser := browsertest.StartIn(t, dir)
	page := browser.Open(t, server.URL)
	page.Run(t, nil, `await open();`)
	for range 4 {
		page.Run(t, nil, writer)
		page.Crash()
		page.Close()
		page = browser.Open(t, server.URL)
		wantWhole(t, page)
	}
	page.Run(t, nil, writer)
	browser.Kill(t)
	wantWhole(t, browsertest.StartIn(t, dir).Open(t, server.URL))
}

func wantWhole(t *testing.T, page *browsertest.Page) {
	t.Helper()
	var got []any
	if page.Run(t, &got, inspect); got[0] != 30000.0 || got[1] != 300.0 || got[2] != "ok" {
		t.Errorf("after a kill: sum, rows, check = %v", got)
	}
}
