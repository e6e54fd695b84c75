package interop_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/colsync"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/service"
	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
)

// device is one of a user's devices.
type device interface {
	editor
	name() string
	// sync makes a normal sync, which must succeed.
	sync(t testing.TB)
	dump(t testing.TB) anki.Dump
}

// real is a device with the real client.
type real struct {
	realEditor
	endpoint, key string
}

func (r *real) name() string                { return "real" }
func (r *real) dump(t testing.TB) anki.Dump { t.Helper(); return r.Dump(t) }

func (r *real) sync(t testing.TB) {
	t.Helper()
	o, err := r.Sync(r.endpoint, r.key)
	if err != nil || o.Required != "NO_CHANGES" {
		t.Fatalf("real client: %+v %v", o, err)
	}
}

// ours is a device of ours.
type ours struct {
	app
	profile profile
	account colsync.Account
	engine  engine
}

func (o *ours) name() string { return o.engine.String() }

func (o *ours) try(ctx context.Context) (service.SyncResult, error) {
	return o.profile.Sync(ctx, service.SyncParams{Account: &o.account})
}

func (o *ours) sync(t testing.TB) {
	t.Helper()
	r, err := o.try(t.Context())
	if err != nil {
		t.Fatalf("%s: %v", o.name(), err)
	}
	if r.Required != colsync.RequiredNone {
		t.Fatalf("%s: %s is required after a sync", o.name(), r.Required)
	}
}

func (o *ours) dump(t testing.TB) anki.Dump { t.Helper(); return anki.Read(t, o.path) }

// intact fails if our file is damaged.
func (o *ours) intact(t testing.TB) {
	t.Helper()
	db, err := sqlitehost.OpenFile(o.path, host.ReadOnly)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := collection.CheckIntegrity(db); err != nil {
		t.Fatal(err)
	}
}

// checked fails if the real client's database check finds something in our file.
func (o *ours) checked(t testing.TB) {
	t.Helper()
	o.intact(t)
	found, err := get(t, shared.agent).Check(o.export(t))
	if err != nil || found != "" {
		t.Fatalf("database check of our file: %s %v", found, err)
	}
}

// export returns a copy of our file while it is open.
func (o *ours) export(t testing.TB) string {
	t.Helper()
	db, err := sqlitehost.OpenFile(o.path, host.ReadOnly)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	dir := t.TempDir()
	// The copy is made by SQL, as CopyInto of this connection writes beside the file only.
	if err := db.Exec("VACUUM INTO '" + filepath.Join(dir, "copy.anki2") + "'"); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "copy.anki2")
}

// open opens a folder with one of our engines. file, if not nil, becomes the collection.
func open(t testing.TB, e engine, acc *anki.Account, endpoint string, file []byte) *ours {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, host.Collection)
	if file != nil {
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return reopen(t, e, acc, endpoint, dir)
}

// reopen opens a folder that has a collection.
func reopen(t testing.TB, e engine, acc *anki.Account, endpoint, dir string) *ours {
	t.Helper()
	path := filepath.Join(dir, host.Collection)
	p, err := e.open(t, acc, endpoint, path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return &ours{
		app: app{path}, profile: p, engine: e,
		account: colsync.Account{Endpoint: endpoint, Key: acc.Key},
	}
}

// setup is a user with one device of ours, one real one, an account, and a proxy before the server. All three start as the
// world.
type setup struct {
	*world
	acc   *anki.Account
	proxy *anki.Proxy
	ours  *ours
	real  *real
}

func newSetup(t testing.TB, e engine) *setup {
	t.Helper()
	s := newOurs(t, e)
	s.addReal(t, s.file)
	return s
}

// newOurs is newSetup without a real client.
func newOurs(t testing.TB, e engine) *setup {
	t.Helper()
	server := get(t, shared.server)
	w := get(t, shared.seed)
	acc := server.Account(t)
	acc.Install(t, w.file)
	proxy := anki.NewProxy(t, server.URL)
	return &setup{world: w, acc: acc, proxy: proxy, ours: open(t, e, acc, proxy.URL, w.file)}
}

// addReal gives the user a real client; file, if not nil, is its collection.
func (s *setup) addReal(t testing.TB, file []byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "collection.anki2")
	if file != nil {
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.real = &real{realEditor{get(t, shared.agent).Client(t, path)}, get(t, shared.server).URL, s.acc.Key}
}

// settle syncs the devices in turn until each has what the others had. They never reach a state in which no sync is needed:
// each sync, empty or not, makes the server newer than the other devices.
func settle(t testing.TB, devices ...device) {
	t.Helper()
	for range 2 {
		for _, d := range devices {
			d.sync(t)
		}
	}
}

// agree fails unless our device, the server and, if there is one, the real client have the same content, nothing is
// pending, and the checks of both programs find nothing.
func (s *setup) agree(t testing.TB) anki.Dump {
	t.Helper()
	own := s.ours.dump(t)
	if s.real != nil {
		s.same(t, "the real client", own, s.real.dump(t))
	}
	s.same(t, "the server", own, anki.Read(t, s.acc.Download(t)))
	if p := own.Pending(); len(p) > 0 {
		t.Errorf("still pending: %v", p)
	}
	s.ours.checked(t)
	return own
}

func (s *setup) same(t testing.TB, who string, a, b anki.Dump) {
	t.Helper()
	if d := anki.Compare(a, b); len(d) > 0 {
		for _, line := range d {
			t.Log(line)
		}
		t.Fatalf("our collection (first) and that of %s differ", who)
	}
}
