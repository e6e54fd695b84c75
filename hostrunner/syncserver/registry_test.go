package syncserver_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/wire"
	"github.com/cardferry/cardferry/hostrunner/syncserver"
	"github.com/cardferry/cardferry/hostrunner/syncserver/memstore"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// counting counts the collections that are open.
type counting struct {
	store.Collections
	open, most atomic.Int32
	fail       atomic.Pointer[error]
}

func (c *counting) Open(ctx context.Context, id store.AccountID) (host.DB, error) {
	if err := c.fail.Load(); err != nil {
		return nil, *err
	}
	db, err := c.Collections.Open(ctx, id)
	if err != nil {
		return nil, err
	}
	n := c.open.Add(1)
	for most := c.most.Load(); n > most && !c.most.CompareAndSwap(most, n); most = c.most.Load() {
	}
	return &countedDB{db, c}, nil
}

type countedDB struct {
	host.DB
	of *counting
}

func (d *countedDB) Close() error {
	d.of.open.Add(-1)
	return d.DB.Close()
}

// TestOpenCollectionsAreBounded: many accounts are served with few open collections, and what is idle is closed.
func TestOpenCollectionsAreBounded(t *testing.T) {
	t.Parallel()
	now := newClock()
	counts := &counting{Collections: memstore.NewCollections()}
	s := &syncserver.Server{Now: now.now, Collections: counts, Limits: syncserver.Limits{Open: 3}}
	url := serve(t, s)
	var clients []*client
	for i := range 12 {
		clients = append(clients, newClient(t, s, url, fmt.Sprint("user", i)))
	}
	var wg sync.WaitGroup
	for _, c := range clients {
		wg.Go(func() {
			for range 5 {
				status := http.StatusServiceUnavailable
				for status == http.StatusServiceUnavailable { // on a slow machine there may be no room for long
					status, _ = c.call("sync/meta", []byte(metaRequest))
				}
				if status != http.StatusOK {
					t.Errorf("sync/meta: %d", status)
				}
			}
		})
	}
	wg.Wait()
	if most := counts.most.Load(); most > 3 {
		t.Errorf("%d collections were open at once", most)
	}
	now.advance(6 * time.Minute)
	if n := s.Sweep(now.now()); n != 0 || counts.open.Load() != 0 {
		t.Errorf("%d accounts, %d collections are open", n, counts.open.Load())
	}

	// Sessions make room only after a while; then the one that has waited longest does.
	for _, c := range clients[:3] {
		c.must("sync/start", []byte(startRequest))
		now.advance(time.Second)
	}
	now.advance(time.Minute)
	clients[3].must("sync/meta", []byte(metaRequest))
	for i, want := range []int{409, 200, 200} {
		clients[i].want(want, "sync/chunk", "{}")
	}
	if most := counts.most.Load(); most > 3 {
		t.Errorf("%d collections were open at once", most)
	}
}

// TestIdleEnds: an account that nobody uses is closed, and a session that nobody goes on with is rolled back, without anybody asking for it.
func TestIdleEnds(t *testing.T) {
	t.Parallel()
	s := &syncserver.Server{Limits: syncserver.Limits{Idle: 20 * time.Millisecond, Session: 40 * time.Millisecond}}
	c := newClient(t, s, serve(t, s), "ada")
	for range 3 { // the sweeps begin anew
		c.must("sync/start", []byte(startRequest))
		waitFor(t, func() bool { return s.Stats() == syncserver.Stats{} })
		c.want(409, "sync/finish", "{}")
		waitFor(t, func() bool { return s.Stats().Accounts == 0 })
	}
	m, err := wire.ParseMeta(c.must("sync/meta", []byte(metaRequest)))
	if err != nil || m.USN != 0 {
		t.Errorf("%+v %v", m, err)
	}
}

// TestNoUserWaitsForAnother: while one user's request holds the account, others are served; those of the account wait.
func TestNoUserWaitsForAnother(t *testing.T) {
	t.Parallel()
	gate := make(chan struct{})
	entered := make(chan struct{})
	s := &syncserver.Server{Collections: &slow{Collections: memstore.NewCollections(), gate: gate, entered: entered}}
	url := serve(t, s)
	ada, bob := newClient(t, s, url, "ada"), newClient(t, s, url, "bob")
	bob.must("sync/meta", []byte(metaRequest))
	ada.must("sync/meta", []byte(metaRequest))
	done := make(chan int, 2)
	for range 2 {
		go func() { done <- ada.post("sync/download", frame("{}")) }()
	}
	<-entered
	for range 20 {
		bob.must("sync/start", []byte(startRequest))
		bob.must("sync/finish", []byte("{}"))
	}
	select {
	case <-done:
		t.Error("ada's download did not wait")
	default:
	}
	close(gate)
	for range 2 {
		if status := <-done; status != 200 {
			t.Error(status)
		}
	}
}

// slow makes snapshots only when told to.
type slow struct {
	store.Collections
	gate, entered chan struct{}
	once          sync.Once
}

func (s *slow) Snapshot(ctx context.Context, id store.AccountID) (store.File, error) {
	s.once.Do(func() { close(s.entered) })
	<-s.gate
	return s.Collections.Snapshot(ctx, id)
}

// TestTooManyRequests: one account cannot take everything.
func TestTooManyRequests(t *testing.T) {
	t.Parallel()
	gate := make(chan struct{})
	entered := make(chan struct{})
	s := &syncserver.Server{
		Collections: &slow{Collections: memstore.NewCollections(), gate: gate, entered: entered},
		Limits:      syncserver.Limits{Requests: 2},
	}
	url := serve(t, s)
	ada, bob := newClient(t, s, url, "ada"), newClient(t, s, url, "bob")
	done := make(chan int, 2)
	go func() { done <- ada.post("sync/download", frame("{}")) }()
	<-entered
	go func() {
		status := http.StatusServiceUnavailable
		for status == http.StatusServiceUnavailable { // one of those below may have come first
			status = ada.post("sync/abort", frame("{}"))
		}
		done <- status
	}()
	for { // a body that does not parse is refused without waiting for the account
		resp := do(t, "POST", url+"sync/abort", wire.NewCodec().Compress(nil, []byte("null")), map[string]string{"anki-sync": ada.header()})
		if resp.StatusCode == http.StatusServiceUnavailable && resp.Header.Get("Retry-After") == "1" {
			break
		}
	}
	bob.must("sync/meta", []byte(metaRequest))
	close(gate)
	<-done
	<-done
	ada.must("sync/meta", []byte(metaRequest))
}

// TestLeases: a node sends clients to the one that serves the account, and takes the account over when that has closed it.
func TestLeases(t *testing.T) {
	t.Parallel()
	accounts, collections, leases := memstore.NewAccounts(), memstore.NewCollections(), memstore.NewLeases("http://first.example/")
	first := &syncserver.Server{Accounts: accounts, Collections: collections, Leases: leases}
	second := &syncserver.Server{Accounts: accounts, Collections: collections, Leases: leases.Beside("http://second.example/")}
	a := newClient(t, first, serve(t, first), "ada")
	b := *a
	b.url = serve(t, second)
	a.must("sync/upload", fixture(t, "stock.anki2"))
	header := map[string]string{"anki-sync": b.header()}
	body := wire.NewCodec().Compress(nil, []byte(metaRequest))
	if resp := do(t, "POST", b.url+"sync/meta", body, header); resp.StatusCode != 308 || resp.Header.Get("Location") != "http://first.example/" {
		t.Errorf("meta: %d %v", resp.StatusCode, resp.Header)
	}
	b.want(503, "sync/download", "{}")
	if n := first.Sweep(time.Now().Add(time.Hour)); n != 0 {
		t.Fatal(n)
	}
	if m, err := wire.ParseMeta(b.must("sync/meta", []byte(metaRequest))); err != nil || m.Empty {
		t.Errorf("%+v %v", m, err)
	}
	a.want(308, "sync/meta", metaRequest)
}

// TestRemoveUser: an account goes with all its data, whoever serves it, and the name is free for somebody else.
func TestRemoveUser(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := onDisk(t, dir)
	url := serve(t, s)
	for _, elsewhere := range []bool{false, true} {
		c := newClient(t, s, url, "Ada")
		a, err := s.Accounts.ByName(t.Context(), "ada")
		coretest.Must(t, err)
		c.must("sync/upload", fixture(t, "stock.anki2"))
		c.must("sync/upload", fixture(t, "stock.anki2"))
		by := s
		if elsewhere { // another process, as cardferry user
			by = onDisk(t, dir)
		}
		coretest.Must(t, by.RemoveUser(t.Context(), "ADA"))
		coretest.WantKind(t, by.RemoveUser(t.Context(), "ADA"), fault.NotFound)
		if elsewhere {
			coretest.Must(t, by.Close(t.Context()))
			s.Sweep(time.Now().Add(time.Hour))
		}
		c.want(403, "sync/meta", metaRequest)
		_, err = s.Collections.Open(t.Context(), a.ID)
		coretest.WantKind(t, err, fault.NotFound)
		if list, err := s.Collections.Backups(t.Context(), a.ID); err != nil || len(list) > 0 {
			t.Errorf("backups: %v %v", list, err)
		}
		heir := newClient(t, s, url, "ada")
		if m, err := wire.ParseMeta(heir.must("sync/meta", []byte(metaRequest))); err != nil || !m.Empty {
			t.Errorf("%+v %v", m, err)
		}
		coretest.Must(t, s.RemoveUser(t.Context(), "ada"))
	}
}

// TestStorageFails: what the storage cannot do is a 500, or 503 if another try may help, and the next request starts anew.
func TestStorageFails(t *testing.T) {
	t.Parallel()
	counts := &counting{Collections: memstore.NewCollections()}
	s := &syncserver.Server{Collections: counts}
	c := newClient(t, s, serve(t, s), "ada")
	for kind, want := range map[fault.Kind]int{
		fault.StorageFull: 500, fault.NotWritable: 500, fault.DamagedFile: 500, fault.Other: 500, fault.Busy: 503,
	} {
		err := error(fault.New(kind, "as told"))
		counts.fail.Store(&err)
		c.want(want, "sync/meta", metaRequest)
		c.want(want, "sync/start", startRequest)
		c.want(409, "sync/chunk", "{}")
		counts.fail.Store(nil)
	}
	c.must("sync/meta", []byte(metaRequest))
}

// TestPanicsEndNothing: a defect ends one request.
func TestPanicsEndNothing(t *testing.T) {
	t.Parallel()
	s := &syncserver.Server{Collections: &panicking{Collections: memstore.NewCollections()}}
	c := newClient(t, s, serve(t, s), "ada")
	c.must("sync/start", []byte(startRequest))
	c.want(500, "sync/download", "{}")
	c.want(409, "sync/chunk", "{}")
	c.must("sync/start", []byte(startRequest))
	c.must("sync/finish", []byte("{}"))
}

type panicking struct{ store.Collections }

func (p *panicking) Snapshot(context.Context, store.AccountID) (store.File, error) { panic("a defect") }
