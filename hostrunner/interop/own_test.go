package interop_test

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"os"

	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/syncserver"
	"github.com/cardferry/cardferry/hostrunner/syncserver/diskstore"
)

// ownServer is our server, with the accounts of the harness.
type ownServer struct {
	server *anki.Server
	http   *httptest.Server
	sync   *syncserver.Server
}

const ownUsers = 16

// throughOwn reports whether the scenarios use our server in the place of the real one.
func throughOwn() bool { return os.Getenv("CARDFERRY_SERVER") == "ours" }

// startOwn starts our server with its data in dir.
func startOwn(dir string) (*ownServer, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	accounts, err := diskstore.OpenAccounts(dir)
	if err != nil {
		return nil, err
	}
	s := &syncserver.Server{
		Accounts: accounts, Blobs: diskstore.NewBlobs(dir), Collections: diskstore.NewCollections(dir), Leases: diskstore.NewLeases(dir, ""),
	}
	if os.Getenv("CARDFERRY_SERVER_LOG") != "" {
		s.Log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	settings := anki.Settings(ownUsers)
	users, err := syncserver.FixedUsers(func(name string) (string, bool) { v, ok := settings[name]; return v, ok })
	if err == nil {
		err = s.Users().SetFixed(context.Background(), users)
	}
	if err != nil {
		return nil, err
	}
	h := httptest.NewServer(s)
	return &ownServer{anki.ServerAt(h.URL+"/", ownUsers), h, s}, nil
}

func (o *ownServer) close() {
	o.http.Close()
	_ = o.sync.Close(context.Background())
}
