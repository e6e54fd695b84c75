package interop_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/syncserver"
	"github.com/cardferry/cardferry/hostrunner/syncserver/diskstore"
)

// ownServer is our server, with the accounts of the harness.
type ownServer struct {
	server *anki.Server
	http   *httptest.Server
	sync   atomic.Pointer[syncserver.Server]
	dir    string
	users  int
}

const ownUsers = 16

// throughOwn reports whether the scenarios use our server in the place of the real one.
func throughOwn() bool { return os.Getenv("CARDFERRY_SERVER") == "ours" }

// startOwn starts our server with its data in dir.
func startOwn(dir string, users int) (*ownServer, error) {
	o := &ownServer{dir: dir, users: users}
	if err := o.open(); err != nil {
		return nil, err
	}
	o.http = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { o.sync.Load().ServeHTTP(w, r) }))
	o.server = anki.ServerAt(o.http.URL+"/", users)
	return o, nil
}

// open opens the data folder.
func (o *ownServer) open() error {
	if err := os.MkdirAll(o.dir, 0o700); err != nil {
		return err
	}
	accounts, err := diskstore.OpenAccounts(o.dir)
	if err != nil {
		return err
	}
	s := &syncserver.Server{
		Accounts: accounts, Blobs: diskstore.NewBlobs(o.dir), Collections: diskstore.NewCollections(o.dir), Leases: diskstore.NewLeases(o.dir, ""),
	}
	if os.Getenv("CARDFERRY_SERVER_LOG") != "" {
		s.Log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	settings := anki.Settings(o.users)
	users, err := syncserver.FixedUsers(func(name string) (string, bool) { v, ok := settings[name]; return v, ok })
	if err == nil {
		err = s.Users().SetFixed(context.Background(), users)
	}
	o.sync.Store(s)
	return err
}

func (o *ownServer) close() {
	o.http.Close()
	_ = o.sync.Load().Close(context.Background())
}

// whileStopped closes the data folder for the time of do, which gets the folder of an account.
func (o *ownServer) whileStopped(t testing.TB, acc *anki.Account, do func(dir string)) {
	t.Helper()
	dir := o.folder(t, acc)
	must(t, o.sync.Load().Close(t.Context()))
	do(dir)
	must(t, o.open())
}

// folder is where an account's files are.
func (o *ownServer) folder(t testing.TB, acc *anki.Account) string {
	t.Helper()
	a, err := o.sync.Load().Accounts.ByName(t.Context(), acc.User)
	must(t, err)
	return filepath.Join(o.dir, "accounts", string(a.ID))
}

// wipeMedia makes the server forget all media of the account, as anki.Account.WipeMedia does with the real one.
func (o *ownServer) wipeMedia(t testing.TB, acc *anki.Account) {
	t.Helper()
	o.whileStopped(t, acc, func(dir string) {
		must(t, errors.Join(os.Remove(filepath.Join(dir, "media.db")), os.RemoveAll(filepath.Join(dir, "media"))))
	})
}

// keepMedia keeps the state of an account's media, as anki.Account.KeepMedia does with that of the real server.
func (o *ownServer) keepMedia(t testing.TB, acc *anki.Account) (restore func()) {
	t.Helper()
	kept := t.TempDir()
	o.whileStopped(t, acc, func(dir string) { must(t, os.CopyFS(kept, os.DirFS(dir))) })
	return func() {
		t.Helper()
		o.wipeMedia(t, acc)
		o.whileStopped(t, acc, func(dir string) {
			must(t, os.CopyFS(filepath.Join(dir, "media"), os.DirFS(filepath.Join(kept, "media"))))
			db, err := os.ReadFile(filepath.Join(kept, "media.db"))
			must(t, errors.Join(err, os.WriteFile(filepath.Join(dir, "media.db"), db, 0o600)))
		})
	}
}

// mediaPath is where the account's file with this content is on the server's disk.
func (o *ownServer) mediaPath(t testing.TB, acc *anki.Account, content string) string {
	t.Helper()
	must(t, o.sync.Load().Blobs.Close()) // makes files of what is in journals
	sum := anki.SHA1([]byte(content))
	return filepath.Join(o.folder(t, acc), "media", sum[:2], sum)
}
