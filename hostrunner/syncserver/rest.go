package syncserver

import (
	"io"
	"net/http"
	"time"
)

// rest has another handler serve a path that is none of ours.
func (s *Server) rest(c *call) {
	var h http.Handler
	if s.Rest != nil {
		c.endpoint, h = s.Rest(c.r)
	}
	if h == nil {
		c.empty(http.StatusNotFound)
		return
	}
	r := c.r.WithContext(c.r.Context())
	r.Body = limitedBody{c.body, c.r.Body}
	h.ServeHTTP(c.w, r)
}

// limitedBody is a body that is read through the limits of ours.
type limitedBody struct {
	*bodyReader
	io.Closer
}

// Interrupt ends a Read that is under way, and later ones.
func (b limitedBody) Interrupt() { b.interrupt() }

// TryLogin counts a login that another server decides about, by the same limits as one to ours; wait is how long the client has to
// wait, if there were too many. undo takes it back: the login has succeeded, or nobody knows.
func (s *Server) TryLogin(ip string) (wait time.Duration, undo func()) {
	s.start()
	try := attempt{at: s.Now()}
	wait = try.try(s.limiters.loginIP, network(ip))
	return wait, try.undo
}

// Stats is what the server is busy with.
type Stats struct {
	Accounts    int // that are being served
	Collections int // that are open
	Sessions    int // normal syncs under way
}

// Stats returns what the server is busy with now.
func (s *Server) Stats() Stats {
	s.start()
	g := &s.tenants
	g.mu.Lock()
	defer g.mu.Unlock()
	stats := Stats{Accounts: len(g.tenants), Collections: len(g.slots)}
	for _, t := range g.tenants {
		if t.leaving {
			continue // who closes it needs no lock
		}
		select {
		case t.lock <- struct{}{}:
			if t.session != nil {
				stats.Sessions++
			}
			<-t.lock
		default:
			stats.Sessions++ // somebody uses the account now, most likely in a session
		}
	}
	return stats
}
