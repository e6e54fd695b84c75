package syncserver

import "time"

// Sweep closes what has not been used for long at a time, and returns how many accounts are left open.
func (s *Server) Sweep(now time.Time) int { return s.tenants.sweep(now) }
