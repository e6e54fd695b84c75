package syncserver

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/remote"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/wire"
)

// meta tells the state of the collection (§5). It ends a session: clients rely on it to clear a stale one.
func meta(ctx context.Context, c *call, payload []byte) (a answer, err error) {
	version, _, err := wire.ParseMetaRequest(payload)
	if err != nil {
		return a, err
	}
	t := c.tenant
	var m wire.Meta
	err = t.with(ctx, func() error {
		t.endSession()
		if version < oldestVersion || version > wire.ProtocolVersion {
			return refuse(http.StatusNotImplemented, fmt.Sprintf("protocol version %d", version))
		}
		db, err := t.open(ctx)
		if err != nil {
			return err
		}
		if m, err = t.readMeta(db, version); err != nil {
			return fault.Step("meta", err)
		}
		t.told(c.header.session, t.summary.col.Scm)
		m.MediaUSN, err = t.media.number(ctx, false)
		return err
	})
	return answer{message: wire.AppendMeta(nil, &m)}, err
}

// oldestVersion is the oldest protocol version for which the reference answers meta.
const oldestVersion = 8

// summary is what meta tells of a collection. Clients ask for it often, mostly without any change since they asked before.
type summary struct {
	col   collection.Col
	empty bool
	size  int64
}

// summarize reads the summary, unless it is known: what changes the collection begins a session or closes the file, which forget it.
func (t *tenant) summarize(db host.DB) error {
	if t.summary != nil {
		return nil
	}
	col, err := collection.ReadCol(db)
	if err == nil {
		t.summary, err = summaryOf(db, col)
	}
	return err
}

// summaryOf reads the summary of a collection whose col is known.
func summaryOf(db host.DB, col collection.Col) (*summary, error) {
	empty, err := collection.Empty(db)
	if err != nil {
		return nil, err
	}
	// As tables, pragmas are compiled each time.
	pages, err := rows.IntOf(db, "PRAGMA page_count")
	if err != nil {
		return nil, err
	}
	size, err := rows.IntOf(db, "PRAGMA page_size")
	if err != nil {
		return nil, err
	}
	return &summary{col, empty, pages * size}, nil
}

func (t *tenant) readMeta(db host.DB, version int64) (m wire.Meta, err error) {
	if err := t.summarize(db); err != nil {
		return m, err
	}
	col, now := &t.summary.col, t.server.Now()
	m = wire.Meta{
		Mod: col.Mod, Scm: col.Scm, USN: int32(col.USN), TS: now.Unix(), Cont: true, Empty: t.summary.empty,
		Slice: t.server.Limits.Slice, KeepsBackup: true, Events: true,
	}
	if t.summary.size > t.server.Limits.Collection {
		m.Scm = now.UnixMilli() // too large for a download: only another upload helps (§3.5)
	}
	if version < 10 {
		m.Msg, err = tooOldFor(db, version)
		m.Cont = m.Msg == ""
	}
	return m, err
}

// tooOldFor returns what to tell a client that does not know what the collection uses, "" if it does (§5.1).
func tooOldFor(db host.DB, version int64) (string, error) {
	scheduler, err := rows.IntOf(db, "SELECT EXISTS(SELECT 1 FROM config WHERE key = 'schedVer' AND CAST(val AS TEXT) = '2')")
	if err != nil {
		return "", err
	}
	offset, err := rows.IntOf(db, "SELECT EXISTS(SELECT 1 FROM config WHERE key = 'creationOffset' AND CAST(val AS TEXT) <> 'null')")
	switch {
	case err != nil:
		return "", err
	case scheduler != 0 && version < 9:
		return "This collection uses the second scheduler. Please update this program to sync.", nil
	case offset != 0:
		return "This collection uses the newer time zone handling. Please update this program to sync.", nil
	}
	return "", nil
}

// start begins a session and returns what was deleted since the client's last sync (§7.3).
func start(ctx context.Context, c *call, payload []byte) (a answer, err error) {
	request, err := wire.ParseStartRequest(payload)
	if err != nil {
		return a, err
	}
	if c.header.session == "" {
		return a, fault.New(fault.InvalidInput, "no session key")
	}
	t := c.tenant
	err = t.with(ctx, func() error {
		t.expireSession()
		if t.begun(c.header.session) {
			return refuse(remote.StatusTwice, "the request has come before")
		}
		t.endSession()
		db, err := t.open(ctx)
		if err != nil {
			return err
		}
		s := &session{key: c.header.session, db: db, used: t.server.Now(), minUSN: request.MinUSN, localNewer: request.LocalNewer}
		t.session, t.summary = s, nil
		graves, err := s.begin(t, request.Graves)
		if err != nil {
			t.endSession()
			return fault.Step("start", err)
		}
		a.message = wire.AppendGraves(nil, graves)
		return nil
	})
	return a, err
}

// begin opens the transaction. What is sent is collected before anything of the client's is stored, or it would be
// echoed (trap 16).
func (s *session) begin(t *tenant, clientGraves *wire.Graves) (graves wire.Graves, err error) {
	if err := s.db.Exec("BEGIN IMMEDIATE"); err != nil {
		return graves, err
	}
	col, err := collection.ReadCol(s.db)
	if err == nil {
		err = t.stillSo(s.key, col.Scm)
	}
	if err != nil {
		return graves, err
	}
	s.usn = col.USN
	if s.beyond = int64(s.minUSN) > col.USN; s.beyond {
		t.server.Log.Warn("a device has seen a later state of the collection than there is: it will be asked which side to keep. Was an older copy of the data put in place?",
			"account", string(t.id), "usn", col.USN, "device_usn", s.minUSN)
	}
	now := t.server.Now()
	if err := collection.UnburyServer(s.db, now, s.usn); err != nil {
		return graves, err
	}
	// A server's pending rows are those that the client has not seen. -1 would mean the client's own (§6.2).
	if s.applier, err = collection.NewApplier(s.db, text{}, s.usn, int64(max(s.minUSN, 0)), now); err != nil {
		return graves, err
	}
	s.slices = collection.NewSlices(s.applier)
	if graves, err = collection.GravesSince(s.db, s.minUSN); err != nil {
		return graves, err
	}
	if clientGraves != nil {
		s.received = clientGraves.Len() > 0
		err = s.applier.Graves(*clientGraves)
	}
	return graves, err
}

// applyGraves deletes what the client has deleted (§7.4).
func applyGraves(ctx context.Context, c *call, payload []byte) (answer, error) {
	graves, err := wire.ParseApplyGraves(payload)
	if err != nil {
		return answer{}, err
	}
	return null, c.inSession(ctx, func(s *session) error {
		s.received = s.received || graves.Len() > 0
		if err := s.slices.StoreAll(); err != nil {
			return err
		}
		return s.applier.Graves(graves)
	})
}

// applyChanges exchanges the unchunked objects; ours are collected first (§7.5, trap 16).
func applyChanges(ctx context.Context, c *call, payload []byte) (a answer, err error) {
	changes, err := wire.ParseApplyChanges(payload)
	if err != nil {
		return a, err
	}
	err = c.inSession(ctx, func(s *session) error {
		if err := s.slices.StoreAll(); err != nil {
			return err
		}
		own, err := collection.ChangesSince(s.db, s.minUSN, !s.localNewer)
		if err != nil {
			return err
		}
		if own.Config != nil {
			if _, err := rows.Exec(s.db, "UPDATE config SET usn = 0 WHERE usn <> 0"); err != nil {
				return err
			}
		}
		a.message = wire.AppendChanges(nil, own)
		s.received = s.received || !changes.Empty()
		return s.applier.Changes(changes)
	})
	return a, err
}

// referenceSlice is the number of rows in a slice for clients that do not ask for another (§7.6).
const referenceSlice = 250

// chunk returns the next rows. They are listed at the first call.
func chunk(ctx context.Context, c *call, payload []byte) (a answer, err error) {
	size, err := wire.ParseChunkRequest(payload)
	if err != nil {
		return a, err
	}
	size = min(max(size, referenceSlice), max(c.server.Limits.Slice, referenceSlice))
	err = c.inSession(ctx, func(s *session) (err error) {
		if err := s.listFor(size); err != nil {
			return err
		}
		p, err := s.nextSlice(c.takeTools()) // the request was read
		if err != nil {
			return err
		}
		if !p.done {
			s.later(c.tenant, s.lookAhead)
		}
		a.frame, a.size = p.body, p.size
		return nil
	})
	return a, err
}

// applyChunk stores rows of the client.
func applyChunk(ctx context.Context, c *call, payload []byte) (answer, error) {
	slice := chunks.Get().(*wire.Chunk)
	defer chunks.Put(slice)
	if err := wire.ParseApplyChunk(payload, slice); err != nil {
		return answer{}, err
	}
	return null, c.inSession(ctx, func(s *session) error {
		s.received = s.received || slice.Len() > 0
		if err := s.slices.Take(slice); err != nil {
			return err
		}
		if err := s.widen(c.tenant); err != nil {
			return err
		}
		if !slice.Done && len(payload) <= laterBytes {
			s.later(c.tenant, s.slices.Store)
			return nil
		}
		if err := s.slices.Store(); err != nil || !slice.Done {
			return err
		}
		return s.endSlices(c.tenant)
	})
}

// sanityCheck compares the counts of both sides (§11). If they differ the session ends at once, and the client's next sync goes one way.
func sanityCheck(ctx context.Context, c *call, payload []byte) (a answer, err error) {
	client, err := wire.ParseSanityRequest(payload)
	if err != nil {
		return a, err
	}
	client.Graves = 0
	a, _, err = c.ending(ctx, func(s *session) (answer []byte, last bool, err error) {
		if err := s.endSlices(c.tenant); err != nil { // there was no last slice
			return nil, false, err
		}
		pending, err := collection.AnyPending(s.db)
		if err != nil {
			return nil, false, err
		}
		var own *wire.Counts
		if !pending {
			counts, err := collection.Counts(s.db)
			if err != nil {
				return nil, false, err
			}
			counts.Graves = 0
			own = &counts
		}
		// What a device beyond us has sent, and we have not any more, it would never send again: that the numbers agree says nothing.
		ok := own != nil && *own == client && !s.beyond
		if !ok {
			c.tenant.endSession()
		}
		return wire.AppendSanity(nil, ok, client, own), !ok, nil
	})
	return a, err
}

// finish commits the session (§12).
func finish(ctx context.Context, c *call, payload []byte) (a answer, err error) {
	if err := wire.ParseNoRequest(payload); err != nil {
		return a, err
	}
	var usn int64
	var empty bool
	a, again, err := c.ending(ctx, func(s *session) (answer []byte, last bool, err error) {
		summary, err := s.commit(c.server.Now())
		if err != nil {
			return nil, false, err
		}
		usn, empty = s.usn+1, !s.received
		c.tenant.summary = summary
		if s.roomy { // the file is closed, which the client need not wait for
			c.tenant.next = func(context.Context) { c.tenant.endSession() }
		} else {
			c.tenant.endSession() // there is nothing to roll back
			c.tenant.shortenLog()
		}
		return wire.AppendFinish(nil, summary.col.Mod), true, nil
	})
	if err == nil && !again {
		c.server.changed(Change{Account: c.account.ID, Device: c.device.ID, USN: usn, MediaUSN: -1, Empty: empty})
	}
	return a, err
}

// commit ends the transaction, and returns the summary of what it has made, which costs less within it.
func (s *session) commit(now time.Time) (*summary, error) {
	if err := s.slices.End(); err != nil { // neither a last slice nor a sanity check
		return nil, err
	}
	col, err := collection.ReadCol(s.db)
	if err != nil {
		return nil, err
	}
	if col.USN >= math.MaxInt32 {
		return nil, fault.New(fault.DamagedFile, "the collection's usn has reached its end")
	}
	// Devices compare this time for equality: it must differ from that of the sync before.
	millis := max(now.UnixMilli(), col.Mod+1)
	col.Mod, col.LS, col.USN = millis, millis, col.USN+1
	if err := collection.WriteCol(s.db, col); err != nil {
		return nil, err
	}
	made, err := summaryOf(s.db, col)
	if err != nil {
		return nil, err
	}
	return made, s.db.Exec("COMMIT")
}

// abort ends the client's session. That of another client stays: a device that has lost its session must not take it from the
// one that has it now (§17).
func abort(ctx context.Context, c *call, payload []byte) (answer, error) {
	if err := wire.ParseNoRequest(payload); err != nil {
		return answer{}, err
	}
	t := c.tenant
	return null, t.with(ctx, func() error {
		if t.session != nil && t.session.key == c.header.session {
			t.endSession()
		}
		return nil
	})
}
