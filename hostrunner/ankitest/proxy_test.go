package ankitest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/cardferry/cardferry/hostrunner/ankitest"
)

// TestFaultProxy lets a real client sync through faults.
func TestFaultProxy(t *testing.T) {
	t.Parallel()
	s, u := ankitest.Shared(t)
	p := ankitest.NewFaultProxy(t, s.URL)
	c := ankitest.NewClient(t, "")
	c.Login(p.URL, u)
	c.Do("add_note", map[string]any{"guid": "one", "notetype": "Basic", "deck": "Default", "fields": []string{"f", "b"}})
	c.Upload()
	if got := p.Methods(); !slices.Equal(got, []string{"hostKey", "upload"}) {
		t.Errorf("requests %v", got)
	}
	faults := map[string]func(*ankitest.Exchange){
		"cut":      func(x *ankitest.Exchange) { x.Cut = true },
		"status":   func(x *ankitest.Exchange) { x.Status, x.Raw = http.StatusBadGateway, []byte("502") },
		"truncate": func(x *ankitest.Exchange) { x.Truncate = 3 },
		"garbage":  func(x *ankitest.Exchange) { x.Raw = []byte("garbage") },
		"json":     func(x *ankitest.Exchange) { x.Body = []byte("[1]") },
	}
	for name, fault := range faults {
		p.Reset()
		c.Do("edit_note", map[string]any{"guid": "one", "field": 1, "text": name})
		p.After(func(x *ankitest.Exchange) {
			if x.Method == "applyChanges" {
				fault(x)
			}
		})
		if _, err := c.TrySync(); err == nil {
			t.Errorf("%s: the sync succeeded", name)
		}
		if got := strings.Join(p.Methods(), " "); got != "meta start applyChanges abort" {
			t.Errorf("%s: requests %s", name, got)
		}
		p.Reset()
		c.Sync()
	}
	ankitest.RequireEqual(t, "client and server", ankitest.MustDump(t, c.Path), ankitest.MustDump(t, s.Collection(u)))
}

func TestDelayProxy(t *testing.T) {
	t.Parallel()
	s, _ := ankitest.Shared(t)
	const roundTrip = 40 * time.Millisecond
	p, err := ankitest.NewDelayProxy(s.URL, roundTrip)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	for range 3 {
		began := time.Now()
		resp, err := http.Get(p.URL + "health")
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if took := time.Since(began); took < roundTrip {
			t.Errorf("a request took %v", took)
		}
	}
}

// TestAnswers: a hook can answer by itself, announce a wrong size, go on for ever, and not answer at all.
func TestAnswers(t *testing.T) {
	t.Parallel()
	p := ankitest.NewFaultProxy(t, "http://127.0.0.1:1/")
	post := func(ctx context.Context) (*http.Response, error) {
		req, err := http.NewRequestWithContext(ctx, "POST", p.URL+"sync/meta", nil)
		if err != nil {
			t.Fatal(err)
		}
		return http.DefaultClient.Do(req)
	}
	answer := func(x *ankitest.Exchange) {
		x.Answered, x.Status, x.Body = true, http.StatusOK, []byte(`{"a":1}`)
	}
	p.Before(func(x *ankitest.Exchange) { answer(x); x.Announce(99) })
	resp, err := post(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	packed, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if body, err := ankitest.Decompress(packed); string(body) != `{"a":1}` || err != nil || resp.Header.Get("anki-original-size") != "99" {
		t.Errorf("%s %v %v", body, err, resp.Header)
	}
	p.Before(func(x *ankitest.Exchange) { answer(x); x.Endless = `,"b":2` })
	if resp, err = post(t.Context()); err != nil {
		t.Fatal(err)
	}
	if z, err := zstd.NewReader(resp.Body); err != nil {
		t.Error(err)
	} else if n, err := io.CopyN(io.Discard, z, 50<<20); err != nil {
		t.Errorf("an endless answer ended after %d bytes: %v", n, err)
	}
	_ = resp.Body.Close()
	ctx, cancel := context.WithCancel(t.Context())
	p.Before(func(x *ankitest.Exchange) { x.Hang = true; cancel() })
	if _, err := post(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a hanging request: %v", err)
	}
}
