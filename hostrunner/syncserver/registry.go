package syncserver

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// registry holds the accounts that are being served. Its lock is held for moments only, never while anything is opened,
// closed or written.
type registry struct {
	server *Server
	// slots has an element for every open collection, mediaSlots for every open media state.
	slots, mediaSlots chan struct{}

	mu      sync.Mutex
	tenants map[store.AccountID]*tenant
	timer   *time.Timer // the next sweep; nil: nobody is here
	closed  bool
}

func (g *registry) init(s *Server) {
	g.server = s
	g.slots = make(chan struct{}, s.Limits.Open)
	g.mediaSlots = make(chan struct{}, s.Limits.Open)
	g.tenants = map[store.AccountID]*tenant{}
}

// enter returns the account for the time of a request, which ends with leave. It takes the account's lease if nobody of
// this account was here lately. *store.Elsewhere if another node has it.
func (g *registry) enter(ctx context.Context, id store.AccountID) (*tenant, error) {
	for {
		t, first, err := g.find(id)
		if err != nil {
			return nil, err
		}
		if t.leaving {
			select {
			case <-t.gone:
				continue
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		if first {
			t.lease, t.err = g.server.Leases.Acquire(ctx, id)
			close(t.ready)
			if t.err != nil {
				g.forget(t)
				return nil, t.err
			}
			return t, nil
		}
		select {
		case <-t.ready:
		case <-ctx.Done():
			g.leave(t)
			return nil, ctx.Err()
		}
		if t.err != nil {
			return nil, t.err
		}
		if !t.lost() {
			return t, nil
		}
		g.leave(t)
		g.evict(t, true)
	}
}

// find returns the account's tenant, counted as used unless it is leaving; first says that it was made just now.
func (g *registry) find(id store.AccountID) (t *tenant, first bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil, false, unavailable("the server is being stopped")
	}
	t = g.tenants[id]
	if t == nil {
		t = newTenant(g, id)
		g.tenants[id] = t
		first = true
		g.schedule()
	}
	if !t.leaving {
		if t.users >= g.server.Limits.Requests {
			return nil, false, errCrowded
		}
		t.users++
	}
	return t, first, nil
}

// errCrowded keeps an account from taking all of the server.
var errCrowded error = &statusError{status: http.StatusServiceUnavailable, reason: "too many requests of one account at once", retryAfter: 1}

// leave ends a request's use of an account.
func (g *registry) leave(t *tenant) {
	g.mu.Lock()
	defer g.mu.Unlock()
	t.users--
	t.used = g.server.Now()
}

// others reports whether others than t were here in the last moments, and so may be again in the next.
func (g *registry) others(t *tenant) bool {
	const moments = 5 * time.Second
	now := g.server.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, o := range g.tenants {
		if o != t && (o.users > 0 || now.Sub(o.used) < moments) {
			return true
		}
	}
	return false
}

// forget takes an account off the list, after everything of it was closed.
func (g *registry) forget(t *tenant) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.tenants, t.id)
	close(t.gone)
}

// evict closes an account that nobody uses, with its session if with says so. It reports whether it did.
func (g *registry) evict(t *tenant, withSession bool) bool {
	g.mu.Lock()
	if t.users > 0 || t.leaving || !withSession && t.session != nil { // without users nobody changes the session
		g.mu.Unlock()
		return false
	}
	t.leaving = true
	g.mu.Unlock()
	t.close()
	g.forget(t)
	return true
}

// sweep closes what was not used for long, and returns what is left.
func (g *registry) sweep(now time.Time) int {
	limits := &g.server.Limits
	for _, t := range g.idle() {
		g.mu.Lock()
		idle := now.Sub(t.used)
		session := t.users == 0 && t.session != nil
		g.mu.Unlock()
		if idle >= limits.Session || idle >= limits.Idle && !session {
			g.evict(t, idle >= limits.Session)
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.tenants)
}

// idle returns the accounts that nobody uses now.
func (g *registry) idle() (list []*tenant) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, t := range g.tenants {
		if t.users == 0 && !t.leaving {
			list = append(list, t)
		}
	}
	return list
}

// schedule plans the next sweep, as long as there is somebody; g.mu is held.
func (g *registry) schedule() {
	if g.timer == nil && !g.closed {
		g.timer = time.AfterFunc(min(g.server.Limits.Idle, time.Minute), func() {
			left := g.sweep(g.server.Now())
			g.mu.Lock()
			defer g.mu.Unlock()
			g.timer = nil
			if left > 0 {
				g.schedule()
			}
		})
	}
}

// slot waits for a place among the open files of a kind; the caller gives it back by reading from slots. When all are taken, of the
// accounts that have such a file open the one used longest ago is closed, one with a session only if that has waited for a while.
func (g *registry) slot(ctx context.Context, slots chan struct{}, open func(*tenant) bool) error {
	const patience = 10 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for retry := time.NewTicker(50 * time.Millisecond); ; {
		select {
		case slots <- struct{}{}:
			retry.Stop()
			return nil
		default:
		}
		if g.makeRoom(open) {
			continue
		}
		select {
		case slots <- struct{}{}:
			retry.Stop()
			return nil
		case <-retry.C:
		case <-ctx.Done():
			retry.Stop()
			return unavailable("too many accounts are in use")
		}
	}
}

// sessionPatience is how long a session is safe from those who need room.
const sessionPatience = 30 * time.Second

// makeRoom closes, of the accounts that have something open, the one that was used longest ago.
func (g *registry) makeRoom(open func(*tenant) bool) bool {
	var best *tenant
	now := g.server.Now()
	g.mu.Lock()
	for _, t := range g.tenants {
		if t.users > 0 || t.leaving || !open(t) || t.session != nil && now.Sub(t.used) < sessionPatience {
			continue
		}
		if best == nil || (t.session == nil) != (best.session == nil) && t.session == nil ||
			(t.session == nil) == (best.session == nil) && t.used.Before(best.used) {
			best = t
		}
	}
	g.mu.Unlock()
	return best != nil && g.evict(best, true)
}

// close closes all accounts. Those that are still in use when ctx ends are left: their files are as after a crash, which harms
// nothing.
func (g *registry) close(ctx context.Context) error {
	g.mu.Lock()
	g.closed = true
	if g.timer != nil {
		g.timer.Stop()
	}
	all := make([]*tenant, 0, len(g.tenants))
	for _, t := range g.tenants {
		all = append(all, t)
	}
	g.mu.Unlock()
	var left int
	for _, t := range all {
		if !g.evict(t, true) {
			select {
			case <-t.gone:
			default:
				left++
			}
		}
	}
	if left > 0 {
		g.server.Log.LogAttrs(ctx, slog.LevelWarn, "accounts were in use at the end", slog.Int("count", left))
		return errors.New("some requests had not ended")
	}
	return nil
}
