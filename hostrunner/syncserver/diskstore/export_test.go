package diskstore

import "github.com/cardferry/cardferry/hostrunner/syncserver/store"

// Settle does at once what is done with an account's journal after a while.
func (s *Blobs) Settle(id store.AccountID) {
	s.mu.Lock()
	p := s.pending[id]
	s.mu.Unlock()
	if p == nil {
		return
	}
	p.flushing.Lock()
	j := p.journal
	p.flushing.Unlock()
	if j != nil {
		s.settle(id, j)
	}
}

// Pending returns how many accounts have something that may not be durable in its place.
func (s *Blobs) Pending() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.pending)
}
