package interop_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"testing"

	"github.com/cardferry/cardferry/core/service"
	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/browsertest"
	"github.com/cardferry/cardferry/hostrunner/nodetest"
)

// place is where a guest runs outside of this process.
type place interface {
	// call makes a call of the guest; the end of ctx cancels it.
	call(ctx context.Context, method string, params, result any) error
	// reach says which server the following calls talk to.
	reach(endpoint string)
	// load replaces the collection by a file; export writes it to one.
	load(path string) error
	export(path string) error
}

// remote is a profile in another place. Before each call the file at path is put there if it has changed, and afterwards it
// is fetched back: for a scenario it is the collection, as it is for the engines of the Go library.
type remote struct {
	place
	path string
	seen [32]byte
}

// newRemote opens the profile of a place; a file at path becomes its collection.
func newRemote(t testing.TB, p place, path string) *remote {
	t.Helper()
	r := &remote{place: p, path: path}
	if err := r.do(t.Context(), service.MethodStatus, "", service.StatusParams{Offline: true}, nil); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *remote) do(ctx context.Context, method, endpoint string, params, result any) error {
	now, err := os.ReadFile(r.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err == nil && sha256.Sum256(now) != r.seen {
		if err := r.load(r.path); err != nil {
			return err
		}
	}
	if endpoint != "" {
		r.reach(endpoint)
	}
	err = r.call(ctx, method, params, result)
	return errors.Join(err, r.fetch())
}

func (r *remote) fetch() error {
	if err := r.export(r.path + ".new"); err != nil {
		return err
	}
	now, err := os.ReadFile(r.path + ".new")
	if err != nil {
		return err
	}
	r.seen = sha256.Sum256(now)
	return os.Rename(r.path+".new", r.path)
}

func (r *remote) Status(ctx context.Context, p service.StatusParams) (s service.StatusResult, err error) {
	return s, r.do(ctx, service.MethodStatus, "", p, &s)
}

func (r *remote) Sync(ctx context.Context, p service.SyncParams) (s service.SyncResult, err error) {
	return s, r.do(ctx, service.MethodSync, p.Account.Endpoint, p, &s)
}

func (r *remote) Upload(ctx context.Context, p service.TransferParams) (s service.TransferResult, err error) {
	return s, r.do(ctx, service.MethodUpload, p.Account.Endpoint, p, &s)
}

func (r *remote) Download(ctx context.Context, p service.TransferParams) (s service.TransferResult, err error) {
	return s, r.do(ctx, service.MethodDownload, p.Account.Endpoint, p, &s)
}

func (r *remote) Backups(ctx context.Context) (b service.BackupsResult, err error) {
	return b, r.do(ctx, service.MethodBackups, "", nil, &b)
}

func (r *remote) Restore(ctx context.Context, p service.RestoreParams) (s service.RestoreResult, err error) {
	return s, r.do(ctx, service.MethodRestore, "", p, &s)
}

// Close does nothing: the place ends with the test.
func (r *remote) Close() error { return nil }

// node is a guest under Node.
type node struct{ *nodetest.Host }

func startNode(t testing.TB, build string) place {
	t.Helper()
	n := node{nodetest.Start(t, build)}
	if err := n.Call(service.MethodOpen, service.OpenParams{Client: "test/1", Create: true}, nil); err != nil {
		t.Fatal(err)
	}
	return n
}

func (n node) reach(string) {} // each call has the endpoint

func (n node) call(ctx context.Context, method string, params, result any) error {
	defer context.AfterFunc(ctx, n.Cancel)()
	return n.Call(method, params, result)
}

func (n node) load(path string) error {
	if err := n.Call(service.MethodClose, nil, nil); err != nil {
		return err
	}
	if err := n.Call("import", map[string]any{"path": path}, nil); err != nil {
		return err
	}
	return n.Call(service.MethodOpen, service.OpenParams{Client: "test/1"}, nil)
}

func (n node) export(path string) error { return n.Call("export", map[string]any{"path": path}, nil) }

// page is a page of Chromium that is logged in. It reaches the sync server through its own origin.
type page struct {
	*browsertest.Page
	server *browsertest.Server
	t      testing.TB
}

func startPage(t testing.TB, acc *anki.Account, endpoint string) place {
	t.Helper()
	server := browsertest.NewServer(t, endpoint)
	p := page{browsertest.Start(t).Open(t, server.URL), server, t}
	p.Run(t, nil, `await open(); await ferry.login({user: args[0], password: args[1]})`, acc.User, anki.Password)
	return p
}

func (p page) reach(endpoint string) { p.server.Forward(p.t, endpoint) }

// calls are the methods in the page's API.
var calls = map[string]string{
	service.MethodStatus:   `return ferry.refresh({offline: args[0].offline, signal})`,
	service.MethodSync:     `return ferry.sync({onConflict: args[0].on_conflict || "ask", signal})`,
	service.MethodUpload:   `return ferry.upload({backup: args[0].backup, signal})`,
	service.MethodDownload: `return ferry.download({backup: args[0].backup, signal})`,
	service.MethodBackups:  `return {backups: await ferry.backups.list()}`,
	service.MethodRestore:  `return ferry.backups.restore(args[0].id)`,
}

func (p page) call(ctx context.Context, method string, params, result any) error {
	const cancellable = `const controller = new AbortController(); globalThis.cancelCall = () => controller.abort(); const { signal } = controller; `
	defer context.AfterFunc(ctx, func() { _ = p.Try(p.t, nil, `cancelCall()`) })()
	var answer json.RawMessage
	if err := p.Try(p.t, &answer, cancellable+calls[method], params); err != nil || result == nil {
		return err
	}
	return json.Unmarshal(answer, result)
}

func (p page) load(path string) error   { p.ImportCollection(p.t, path); return nil }
func (p page) export(path string) error { p.ExportCollection(p.t, path); return nil }
