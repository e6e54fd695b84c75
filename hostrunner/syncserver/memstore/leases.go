package memstore

import (
	"context"
	"sync"

	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

var _ store.Leases = (*Leases)(nil)

// Leases keeps the leases of servers of one process.
type Leases struct {
	held *held
	url  string
}

type held struct {
	mu sync.Mutex
	by map[store.AccountID]string // URL of the holder
}

// NewLeases returns the leases of a first server, whose base URL is url, "" if it does not know it.
func NewLeases(url string) *Leases {
	return &Leases{held: &held{by: map[store.AccountID]string{}}, url: url}
}

// Beside returns the leases of another server of the same accounts.
func (l *Leases) Beside(url string) *Leases { return &Leases{held: l.held, url: url} }

// Acquire takes an account's lease (see store.Leases).
func (l *Leases) Acquire(_ context.Context, id store.AccountID) (store.Lease, error) {
	l.held.mu.Lock()
	defer l.held.mu.Unlock()
	if url, ok := l.held.by[id]; ok {
		return nil, &store.Elsewhere{URL: url}
	}
	l.held.by[id] = l.url
	return &lease{held: l.held, account: id}, nil
}

type lease struct {
	held    *held
	account store.AccountID
	once    sync.Once
}

// Lost returns nil: nobody takes these away.
func (l *lease) Lost() <-chan struct{} { return nil }

// Release gives the lease back (see store.Lease).
func (l *lease) Release() {
	l.once.Do(func() {
		l.held.mu.Lock()
		defer l.held.mu.Unlock()
		delete(l.held.by, l.account)
	})
}
