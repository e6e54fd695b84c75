package browsertest_test

import (
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// TestTransferReportsProgress uploads a collection of some size and looks at what a subscriber is told.
func TestTransferReportsProgress(t *testing.T) {
	t.Parallel()
	_, page := loggedIn(t)
	page.Run(t, nil, `
		window.seen = [];
		ferry.subscribe(({ activity, progress }) => seen.push([activity, progress?.stage, progress?.done, progress?.total]));
		await exec("CREATE TABLE filler (data BLOB)");
		await exec("WITH n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 1000) INSERT INTO filler SELECT randomblob(8000) FROM n");
		await ferry.upload()`)
	var seen [][]any
	page.Run(t, &seen, `return seen.filter(([, stage]) => stage === "upload")`)
	if len(seen) == 0 {
		t.Fatal("no report of the upload")
	}
	last := seen[len(seen)-1]
	if last[0] != "syncing" || last[2] != last[3] || last[3].(float64) < 8e6 {
		t.Errorf("the last report is %v", last)
	}
	var state []any
	if page.Run(t, &state, `return seen.at(-1)`); state[0] != "idle" || state[1] != nil {
		t.Errorf("after the upload: %v", state)
	}
	page.Run(t, nil, `await ferry.download(); const [{ n }] = await ferry.query("SELECT sum(length(data)) AS n FROM filler"); if (n !== 8e6) throw n`)
}

// TestStorageFull lets the origin's storage run full: the error has its kind, and the collection is as before.
func TestStorageFull(t *testing.T) {
	t.Parallel()
	_, page := loggedIn(t)
	page.Quota(t, 2e6)
	fill := func(megabytes int) error {
		return page.Try(t, nil, `await exec("BEGIN; CREATE TABLE filler (data BLOB); WITH n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < "
			+ args[0] + ") INSERT INTO filler SELECT randomblob(1000000) FROM n; COMMIT")`, megabytes)
	}
	wantKind(t, fill(40), fault.StorageFull)
	var state []any
	page.Run(t, &state, `return [(await ferry.query("PRAGMA integrity_check"))[0].integrity_check, (await ferry.query("SELECT count(*) AS n FROM sqlite_schema WHERE name = 'filler'"))[0].n]`)
	if fmt.Sprint(state) != "[ok 0]" {
		t.Errorf("after a full storage: %v", state)
	}
	page.Quota(t, 0)
	if err := fill(2); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

// TestProgressWithClockSetBack sets the clock back while a file is sent: how far it is, is told all the same.
func TestProgressWithClockSetBack(t *testing.T) {
	t.Parallel()
	server := ownServer(t)
	page := browsertest.Start(t).Open(t, server.URL)
	login(t, page)
	server.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/sync/upload" {
			r.Body = slow{r.Body}
		}
		return false
	})
	var told int
	page.Run(t, &told, `
		await exec("CREATE TABLE filler (data BLOB)");
		await exec("WITH n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 3000) INSERT INTO filler SELECT randomblob(8000) FROM n");
		const told = new Set();
		let back;
		ferry.subscribe(({ progress: p }) => {
			if (p?.stage !== "upload" || p.done === 0 || p.done === p.total) return;
			back ??= advance(-3600);
			told.add(p.done);
		});
		await ferry.upload();
		await back;
		return told.size`)
	if told < 3 {
		t.Errorf("%d times told how far the upload is", told)
	}
}

// slow is a body that comes as through a thin line.
type slow struct{ io.ReadCloser }

func (s slow) Read(p []byte) (int, error) {
	time.Sleep(4 * time.Millisecond)
	return s.ReadCloser.Read(p[:min(len(p), 200<<10)])
}
