package syncserver

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/remote"
)

// session is a normal sync under way (§17): everything that it does is in one transaction, which ends with finish, and is
// rolled back otherwise.
type session struct {
	key        string // the client's session key
	db         host.DB
	used       time.Time
	once       numbers
	usn        int64 // of the collection when it began; everything that is stored gets it
	minUSN     int32 // the client has all before it
	beyond     bool  // the client has even more: our collection is an older copy
	localNewer bool  // the client's collection is newer: it sends config and crt, and we do not
	applier    *collection.Applier
	slices     *collection.Slices
	slicer     *collection.Slicer // nil: no chunk was asked for yet
	received   bool               // the client has sent something
	ahead      *prepared          // the next slice, if it was prepared
	failed     error              // what went wrong after the last request
	roomy      bool               // it has a larger page cache
}

// close ends the session; what it did is undone, unless it was committed.
func (s *session) close() error {
	if s.applier != nil {
		s.applier.Close()
	}
	err := s.db.Rollback()
	if s.slicer != nil {
		if derr := s.slicer.DropLists(s.db); err == nil {
			err = derr
		}
	}
	return err
}

// endSession ends the session, if there is one. If it cannot be rolled back, closing the file does it.
func (t *tenant) endSession() {
	s := t.session
	if s == nil {
		return
	}
	t.session = nil
	limitTo(context.Background(), s.db) // the end of a request must not keep us from this
	err := s.close()
	if err != nil {
		t.server.Log.Error("roll a session back", "account", string(t.id), "error", err.Error())
	}
	if err != nil || s.roomy { // a connection keeps the memory that it once had
		t.closeCollection()
	}
	s.narrow(t)
}

const (
	// roomyKiB is the page cache of a long session: indexes are made by sorting in it.
	roomyKiB = 16 << 10
	// roomySessions is how many sessions have one at once. Others are slower.
	roomySessions = 8
)

// widen gives a long session a larger page cache, if there is room.
func (s *session) widen(t *tenant) error {
	if s.roomy || !s.slices.Long() {
		return nil
	}
	select {
	case t.server.roomy <- struct{}{}:
		s.roomy = true
		return s.db.Exec(fmt.Sprintf("PRAGMA cache_size = -%d", roomyKiB))
	default:
		return nil
	}
}

// endSlices stores what is left of the client's rows.
func (s *session) endSlices(t *tenant) error {
	if err := s.slices.StoreAll(); err != nil {
		return err
	}
	if err := s.widen(t); err != nil {
		return err
	}
	return s.slices.End()
}

// narrow gives the room back.
func (s *session) narrow(t *tenant) {
	if s.roomy {
		s.roomy = false
		<-t.server.roomy
	}
}

// inSession runs do within the client's session. Without one, or if it is another's, the status is 409; an error of do ends the
// session (§17).
func (c *call) inSession(ctx context.Context, do func(s *session) error) error {
	return c.tenant.with(ctx, func() error { return c.use(ctx, do) })
}

// use is inSession with the account's lock held.
func (c *call) use(ctx context.Context, do func(s *session) error) error {
	if c.header.session == "" {
		return fault.New(fault.InvalidInput, "no session key")
	}
	t := c.tenant
	t.expireSession()
	s := t.session
	if s == nil || s.key != c.header.session {
		return refuse(http.StatusConflict, "no session, or that of another device")
	}
	if !s.once.take(c.header.number) { // the session goes on: nobody may wait for an answer to this one
		return refuse(remote.StatusTwice, "the request has come before")
	}
	limitTo(ctx, s.db)
	err := s.failed
	if err == nil {
		err = do(s)
	}
	if err != nil {
		t.endSession()
		if fault.KindOf(err) == fault.DamagedFile { // a value, once uploaded, that cannot be sent: 400, like any error here
			err = fault.Wrap(fault.InvalidInput, err, "the collection cannot be read")
		}
		return err
	}
	s.used = t.server.Now()
	return nil
}

// numbers are those that requests of a session have had.
type numbers struct {
	last int64  // the largest
	seen uint64 // bit i: last-i has been there
}

// take reports whether a number is a new one, or none. So far behind the largest one that no client has as many requests under way, it is
// not: the protocol's clients have 16 at most.
func (n *numbers) take(number int64) bool {
	if number == 0 {
		return true
	}
	if number > n.last {
		n.seen <<= uint64(number - n.last) // all gone if it is 64 or more
		n.last = number
	}
	bit := uint64(1) << uint64(n.last-number) // 0 if it is 64 or more
	if bit == 0 || n.seen&bit != 0 {
		return false
	}
	n.seen |= bit
	return true
}

// begun reports whether start with this key can only be a copy of one that has begun a session, and comes late: taken as a new one, it would drop
// what the client has sent since, and the client would not know, or another device's session, if this one has ended. Those that number their
// requests take a new key each time.
func (t *tenant) begun(key string) bool {
	return t.session != nil && t.session.key == key && t.session.once.last > 0 ||
		slices.ContainsFunc(t.ended, func(w lastWord) bool { return w.session == key })
}

// expireSession ends a session whose client has not been heard of for too long.
func (t *tenant) expireSession() {
	if t.session != nil && t.server.Now().Sub(t.session.used) >= t.server.Limits.Session {
		t.endSession()
	}
}
