package store

import "context"

// Leases says which node serves an account now. There is never more than one, so that each may keep an account's
// collection open, and its session in memory.
type Leases interface {
	// Acquire makes this node the account's server. *Elsewhere if another node is, which a caller passes on to the client
	// as a redirect. A node that has the lease already must not ask for it again.
	Acquire(ctx context.Context, id AccountID) (Lease, error)
}

// Lease is an account's lease, held.
type Lease interface {
	// Lost is closed when the lease has been taken away: the holder must not write any more, and drops what it has of the
	// account. It is nil where that cannot happen.
	Lost() <-chan struct{}
	// Release gives the lease back, after everything of the account was closed. It may be called more than once.
	Release()
}
