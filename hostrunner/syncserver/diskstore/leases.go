package diskstore

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/filehost"
	"github.com/cardferry/cardferry/hostrunner/profilelock"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

var _ store.Leases = (*Leases)(nil)

// Leases keeps the leases of servers that share a data folder: each is a lock of the operating system, which ends with
// the process that holds it, however it ends.
type Leases struct {
	folder folder
	url    string
}

// NewLeases returns the leases of a data folder for a server with the base URL url, "" if it does not know it.
func NewLeases(dir, url string) *Leases { return &Leases{folder(dir), url} }

// Acquire takes an account's lease (see store.Leases).
func (l *Leases) Acquire(_ context.Context, id store.AccountID) (store.Lease, error) {
	path, err := l.folder.in(id, profilelock.Name)
	if err != nil {
		return nil, err
	}
	lock, err := profilelock.Acquire(filepath.Dir(path))
	if fault.KindOf(err) == fault.Busy {
		url, _ := os.ReadFile(path) // a holder that does not know its address has none in it
		return nil, &store.Elsewhere{URL: strings.TrimSpace(string(url))}
	}
	if err != nil {
		return nil, fault.Step("take the account's lease", err)
	}
	// On a full disk there is no room for what is there already.
	if url, err := os.ReadFile(path); err != nil || strings.TrimSpace(string(url)) != l.url {
		if err := os.WriteFile(path, []byte(l.url+"\n"), 0o600); err != nil {
			lock.Release()
			return nil, filehost.Convert(err, "take the account's lease")
		}
	}
	// What the one before, or its crash, has left half written is nobody's now.
	if err := os.RemoveAll(filepath.Join(filepath.Dir(path), tmpFolder)); err != nil {
		lock.Release()
		return nil, filehost.Convert(err, "clear the account's temporary files")
	}
	// If it fails, as on a full disk, the content stays where it is, and is read from there (Blobs.adopt).
	_ = l.folder.recoverBlobs(id)
	return &lease{lock: lock}, nil
}

type lease struct {
	once sync.Once
	lock *profilelock.Lock
}

// Lost returns nil: the system takes no lock away.
func (l *lease) Lost() <-chan struct{} { return nil }

// Release gives the lease back (see store.Lease).
func (l *lease) Release() { l.once.Do(l.lock.Release) }
