package browsertest_test

import (
	"io"
	"net/http"
	"testing"
)

// TestRefreshError: the status has the error of a refresh until the server has answered the next one. One that was cancelled is none,
// and one that a sync has brought stays.
func TestRefreshError(t *testing.T) {
	t.Parallel()
	server, page := loggedIn(t)
	page.Run(t, nil, `await ferry.upload()`)
	want := func(when, do, error string) {
		t.Helper()
		var got string
		if page.Run(t, &got, do+`; return ferry.status.error?.kind ?? "none"`); got != error {
			t.Errorf("%s the error of the status is %s, want %s", when, got, error)
		}
	}
	const refresh = `await ferry.refresh().catch(() => {})`
	hanging := make(chan bool, 1)
	server.Intercept(only("/sync/meta", func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then the server notices that the page has gone
		hanging <- true
		<-r.Context().Done()
	}))
	page.Run(t, nil, `window.end = new AbortController(); window.refreshing = ferry.refresh({ signal: end.signal }).catch((e) => e.kind)`)
	<-hanging
	want("cancelled", `end.abort(); if (await refreshing !== "cancelled") throw new Error(await refreshing); await ferry.query("SELECT 1")`, "none")
	server.Intercept(only("/sync/meta", status(503)))
	want("failed", refresh, "server_error")
	want("not asked", `await ferry.refresh({ offline: true })`, "server_error")
	server.Intercept(nil)
	want("answered", refresh, "none")

	server.Intercept(only("/sync/meta", status(403)))
	want("refused", `await ferry.sync({ media: false }).catch(() => {})`, "auth")
	server.Intercept(only("/sync/meta", status(503)))
	want("refused, then failed", refresh, "server_error")
	server.Intercept(nil)
	want("refused, then answered", refresh, "auth")
}
