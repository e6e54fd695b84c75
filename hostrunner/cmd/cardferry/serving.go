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
	"strings"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/gateway"
	"github.com/cardferry/cardferry/hostrunner/metrics"
	"github.com/cardferry/cardferry/hostrunner/syncserver"
	"github.com/cardferry/cardferry/hostrunner/syncserver/diskstore"
)

// serving is a server with everything that belongs to it.
type serving struct {
	set      *serveSettings
	log      *slog.Logger
	accounts *diskstore.Accounts
	sync     *syncserver.Server
	gateway  *gateway.Gateway // nil: no upstreams
	metrics  http.Handler
}

// newServing opens the data folder and puts the server together.
func newServing(ctx context.Context, set *serveSettings, log *slog.Logger) (*serving, error) {
	accounts, err := diskstore.OpenAccounts(set.dir)
	if err != nil {
		return nil, err
	}
	m := metrics.New()
	s := &serving{set: set, log: log, accounts: accounts, metrics: m.Handler()}
	s.sync = &syncserver.Server{
		Accounts: accounts, Blobs: diskstore.NewBlobs(set.dir), Collections: diskstore.NewCollections(set.dir),
		Leases: diskstore.NewLeases(set.dir, ""),
		Limits: syncserver.Limits{Payload: set.payload}, SignupClosed: set.signupClosed, Origins: set.origins,
		ClientIP: clientIP(set.ipHeader), Log: log, Observe: m.Observe, Rest: s.rest,
	}
	m.Gauge("cardferry_open_accounts", "Accounts that are being served.", func() float64 { return float64(s.sync.Stats().Accounts) })
	m.Gauge("cardferry_open_collections", "Collections that are open.", func() float64 { return float64(s.sync.Stats().Collections) })
	m.Gauge("cardferry_sessions", "Normal syncs under way.", func() float64 { return float64(s.sync.Stats().Sessions) })
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

// rest serves what is none of the sync server's own paths.
func (s *serving) rest(r *http.Request) (endpoint string, h http.Handler) {
	switch path := r.URL.Path; {
	case path == "/":
		return "app", http.HandlerFunc(servePage)
	case path == "/metrics":
		return "metrics", readOnly(s.metrics)
	case strings.HasPrefix(path, gateway.Prefix) && s.gateway != nil:
		return s.gateway.Endpoint(r), s.gateway
	}
	return "", nil
}

// sweepEvery is how often files of removed accounts are looked for.
const sweepEvery = 10 * time.Minute

// sweep removes what cardferry user could not remove while a server had it open.
func (s *serving) sweep(ctx context.Context) {
	n, err := diskstore.Sweep(ctx, s.set.dir, s.accounts)
	if err != nil && ctx.Err() == nil {
		s.log.Error("remove the files of removed accounts", "error", err.Error())
	}
	if n > 0 {
		s.log.Info("removed the files of removed accounts", "count", n)
	}
}

// keepSweeping sweeps now and then.
func (s *serving) keepSweeping(ctx context.Context) {
	for ticker := time.NewTicker(sweepEvery); ; {
		select {
		case <-ticker.C:
			s.sweep(ctx)
		case <-ctx.Done():
			ticker.Stop()
			return
		}
	}
}
