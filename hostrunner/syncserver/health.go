package syncserver

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// health is what was found out last about the server's own state. Anybody may ask, so it is not found out each time.
type health struct {
	mu  sync.Mutex
	at  time.Time
	err error
}

// healthEvery is how old an answer may be.
const healthEvery = 5 * time.Second

// showHealth answers /health: 200, or 503 if nothing can be stored, or the accounts cannot be read. It is for programs that send users elsewhere then, or
// call somebody: the process itself is sound, and syncs that have begun are told what is wrong.
func (c *call) showHealth() {
	c.endpoint = "health"
	err := c.server.checkHealth(context.WithoutCancel(c.r.Context()))
	if err == nil {
		return
	}
	err = fault.Step("health", err)
	c.failWith(err, func() { c.text(http.StatusServiceUnavailable, healthText(err)) })
}

// healthText says what is wrong, without the names of files: anybody may read it.
func healthText(err error) string {
	if fault.KindOf(err) == fault.StorageFull {
		return "the disk is full"
	}
	return "nothing can be stored"
}

func (s *Server) checkHealth(ctx context.Context) error {
	h := &s.health
	h.mu.Lock()
	defer h.mu.Unlock()
	if now := s.Now(); h.at.IsZero() || now.Sub(h.at).Abs() >= healthEvery {
		h.at, h.err = now, s.canWork(ctx)
	}
	return h.err
}

// canWork tries what every request needs.
func (s *Server) canWork(ctx context.Context) error {
	if _, err := s.Accounts.ByID(ctx, "none"); err != nil && fault.KindOf(err) != fault.NotFound {
		return err
	}
	if checker, ok := s.Collections.(store.Checker); ok {
		return checker.Check(ctx)
	}
	return nil
}
