package simtest

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/service"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
)

// pageCore is the core in a page: its worker, its SQLite and its files are real, its network is that of the simulated device, and its clock is
// set to the device's before each call. After each call the simulated disk gets a copy of the collection, for those who look at it; before and
// after each sync of media, what has changed in the one folder is done in the other.
type pageCore struct {
	t       *testing.T
	d       *device
	browser *browsertest.Browser
	server  *browsertest.Server
	page    *browsertest.Page
	ahead   time.Duration // of the worker's clock, to ours

	files map[string]string // in the page, when both folders were last equal

	mu     sync.Mutex // requests are answered one at a time
	killed chan struct{}
}

// newPageCore makes a device of a world one in a page, with what it has on its disk.
func newPageCore(t *testing.T, d *device) *pageCore {
	c := &pageCore{t: t, d: d, browser: browsertest.Start(t), server: browsertest.NewServer(t, "http://127.0.0.1:1/")}
	c.server.Intercept(c.answer)
	c.open()
	path := filepath.Join(t.TempDir(), host.Collection)
	content, err := d.disk.entries[host.Collection].bytes()
	if err == nil {
		err = os.WriteFile(path, content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	c.page.ImportCollection(t, path)
	c.page.Run(t, nil, `await ferry.login({ user: args[0], password: args[1] })`, user(d.own.id), password)
	c.copy()
	c.give()
	return c
}

// open opens a tab with the profile; a tab that was there is killed.
func (c *pageCore) open() {
	if c.page != nil {
		c.page.Crash()
		c.page.Close()
	}
	c.page, c.ahead, c.killed = c.browser.Open(c.t, c.server.URL), 0, make(chan struct{})
	c.page.Run(c.t, nil, `await open()`)
}

// answer gives a request of the page to the simulated network.
func (c *pageCore) answer(w http.ResponseWriter, r *http.Request) bool {
	body, err := io.ReadAll(r.Body)
	if err != nil || !strings.HasPrefix(r.URL.Path, "/sync/") && !strings.HasPrefix(r.URL.Path, "/msync/") {
		panic(http.ErrAbortHandler)
	}
	header := map[string]string{}
	for k := range r.Header {
		header[strings.ToLower(k)] = r.Header.Get(k)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	alive := !c.d.dead
	resp, err := c.d.answer(context.Background(), &host.Request{Method: r.Method, URL: endpoint + strings.TrimPrefix(r.URL.Path, "/"), Header: header, Body: body})
	if alive && c.d.dead {
		close(c.killed)
	}
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	for k, v := range resp.Header {
		w.Header().Set(k, v)
	}
	w.WriteHeader(resp.Status)
	_, _ = w.Write(resp.Body)
	return true
}

// copy puts the page's collection onto the simulated disk.
func (c *pageCore) copy() {
	var content []byte
	c.page.Run(c.t, &content, `return dump()`)
	if old := c.d.disk.entries[host.Collection]; old != nil {
		old.forget()
	}
	c.d.disk.entries[host.Collection] = &entry{data: content}
}

// give does in the page what the learner has done on the simulated device.
func (c *pageCore) give() {
	type change struct {
		Name string
		Old  bool
		New  *string
	}
	list := []change{}
	now := c.d.own.media.before(c.d)
	for name, content := range now {
		if old, had := c.files[name]; !had || old != content {
			list = append(list, change{name, had, &content})
		}
	}
	for name := range c.files {
		if _, has := now[name]; !has {
			list = append(list, change{name, true, nil})
		}
	}
	slices.SortFunc(list, func(a, b change) int { return strings.Compare(a.Name, b.Name) })
	var names []string
	c.page.Run(c.t, &names, `
		const names = [];
		for (const { Name, Old, New } of args[0]) {
			if (Old) await ferry.media.remove(Name);
			if (New !== null) names.push(await ferry.media.add(Name, new Blob([New])));
		}
		return names`, list)
	for _, name := range names {
		if now[name] == "" {
			c.t.Errorf("the page makes %q of a name", name)
		}
	}
	c.files = now
}

// take does on the simulated device what has come in the page. What it replaces or deletes is in the page's trash (browsertest), and in this one.
func (c *pageCore) take() {
	now := map[string]string{}
	c.page.Run(c.t, &now, `
		const texts = {};
		for (const name of (await ferry.media.check()).unused) texts[name] = await (await ferry.media.get(name)).text();
		return texts`)
	for name, old := range c.d.own.media.before(c.d) {
		if content, has := now[name]; has && content == old {
			continue
		}
		seen, err := c.d.media.Stat(name)
		if err == nil {
			_, err = c.d.media.Trash(name, seen)
		}
		if err != nil {
			c.t.Error(err)
		}
	}
	for name, content := range now {
		if old := c.d.media.Get(name); string(old) != content {
			c.d.media.Put(name, []byte(content))
		}
	}
	c.files = now
}

// Call maps the methods that the simulator uses to those of the page.
func (c *pageCore) Call(_ context.Context, method string, params any) ([]byte, error) {
	body, arg := "", any(nil)
	switch method {
	case service.MethodOpen, service.MethodClose, service.MethodDeckTree: // it is open
		return []byte("{}"), nil
	case service.MethodMediaSync:
		c.give()
		body = `return await ferry.media.sync()`
	case service.MethodSync:
		body = `return await ferry.sync({ media: false })`
	case service.MethodEdit:
		body, arg = `return await ferry.edit(args[0])`, params.(service.EditParams).Ops
	case service.MethodUndo:
		body = `return await ferry.undo()`
	default:
		panic("the simulator calls " + method)
	}
	step := c.d.clock.Now().Sub(time.Now().Add(c.ahead)).Truncate(time.Second) // so are the seconds in which a device edits
	c.ahead += step
	c.page.Run(c.t, nil, `await advance(args[0])`, step.Seconds())
	type result struct {
		text json.RawMessage
		err  error
	}
	done, page := make(chan result, 1), c.page
	go func() {
		var r result
		r.err = page.Evaluate(&r.text, body, arg)
		done <- r
	}()
	select {
	case r := <-done:
		c.mu.Lock() // what requests have done is seen
		defer c.mu.Unlock()
		c.copy()
		if method == service.MethodMediaSync {
			c.take()
		}
		return r.text, r.err
	case <-c.killed:
		return nil, errDead
	}
}

// TestPage plays some worlds with a device in a page, whose tab is killed in the middle of syncs, beside a native one: in the end both are equal,
// and everything that must hold anywhere holds.
func TestPage(t *testing.T) {
	t.Parallel()
	seeds := uint64(1)
	if os.Getenv("CARDFERRY_FULL") != "" {
		seeds = 8
	}
	for seed := range seeds {
		s := newScript(seed).inPage()
		cover := NewCoverage()
		w := newWorld(s, nil, cover, compiledIn)
		c := newPageCore(t, w.devices[0])
		c.d.core = c
		w.newCore = func(h host.Host) caller {
			if h.SQL != host.SQL(c.d.disk) {
				return compiledIn(h)
			}
			c.open()
			c.copy()
			c.take()
			return c
		}
		r := w.play(s)
		w.end()
		for _, f := range r.failures {
			t.Errorf("seed %d: %s", seed, f)
		}
		if t.Failed() {
			t.Log(strings.Join(r.log, "\n"))
			return
		}
		for _, request := range []string{"finish", "uploadChanges", "downloadFiles"} {
			if cover.counts["request: "+request] == 0 {
				t.Errorf("seed %d: no %s", seed, request)
			}
		}
		t.Logf("seed %d: %d syncs, %d requests", seed, r.syncs, r.requests)
	}
}

// inPage is the part of a script that a page can do in a few seconds: what people do with collections, and how networks and tabs
// fail. It begins with kills at the two ends of what a sync commits.
func (s *script) inPage() *script {
	page := *s
	page.accounts, page.devices = 1, 2
	do := func(device int, kind kind, about focus, at map[string]netFault) {
		page.actions = append(page.actions, action{device: device, kind: kind, about: about, at: at, seed: s.seed + uint64(len(page.actions))})
	}
	page.actions = nil
	do(0, doEdit, focusAdd, nil)
	do(0, doSync, "", map[string]netFault{"applyChunk": killAfter})
	do(1, doEdit, focusUpdate, nil)
	do(1, doSync, "", nil)
	do(0, doEdit, focusCard, nil)
	do(0, doSync, "", map[string]netFault{"finish": killAfter})
	do(0, doEdit, focusUpdate, nil)
	do(0, doSync, "", map[string]netFault{"chunk": killBefore})
	do(0, doMedia, focusWrite, nil)
	do(0, doMediaSyn, "", map[string]netFault{"uploadChanges": killAfter})
	do(1, doMedia, focusWrite, nil)
	do(1, doMediaSyn, "", nil)
	do(0, doMediaSyn, "", map[string]netFault{"downloadFiles": killAfter})
	for _, a := range s.alike().actions {
		a.killAt, a.fullAt, a.locked, a.readOnly = 0, 0, false, false
		switch a.kind {
		case doMedia: // the user of a page deletes files one by one
			a.about = []focus{focusWrite, focusDelete}[a.seed%2]
		case doEdit, doUndo, doSync, doMediaSyn, doKill, doServer:
		default:
			continue
		}
		if len(page.actions) < 32 {
			page.actions = append(page.actions, a)
		}
	}
	return &page
}
