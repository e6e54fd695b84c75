package syncserver

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// tenant is an account that is being served: it has the account's lease, and keeps its collection open between requests.
type tenant struct {
	registry *registry
	server   *Server
	id       store.AccountID

	ready chan struct{} // closed when lease or err is known
	lease store.Lease
	err   error
	gone  chan struct{} // closed when everything was closed

	// Guarded by registry.mu.
	users   int // requests
	used    time.Time
	leaving bool

	// lock is the account's lock: who has put an element into it may use what follows.
	lock    chan struct{}
	db      host.DB // the collection; nil: closed
	session *session
	summary *summary                  // nil: not known
	asked   []asked                   // oldest first
	ended   []lastWord                // oldest first
	next    func(ctx context.Context) // what is done before the lock is given back, without the request waiting for it

	media mediaIndex

	uploading sync.Mutex
	upload    *transfer // the last upload, which may have ended
}

func newTenant(g *registry, id store.AccountID) *tenant {
	t := &tenant{
		registry: g, server: g.server, id: id, used: g.server.Now(),
		ready: make(chan struct{}), gone: make(chan struct{}), lock: make(chan struct{}, 1),
	}
	t.media.init(t)
	return t
}

// lost reports whether the lease was taken away.
func (t *tenant) lost() bool {
	select {
	case <-t.lease.Lost():
		return true
	default:
		return false
	}
}

// with runs do while nobody else uses the account. A panic in it ends what was begun: nobody knows what state it was in.
func (t *tenant) with(ctx context.Context, do func() error) error {
	select {
	case t.lock <- struct{}{}:
	case <-ctx.Done():
		return unavailable("the account is busy")
	}
	sound := false
	defer func() {
		if !sound {
			t.closeCollection()
		}
		if next := t.next; next != nil {
			t.next = nil
			if sound {
				t.goOn(next)
				return
			}
		}
		<-t.lock
	}()
	if t.lost() {
		t.closeCollection()
		return &store.Elsewhere{}
	}
	err := do()
	sound = true
	return err
}

// open opens the collection, which the account has from its first access on (§17), and lets ctx interrupt its
// statements. The account's lock is held.
func (t *tenant) open(ctx context.Context) (host.DB, error) {
	if t.db == nil {
		if err := t.openCollection(ctx, true); err != nil {
			return nil, err
		}
	}
	limitTo(ctx, t.db)
	return t.db, nil
}

// interruptible is implemented by databases whose statements end when a context does.
type interruptible interface{ SetContext(ctx context.Context) }

// usn returns the collection's usn, 0 if there is none yet. The account's lock is held.
func (t *tenant) usn(ctx context.Context) (int64, error) {
	if t.db == nil {
		err := t.openCollection(ctx, false)
		if fault.KindOf(err) == fault.NotFound {
			return 0, nil
		}
		if err != nil {
			return 0, err
		}
	}
	limitTo(ctx, t.db)
	col, err := collection.ReadCol(t.db)
	return col.USN, err
}

func (t *tenant) openCollection(ctx context.Context, create bool) error {
	if err := t.registry.slot(ctx, t.registry.slots, (*tenant).isOpen); err != nil {
		return err
	}
	db, err := t.server.Collections.Open(ctx, t.id)
	if create && fault.KindOf(err) == fault.NotFound {
		if err = t.createCollection(ctx); err == nil {
			db, err = t.server.Collections.Open(ctx, t.id)
		}
	}
	if err == nil {
		if err = harden(db); err != nil {
			db.Close()
		}
	}
	if err != nil {
		<-t.registry.slots
		return fault.Step("open the collection", err)
	}
	if db, ok := db.(logging); ok {
		db.KeepLog()
	}
	t.db = db
	return nil
}

// logging is implemented by databases whose write-ahead log is brought into the file when we say so.
type logging interface {
	KeepLog()
	Logged() int
	Checkpoint() error
}

// longLog is the length of such a log in pages, as SQLite has it: 4 MB.
const longLog = 1000

// shortenLog brings a long log into the file, once the request has its answer. The account's lock is held.
func (t *tenant) shortenLog() {
	db, ok := t.db.(logging)
	if !ok || db.Logged() < longLog {
		return
	}
	t.next = func(ctx context.Context) {
		limitTo(ctx, t.db)
		if err := db.Checkpoint(); err != nil { // the next commit finds the log long again
			t.server.Log.Warn("bring the log into the collection", "account", string(t.id), "error", err.Error())
		}
	}
}

// cacheKiB is the page cache of an open collection. It grows to this only with use, and then is half of what the account takes. A
// day's reviews on M take about as much processor time as with 700.
const cacheKiB = 450

// harden prepares a connection to a collection that a user has made, and many users have open.
func harden(db host.DB) error {
	if db, ok := db.(interface{ Distrust() error }); ok {
		if err := db.Distrust(); err != nil {
			return err
		}
	}
	return db.Exec(fmt.Sprintf("PRAGMA cache_size = -%d", cacheKiB))
}

// createCollection makes an empty collection. One of a server has no creation offset (§17): its users are anywhere.
func (t *tenant) createCollection(ctx context.Context) error {
	staged, err := t.server.Collections.Stage(ctx, t.id)
	if err != nil {
		return err
	}
	defer staged.Discard()
	db, err := staged.DB(ctx, host.Create)
	if err != nil {
		return err
	}
	err = collection.New(db, utc{t.server.Now}, random{})
	if err == nil {
		err = collection.PutConfig(db, "creationOffset", []byte("null"), 0, 0)
	}
	if cerr := db.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return staged.Install(ctx, time.Time{})
}

// closeCollection rolls a session back and closes the collection. The account's lock is held, or nobody uses the account.
func (t *tenant) closeCollection() {
	t.summary = nil
	if s := t.session; s != nil {
		t.session = nil
		_ = s.close() // closing the file rolls back, too
		s.narrow(t)
	}
	if t.db == nil {
		return
	}
	if err := t.db.Close(); err != nil {
		t.server.Log.Error("close a collection", "account", string(t.id), "error", err.Error())
	}
	t.db = nil
	<-t.registry.slots
}

// isOpen reports whether the collection is open; nobody uses the account.
func (t *tenant) isOpen() bool { return t.db != nil }

// close closes everything of the account; nobody uses it.
func (t *tenant) close() {
	t.closeCollection()
	t.media.close()
	if !t.lost() {
		t.purgeIfRemoved(context.Background())
	}
	t.lease.Release()
}
