// Package syncserver is a sync server that real clients of protocol 11 and ours sync with: accounts, collections and media
// of many users (shared/spec/collection-sync.md, media-sync.md), as an http.Handler. Its zero value serves from memory.
//
// A request goes through these files: routes.go finds the endpoint; request.go reads header and body, and knows whose
// device sends it; a method of the tables in methods.go does the work; answer.go sends what it returns. registry.go holds
// the accounts that are being served, and tenant.go one of them. One account at a time is the only lock, and it is not
// held while bodies are collected, hashed, checked or sent.
package syncserver

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/cardferry/cardferry/hostrunner/syncserver/memstore"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// Server is a sync server. Fields may be set before the first request only; what is not set has a default.
type Server struct {
	// Accounts, Blobs, Collections and Leases keep everything; each is in memory by default. Close closes Accounts and Blobs.
	Accounts    store.Accounts
	Blobs       store.Blobs
	Collections store.Collections
	Leases      store.Leases

	Limits Limits
	// Passwords says how passwords are hashed.
	Passwords Passwords
	// SignupClosed refuses sign-ups: accounts are made with Users only.
	SignupClosed bool
	// Origins are the web origins whose pages may send requests (CORS): "https://app.example", or "*" for all of them.
	Origins Origins
	// ClientIP tells where a request comes from, for logs and rate limits. By default that is the other end of the
	// connection; behind a proxy it is what the proxy says.
	ClientIP func(*http.Request) string
	// Log gets a line for every request and for what goes wrong. It never gets keys, passwords or bodies. None by default.
	Log *slog.Logger
	// Observe is called after every request, for metrics. It must return quickly.
	Observe func(Observation)
	// Changed is called after every change to an account's data that another of its devices wants to know of. It must return quickly.
	Changed func(Change)
	// Rest serves what is none of the server's own paths, with the same limits, log and metrics: it returns a handler, and a short name
	// of what is asked for (Observation.Endpoint). A nil handler is a 404, which is the default.
	Rest func(*http.Request) (endpoint string, h http.Handler)
	// Now tells the time; time.Now by default.
	Now func() time.Time

	once     sync.Once
	tenants  registry
	events   hub
	users    *Users
	limiters *limiters
	// crossOrigin refuses what pages of other origins send to /api/.
	crossOrigin *http.CrossOriginProtection
	large       largePlaces
	huge        chan struct{} // an element while a very large message is being handled
	roomy       chan struct{} // one element for every session with a larger page cache
	closing     chan struct{}
	closed      sync.Once
	requests    sync.WaitGroup
}

// Change says that an account's data has changed.
type Change struct {
	Account store.AccountID
	Device  store.DeviceID // the one that made the change
	USN     int64          // of the collection, -1 if that has not changed, or was replaced
	// MediaUSN is that of the media, -1 if they have not changed.
	MediaUSN int64
	// Empty says that the device has only fetched something: there is nothing new for others, although the number has changed.
	Empty bool
	// Replaced says that the device has uploaded another collection.
	Replaced bool
}

// start completes the settings.
func (s *Server) start() {
	s.once.Do(func() {
		if s.Accounts == nil {
			s.Accounts = memstore.NewAccounts()
		}
		if s.Blobs == nil {
			s.Blobs = memstore.NewBlobs()
		}
		if s.Collections == nil {
			s.Collections = memstore.NewCollections()
		}
		if s.Leases == nil {
			s.Leases = memstore.NewLeases("")
		}
		if s.ClientIP == nil {
			s.ClientIP = remoteIP
		}
		if s.Log == nil {
			s.Log = slog.New(slog.DiscardHandler)
		}
		if s.Now == nil {
			s.Now = time.Now
		}
		s.Limits = s.Limits.withDefaults()
		s.users = NewUsers(s.Accounts, &s.Passwords, s.Now)
		s.limiters = newLimiters(&s.Limits)
		s.crossOrigin = s.Origins.protection()
		s.large.init()
		s.huge = make(chan struct{}, 1)
		s.roomy = make(chan struct{}, roomySessions)
		s.closing = make(chan struct{})
		s.tenants.init(s)
		s.events.init(s)
	})
}

// Users returns what makes and changes accounts.
func (s *Server) Users() *Users {
	s.start()
	return s.users
}

// Close ends the service: requests that come from now on are refused, those under way are waited for until ctx ends, sessions are rolled
// back, and everything is closed. Clients whose session was rolled back sync again later, and lose nothing.
func (s *Server) Close(ctx context.Context) error {
	s.start()
	s.closed.Do(func() {
		close(s.closing)
		s.events.close()
	})
	done := make(chan struct{})
	go func() {
		s.requests.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
	err := s.tenants.close(ctx)
	return errors.Join(err, s.Blobs.Close(), s.Accounts.Close())
}

// changed tells of a change.
func (s *Server) changed(c Change) {
	if s.Changed != nil {
		s.Changed(c)
	}
	s.events.changed(c)
}
