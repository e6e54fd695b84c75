package gateway_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cardferry/cardferry/hostrunner/gateway"
)

// TestLastWord: a finish that comes again, as the connection of the first one broke before or after the upstream's answer, gets that answer, if
// its client numbers its requests; the upstream is asked once. What went wrong is asked again.
func TestLastWord(t *testing.T) {
	t.Parallel()
	var finished, status atomic.Int64
	var long atomic.Bool
	entered, goOn := make(chan struct{}), make(chan struct{})
	up := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/sync/finish" {
			return
		}
		n := finished.Add(1)
		if n == 1 {
			entered <- struct{}{}
			<-goOn
		}
		w.Header().Set("anki-original-size", fmt.Sprint(n))
		w.WriteHeader(int(status.Load()))
		if long.Load() {
			_, _ = w.Write(make([]byte, 100_000))
		}
		_, _ = fmt.Fprint(w, "answer ", n)
	})
	base := start(t, gateway.Options{}, "anki="+up.URL, "other="+up.URL+"/other")
	header := func(session, number string) map[string]string {
		return map[string]string{"anki-sync": fmt.Sprintf(`{"v":11,"k":"secret","c":"test","s":%q%s}`, session, number)}
	}
	finish := func(session, want string) {
		t.Helper()
		resp, got := send(t, "POST", base+"/upstream/anki/sync/finish", strings.NewReader("x"), header(session, ""))
		if got != want || resp.StatusCode != int(status.Load()) || want[7:] != resp.Header.Get("anki-original-size") || resp.Header.Get("X-Content-Type-Options") == "" {
			t.Errorf("%s: %d %q %v, want %q", session, resp.StatusCode, got, resp.Header, want)
		}
	}
	for _, session := range []string{"a", "b"} {
		send(t, "POST", base+"/upstream/anki/sync/applyChanges", strings.NewReader("x"), header(session, `,"n":1`))
	}
	status.Store(200)
	ctx, hangUp := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, "POST", base+"/upstream/anki/sync/finish", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("anki-sync", header("a", "")["anki-sync"])
	go func() {
		<-entered
		hangUp()
	}()
	if _, err := client.Do(req); err == nil {
		t.Fatal("an answer came")
	}
	close(goOn)
	finish("a", "answer 1")
	finish("a", "answer 1")
	finish("none", "answer 2")
	finish("none", "answer 3")
	status.Store(502)
	finish("b", "answer 4")
	status.Store(200)
	finish("b", "answer 5")
	finish("b", "answer 5")
	if resp, _ := send(t, "POST", base+"/upstream/anki/sync/finish", io.LimitReader(strings.NewReader(strings.Repeat("x", 1<<20)), 1<<20), header("b", "")); resp.StatusCode != 413 {
		t.Error(resp.StatusCode)
	}
	status.Store(503)
	long.Store(true)
	send(t, "POST", base+"/upstream/anki/sync/applyChanges", strings.NewReader("x"), header("c", `,"n":1`))
	if resp, got := send(t, "POST", base+"/upstream/anki/sync/finish", strings.NewReader("x"), header("c", "")); resp.StatusCode != 503 || len(got) < 1000 {
		t.Errorf("a long page of a proxy: %d, %d bytes", resp.StatusCode, len(got))
	}
	status.Store(200)
	long.Store(false)
	if resp, got := send(t, "POST", base+"/upstream/other/sync/finish", strings.NewReader("x"), header("b", "")); resp.StatusCode != 200 || got != "" {
		t.Errorf("the other upstream: %d %q", resp.StatusCode, got)
	}
}
