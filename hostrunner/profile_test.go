package hostrunner_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/colsync"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/service"
	"github.com/cardferry/cardferry/hostrunner"
)

var engines = []hostrunner.Engine{hostrunner.Wazero, hostrunner.Native}

// eachEngine runs a test on both engines.
func eachEngine(t *testing.T, test func(t *testing.T, o hostrunner.OpenOptions)) {
	t.Parallel()
	for _, e := range engines {
		t.Run(e.String(), func(t *testing.T) {
			t.Parallel()
			test(t, hostrunner.OpenOptions{Dir: t.TempDir(), Engine: e, Create: true, ClientName: "test/1"})
		})
	}
}

var shared = sync.OnceValues(func() (*hostrunner.Runtime, error) {
	return hostrunner.New(context.Background(), hostrunner.Options{})
})

func open(t *testing.T, o hostrunner.OpenOptions) *hostrunner.Profile {
	t.Helper()
	rt, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	p, err := rt.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func wantKind(t *testing.T, err error, kind fault.Kind) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("got the error %v (%v), want %v", err, fault.KindOf(err), kind)
	}
}

func TestNewCollection(t *testing.T) {
	eachEngine(t, func(t *testing.T, o hostrunner.OpenOptions) {
		p := open(t, o)
		s, err := p.Status(t.Context(), service.StatusParams{Offline: true})
		if err != nil || s.Required != "none" || !s.UploadOK {
			t.Errorf("status %+v, %v", s, err)
		}
		cols, rows, err := p.Query(t.Context(), "SELECT ver AS v, ? AS x FROM col", "y")
		if err != nil || !slices.Equal(cols, []string{"v", "x"}) || len(rows) != 1 || rows[0][0] != int64(18) || rows[0][1] != "y" {
			t.Errorf("query %v %v, %v", cols, rows, err)
		}
		_, _, err = p.Query(t.Context(), "DELETE FROM col")
		wantKind(t, err, fault.InvalidInput)
		v, err := p.Version(t.Context())
		if err != nil || v.Version != service.Version {
			t.Errorf("version %+v, %v", v, err)
		}
		b, err := p.Backups(t.Context())
		if err != nil || len(b.Backups) != 0 {
			t.Errorf("backups %+v, %v", b, err)
		}
		_, err = p.Restore(t.Context(), service.RestoreParams{ID: "none"})
		wantKind(t, err, fault.NotFound)
	})
}

func TestOneOpener(t *testing.T) {
	eachEngine(t, func(t *testing.T, o hostrunner.OpenOptions) {
		rt, err := shared()
		if err != nil {
			t.Fatal(err)
		}
		p := open(t, o)
		_, err = rt.Open(t.Context(), o)
		wantKind(t, err, fault.Busy)
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		_, err = p.Status(t.Context(), service.StatusParams{Offline: true})
		wantKind(t, err, fault.Closed)
		open(t, o)
	})
}

func TestMissing(t *testing.T) {
	eachEngine(t, func(t *testing.T, o hostrunner.OpenOptions) {
		rt, err := shared()
		if err != nil {
			t.Fatal(err)
		}
		o.Create = false
		p := open(t, o)
		_, err = p.Status(t.Context(), service.StatusParams{Offline: true})
		wantKind(t, err, fault.NotFound)
		o.Dir = filepath.Join(o.Dir, "none")
		_, err = rt.Open(t.Context(), o)
		wantKind(t, err, fault.NotFound)
		o.Dir = ""
		_, err = rt.Open(t.Context(), o)
		wantKind(t, err, fault.InvalidInput)
		o.Create, o.Dir = true, filepath.Join(t.TempDir(), "link")
		if err := os.Symlink("nowhere", o.Dir); err != nil {
			t.Fatal(err)
		}
		_, err = rt.Open(t.Context(), o)
		wantKind(t, err, fault.NotFound)
	})
}

// TestSameErrors: kind, message, hint and details do not depend on the engine.
func TestSameErrors(t *testing.T) {
	t.Parallel()
	var texts []string
	for _, e := range engines {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, host.Collection), []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
			t.Fatal(err)
		}
		p := open(t, hostrunner.OpenOptions{Dir: dir, Engine: e})
		_, err := p.Status(t.Context(), service.StatusParams{Offline: true})
		wantKind(t, err, fault.DamagedFile)
		f, _ := errors.AsType[*fault.Error](err)
		texts = append(texts, f.Message+"|"+f.Hint)
		_, err = p.Login(t.Context(), service.LoginParams{Endpoint: "http://127.0.0.1:1/", User: "u", Password: "p"})
		wantKind(t, err, fault.Network)
		texts = append(texts, err.Error())
		dir = t.TempDir()
		if err := os.Symlink("/nowhere", filepath.Join(dir, host.Collection)); err != nil {
			t.Fatal(err)
		}
		_, err = open(t, hostrunner.OpenOptions{Dir: dir, Engine: e}).Status(t.Context(), service.StatusParams{Offline: true})
		wantKind(t, err, fault.UnsupportedFile)
		f, _ = errors.AsType[*fault.Error](err)
		texts = append(texts, f.Message+"|"+f.Hint)
	}
	if n := len(texts) / 2; !slices.Equal(texts[:n], texts[n:]) {
		t.Errorf("the engines differ: %q", texts)
	}
}

// TestCancelLogin cancels while the server does not answer.
func TestCancelLogin(t *testing.T) {
	eachEngine(t, func(t *testing.T, o hostrunner.OpenOptions) {
		arrived := make(chan struct{}, 8)
		srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // a server notices a closed connection only after the body
			arrived <- struct{}{}
			<-r.Context().Done()
		}))
		defer srv.Close()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		p := open(t, o)
		done := make(chan error)
		go func() {
			_, err := p.Login(ctx, service.LoginParams{Endpoint: srv.URL, User: "u", Password: "p"})
			done <- err
		}()
		<-arrived
		cancel()
		began := time.Now()
		wantKind(t, <-done, fault.Cancelled)
		if d := time.Since(began); d > 10*time.Second {
			t.Errorf("took %v", d)
		}
		_, err := p.Login(ctx, service.LoginParams{})
		wantKind(t, err, fault.Cancelled)
	})
}

// panicking is a network with a defect: the first times requests make it panic.
type panicking struct {
	host.HTTP
	times int
}

func (p *panicking) Start(ctx context.Context, req *host.Request) host.Call {
	if p.times--; p.times >= 0 {
		panic("ouch")
	}
	return p.HTTP.Start(ctx, req)
}

// TestCrash: a panic ends the call with fault.Internal; the next call works on a new instance.
func TestCrash(t *testing.T) {
	eachEngine(t, func(t *testing.T, o hostrunner.OpenOptions) {
		defect := &panicking{times: 1}
		o.Wrap = func(h host.Host) host.Host {
			defect.HTTP = h.HTTP
			h.HTTP = defect
			return h
		}
		p := open(t, o)
		if _, err := p.Status(t.Context(), service.StatusParams{Offline: true}); err != nil {
			t.Fatal(err)
		}
		account := &colsync.Account{Endpoint: "http://127.0.0.1:1/", Key: "k"}
		_, err := p.Sync(t.Context(), service.SyncParams{Account: account})
		wantKind(t, err, fault.Internal)
		_, err = p.Sync(t.Context(), service.SyncParams{Account: account})
		wantKind(t, err, fault.Network)
	})
}

// TestQueryFirst: a query as a profile's first call opens the collection, as any other method does.
func TestQueryFirst(t *testing.T) {
	eachEngine(t, func(t *testing.T, o hostrunner.OpenOptions) {
		if _, rows, err := open(t, o).Query(t.Context(), "SELECT count() FROM notes"); err != nil || len(rows) != 1 {
			t.Errorf("got %v, %v", rows, err)
		}
		o.Dir, o.Create = t.TempDir(), false
		p := open(t, o)
		_, _, err := p.Query(t.Context(), "SELECT 1")
		wantKind(t, err, fault.NotFound)
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		for range 8 {
			_, _, err = p.Query(ended, "SELECT 1")
			wantKind(t, err, fault.Cancelled)
		}
	})
}

// TestRuntimeClosedFirst: a profile that is in use when its runtime is closed goes on, where running the guest's released code took the
// program down; others are told.
func TestRuntimeClosedFirst(t *testing.T) {
	eachEngine(t, func(t *testing.T, o hostrunner.OpenOptions) {
		rt, err := hostrunner.New(t.Context(), hostrunner.Options{})
		if err != nil {
			t.Fatal(err)
		}
		offline := service.StatusParams{Offline: true}
		used, err := rt.Open(t.Context(), o)
		if err == nil {
			_, err = used.Status(t.Context(), offline)
		}
		o.Dir = t.TempDir()
		unused, uerr := rt.Open(t.Context(), o)
		if err = errors.Join(err, uerr, rt.Close(t.Context()), rt.Close(t.Context())); err != nil {
			t.Fatal(err)
		}
		if _, err := used.Status(t.Context(), offline); err != nil {
			t.Error(err)
		}
		_, err = unused.Status(t.Context(), offline)
		wantKind(t, err, fault.Closed)
		if err := errors.Join(used.Close(), unused.Close()); err != nil {
			t.Error(err)
		}
	})
}

// TestSharedCache: several runtimes, as in several processes, share a cache folder; a broken cache does no harm, and does not last.
func TestSharedCache(t *testing.T) {
	t.Parallel()
	cache := t.TempDir()
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() { useRuntime(t, cache) })
	}
	wg.Wait()
	files, _ := filepath.Glob(filepath.Join(cache, "*", "*"))
	if len(files) == 0 {
		t.Fatal("nothing is cached")
	}
	for _, f := range files {
		if err := os.WriteFile(f, []byte("broken"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	useRuntime(t, cache)
	for _, f := range files {
		if info, err := os.Stat(f); err != nil || info.Size() < 1<<20 {
			t.Errorf("the broken cache was not made anew: %v, %v", info, err)
		}
	}
	if err := os.WriteFile(filepath.Join(cache, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	useRuntime(t, filepath.Join(cache, "file"))
}

func useRuntime(t *testing.T, cache string) {
	rt, err := hostrunner.New(t.Context(), hostrunner.Options{CacheDir: cache})
	if err != nil {
		t.Error(err)
		return
	}
	defer rt.Close(context.Background())
	p, err := rt.Open(t.Context(), hostrunner.OpenOptions{Dir: t.TempDir()})
	if err != nil {
		t.Error(err)
		return
	}
	defer p.Close()
	if _, err := p.Version(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestWrongGuest(t *testing.T) {
	t.Parallel()
	for name, guest := range map[string]string{"not Wasm": "hello", "empty module": "\x00asm\x01\x00\x00\x00"} {
		rt, err := hostrunner.New(t.Context(), hostrunner.Options{Guest: []byte(guest), CacheDir: "-"})
		if err != nil {
			t.Fatal(err)
		}
		p, err := rt.Open(t.Context(), hostrunner.OpenOptions{Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		if _, err = p.Version(t.Context()); !errors.Is(err, fault.Internal) {
			t.Errorf("%s: got %v", name, err)
		}
		if err := errors.Join(p.Close(), rt.Close(t.Context())); err != nil {
			t.Errorf("%s: close: %v", name, err)
		}
	}
}

func TestEngineNames(t *testing.T) {
	t.Parallel()
	for _, e := range engines {
		if got, err := hostrunner.ParseEngine(e.String()); err != nil || got != e {
			t.Errorf("%v: got %v, %v", e, got, err)
		}
	}
	_, err := hostrunner.ParseEngine("steam")
	wantKind(t, err, fault.InvalidInput)
}
