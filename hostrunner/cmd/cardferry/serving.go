package main

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/gateway"
	"github.com/cardferry/cardferry/hostrunner/metrics"
	"github.com/cardferry/cardferry/hostrunner/syncserver"
	"github.com/cardferry/cardferry/hostrunner/syncserver/diskstore"
	"github.com/cardferry/cardferry/hostrunner/webapp"
)

// serving is a server with everything that belongs to it.
type serving struct {
	set      *serveSettings
	log      *slog.Logger
	accounts *diskstore.Accounts
	sync     *syncserver.Server
	gateway  *gateway.Gateway // nil: no upstreams
	app      *webapp.App      // nil: not built in; then page.html says what answers here
	metrics  *metrics.Metrics
	figures  http.Handler
	used     atomic.Bool // since giveBack has looked
}

// newServing opens the data folder and puts the server together.
func newServing(ctx context.Context, set *serveSettings, log *slog.Logger) (*serving, error) {
	accounts, err := diskstore.OpenAccounts(set.dir)
	if err != nil {
		return nil, err
	}
	m := metrics.New()
	s := &serving{set: set, log: log, accounts: accounts, app: webapp.New(), metrics: m, figures: readOnly(m.Handler())}
	s.sync = diskServer(set.dir, accounts)
	s.sync.Limits = set.limits
	s.sync.SignupClosed, s.sync.Origins, s.sync.ClientIP = set.signupClosed, set.origins, set.clientIP
	s.sync.Log, s.sync.Observe, s.sync.Rest = log, s.observe, s.rest
	m.Gauge("cardferry_open_accounts", "Accounts that are being served.", func() float64 { return float64(s.sync.Stats().Accounts) })
	m.Gauge("cardferry_open_collections", "Collections that are open.", func() float64 { return float64(s.sync.Stats().Collections) })
	m.Gauge("cardferry_sessions", "Normal syncs under way.", func() float64 { return float64(s.sync.Stats().Sessions) })
	m.Gauge("cardferry_listeners", "Connections that listen for events.", func() float64 { return float64(s.sync.Listeners()) })
	err = s.sync.Users().SetFixed(ctx, set.users)
	if err == nil && len(set.upstreams) > 0 {
		err = s.openGateway()
	}
	if err != nil {
		accounts.Close()
		return nil, err
	}
	return s, nil
}

// diskServer returns a server with its data in a folder.
func diskServer(dir string, accounts *diskstore.Accounts) *syncserver.Server {
	return &syncserver.Server{
		Accounts: accounts, Blobs: diskstore.NewBlobs(dir), Collections: diskstore.NewCollections(dir), Leases: diskstore.NewLeases(dir, ""),
	}
}

// openGateway makes the gateway to the upstreams.
func (s *serving) openGateway() error {
	key, err := gatewayKey(filepath.Join(s.set.dir, "gateway.key"))
	if err != nil {
		return err
	}
	s.gateway, err = gateway.New(gateway.Options{
		Upstreams: s.set.upstreams, Key: key, Log: s.log, ClientIP: s.sync.ClientIP, Login: s.sync.TryLogin,
	})
	return err
}

// gatewayKey reads the key that the gateway signs with, which is made the first time. If it is lost, clients go back to where they were
// configured to go.
func gatewayKey(name string) ([]byte, error) {
	const size = 32
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() { // reading a pipe would wait for its other end
		return nil, fault.New(fault.UnsupportedFile, "%s is not a file", filepath.Base(name)).WithHint("Move it away.")
	}
	key, err := os.ReadFile(name)
	if err == nil && len(key) == size {
		return key, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Wrap(fault.NotWritable, err, "read the gateway's key")
	}
	key = make([]byte, size)
	_, _ = rand.Read(key) // never fails
	tmp := name + ".tmp"
	_ = os.Remove(tmp) // left by a crash
	err = writeSynced(tmp, key)
	if err == nil {
		err = os.Rename(tmp, name)
	}
	return key, fault.Wrap(fault.NotWritable, err, "store the gateway's key")
}

// tidy removes what a killed server has left. Nobody has to wait for it.
func (s *serving) tidy(ctx context.Context) {
	if err := s.sync.RemoveLeftovers(ctx); err != nil && ctx.Err() == nil {
		s.log.Error("remove the data of removed accounts", "error", err.Error())
	}
}

// rest serves what is none of the sync server's own paths.
func (s *serving) rest(r *http.Request) (endpoint string, h http.Handler) {
	switch path := r.URL.Path; {
	case s.app.Has(path):
		return "app", readOnly(s.app)
	case path == "/":
		return "app", http.HandlerFunc(servePage)
	case path == "/metrics":
		return "metrics", s.figures
	case strings.HasPrefix(path, gateway.Prefix) && s.gateway != nil:
		return s.gateway.Endpoint(r), s.gateway
	}
	return "", nil
}

// observe counts a request that has ended.
func (s *serving) observe(o syncserver.Observation) {
	s.metrics.Observe(o)
	s.used.Store(true)
}

// quiet is how long nobody asks for anything before memory is given back.
const quiet = 5 * time.Second

// giveBack returns memory to the system when a burst of requests is over: a few password hashes leave 40 MB behind, which the runtime itself
// would keep for minutes, and a server of a family is idle most of the time.
func (s *serving) giveBack(ctx context.Context) {
	ticker := time.NewTicker(quiet)
	defer ticker.Stop()
	for pending := false; ; {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		if s.used.Swap(false) {
			pending = true
		} else if pending {
			pending = false
			debug.FreeOSMemory()
		}
	}
}
