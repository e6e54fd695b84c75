package hostrunner

import "sync"

// mailbox brings work of other goroutines to the loop of an engine, in the order in which it was posted.
type mailbox struct {
	mu     sync.Mutex
	work   []func() error
	ring   func() // wakes the loop up; nil while it is awake
	closed bool
}

// post hands work over; false if the loop has ended.
func (m *mailbox) post(do func() error) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return false
	}
	m.work = append(m.work, do)
	if m.ring != nil {
		m.ring()
		m.ring = nil
	}
	return true
}

// take returns what was posted.
func (m *mailbox) take() []func() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	work := m.work
	m.work = nil
	return work
}

// sleep makes the next post ring; false if something was posted already. wake ends that.
func (m *mailbox) sleep(ring func()) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.work) > 0 {
		return false
	}
	m.ring = ring
	return true
}

func (m *mailbox) wake() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ring = nil
}

// close refuses further work and drops what is left.
func (m *mailbox) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed, m.work = true, nil
}
