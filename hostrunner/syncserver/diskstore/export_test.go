package diskstore

// Unsettled returns how many accounts have something that is not durable in its place.
func (s *Blobs) Unsettled() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.unsettled)
}

// Remembered returns how many keys are known.
func (s *Accounts) Remembered() int {
	s.keys.mu.Lock()
	defer s.keys.mu.Unlock()
	return len(s.keys.known)
}
