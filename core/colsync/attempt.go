package colsync

import (
	"context"
	"time"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/profile"
	"github.com/cardferry/cardferry/core/remote"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/undo"
	"github.com/cardferry/cardferry/core/wire"
)

// attempt is one run of a normal sync (§7), after meta.
type attempt struct {
	syncer     *Syncer
	remote     *remote.Server
	meta       wire.Meta
	base       base
	localNewer bool
	inFlight   int
	report     *Report

	// overlapped is set while more than one chunk request is, or was, in flight.
	overlapped bool
	known      baseline

	serverGraves  wire.Graves
	serverChanges *wire.Changes
	inbox         *inbox
	sentGraves    wire.Graves
	sentChanges   *wire.Changes

	received, sent Counts
	// putBackKeys says that config keys were put back over the server's.
	putBackKeys bool
	counts      wire.Counts
	toSend      int64           // rows copied for sending
	mark        collection.Mark // when they were copied
	lateGraves  wire.Graves
	lateChanges *wire.Changes
}

// usn is the server's usn of this sync, S in the specification.
func (a *attempt) usn() int64 { return int64(a.meta.USN) }

func (a *attempt) db() host.DB { return a.syncer.db() }

// run goes through the steps; again says that another attempt may succeed.
func (a *attempt) run(ctx context.Context) (again bool, err error) {
	a.received, a.sent = newCounts(), newCounts()
	if err := a.unbury(); err != nil {
		return false, err
	}
	if a.inbox, err = newInbox(a.db()); err != nil {
		return false, err
	}
	defer func() {
		if derr := a.dropStaged(); err == nil && !again {
			err = derr
		}
	}()
	for _, step := range []func(context.Context) error{
		a.start, a.exchangeGraves, a.exchangeChanges, a.receiveChunks, a.merge, a.sendLate, a.sendChunks, a.checkSanity, a.finish,
	} {
		if err = ctx.Err(); err == nil {
			err = step(ctx)
		}
		if err != nil {
			return a.fail(ctx, err)
		}
	}
	a.report.Required, a.report.Sent, a.report.Received = RequiredNone, a.sent, a.received
	return false, nil
}

// fail ends the session after an error. A conflict means that another device owns the session: an abort would kill
// that one (design.md §3).
func (a *attempt) fail(ctx context.Context, err error) (again bool, _ error) {
	kind := fault.KindOf(err)
	if kind != fault.Conflict {
		abort(ctx, a.remote)
	}
	if kind == fault.Sanity {
		if merr := a.forceOneWay(); merr != nil {
			return false, merr
		}
	}
	overlap := a.overlapped && (kind == fault.DatabaseCheck || kind == fault.DamagedDownload)
	return overlap || err == errSchemaChanged || err == remote.ErrTwice, err
}

// abortStall bounds the wait for an answer to abort, which changes nothing for us.
const abortStall = 500 * time.Millisecond

// abort ends our session on the server; its outcome does not matter (§7.7). It works after a cancel as well.
func abort(ctx context.Context, r *remote.Server) {
	ctx = context.WithoutCancel(ctx)
	req := r.Request("abort", []byte("{}"))
	req.Stall = abortStall
	call := r.Send(ctx, req)
	defer call.Close()
	_ = r.Wait(ctx, call)
}

// errSchemaChanged restarts a sync under which scm has changed.
var errSchemaChanged error = fault.New(fault.Resync, "the collection's structure was changed while it was syncing").
	WithHint("Sync again.")

// unbury does what both sides do when the day has rolled over (§7.2). The config keys it writes are no edits.
func (a *attempt) unbury() (err error) {
	if a.known, err = a.knownConfig(); err != nil {
		return err
	}
	changed, err := collection.Unbury(a.db(), a.syncer.Host.Clock)
	if err != nil || !changed {
		return err
	}
	a.syncer.Store.Changed()
	now, err := configMap(a.db())
	if err != nil {
		return err
	}
	for _, k := range []string{"lastUnburied", "localOffset", "rollover"} {
		if v, ok := now[k]; ok && v != a.base.config[k] {
			a.base.config[k] = v
			a.known[k] = append(a.known[k], v)
		}
	}
	return nil
}

func (a *attempt) start(ctx context.Context) error {
	body, err := a.remote.Post(ctx, "start", wire.StartRequest(int32(a.base.col.USN), a.localNewer))
	if err != nil {
		return err
	}
	if a.serverGraves, err = wire.ParseGraves(body); err != nil {
		return fault.Step("start", err)
	}
	a.received.addGraves(a.serverGraves)
	return nil
}

// exchangeGraves sends our graves, at most 250 in a request (§7.4). The server must have them before it lists its chunks.
func (a *attempt) exchangeGraves(ctx context.Context) (err error) {
	if err := undo.Discard(a.db(), 0); err != nil { // what has been sent cannot be taken back
		return err
	}
	if a.sentGraves, err = collection.PendingGraves(a.db()); err != nil {
		return err
	}
	return a.sendGraves(ctx, a.sentGraves)
}

func (a *attempt) sendGraves(ctx context.Context, g wire.Graves) error {
	total := int64(len(g.Cards) + len(g.Notes) + len(g.Decks))
	done := int64(0)
	p := a.newPipeline(ctx, "applyGraves")
	defer p.close()
	for part := range sliceGraves(g) {
		if err := p.send(wire.ApplyGravesRequest(part)); err != nil {
			return err
		}
		done += int64(len(part.Cards) + len(part.Notes) + len(part.Decks))
		a.sent.addGraves(part)
		a.syncer.progress(host.StageGraves, done, total)
	}
	return p.drain()
}

// exchangeChanges sends our objects and receives the server's. Decks that the server has deleted are left out: they
// would come back to life there (§22, trap 15).
func (a *attempt) exchangeChanges(ctx context.Context) (err error) {
	if err := undo.Discard(a.db(), 0); err != nil {
		return err
	}
	gone := make(map[int64]bool, len(a.serverGraves.Decks))
	for _, id := range a.serverGraves.Decks {
		gone[id] = true
	}
	if a.sentChanges, err = collection.PendingChanges(a.db(), a.usn(), gone, a.localNewer); err != nil {
		return err
	}
	a.syncer.progress(host.StageChanges, 0, 0)
	body, err := a.remote.Post(ctx, "applyChanges", wire.ApplyChangesRequest(a.sentChanges))
	if err != nil {
		return err
	}
	a.sent.addChanges(a.sentChanges)
	if a.serverChanges, err = wire.ParseChanges(body); err != nil {
		return fault.Step("applyChanges", err)
	}
	a.received.addChanges(a.serverChanges)
	return nil
}

// sendLate sends graves and objects that appeared after the first ones were sent. The server's answer repeats its own
// changes, which we have (design.md §3).
func (a *attempt) sendLate(ctx context.Context) error {
	if err := a.sendGraves(ctx, a.lateGraves); err != nil {
		return err
	}
	if c := a.lateChanges; len(c.Notetypes)+len(c.Decks)+len(c.DeckConfigs)+len(c.Tags) == 0 {
		return nil
	}
	_, err := a.remote.Post(ctx, "applyChanges", wire.ApplyChangesRequest(a.lateChanges))
	a.sent.addChanges(a.lateChanges)
	return err
}

// checkSanity compares the counts taken in the merge with the server's (§11).
func (a *attempt) checkSanity(ctx context.Context) error {
	a.syncer.progress(host.StageFinish, 0, 0)
	body, err := a.remote.Post(ctx, "sanityCheck2", wire.SanityRequest(a.counts))
	if err != nil {
		return err
	}
	res, err := wire.ParseSanity(body)
	if err != nil {
		return fault.Step("sanityCheck2", err)
	}
	if res.OK {
		return nil
	}
	return sanityError(a.counts, res)
}

func sanityError(own wire.Counts, res wire.SanityResult) error {
	e := fault.New(fault.Sanity, "the numbers of rows here and on the server differ after the sync").
		WithHint("Run Check Database on this and your other devices. The next sync asks which side to keep.").
		With("client", own)
	if res.Server == nil {
		return e
	}
	e.With("server", *res.Server)
	tables := []string{}
	s := *res.Server
	for _, t := range []struct {
		name      string
		own, here int64
	}{
		{"cards", own.Cards, s.Cards}, {"notes", own.Notes, s.Notes}, {"revlog", own.Revlog, s.Revlog},
		{"notetypes", own.Notetypes, s.Notetypes}, {"decks", own.Decks, s.Decks}, {"deck_config", own.DeckConfigs, s.DeckConfigs},
	} {
		if t.own != t.here {
			tables = append(tables, t.name)
		}
	}
	return e.With("tables", tables)
}

// forceOneWay makes the next sync ask for a direction, after the server has found the sides to differ (§7.7). mod
// must differ from the server's, or scm is not looked at (§22, trap 10). ls is the server's time, whose clock may be ahead of ours.
func (a *attempt) forceOneWay() error {
	now := a.syncer.Host.Clock.Now().UnixMilli()
	_, err := rows.Exec(a.db(), "UPDATE col SET scm = max(?1, scm + 1, ls + 1), mod = max(?1, mod + 1, ?2 + 1)", now, a.meta.Mod)
	a.syncer.Store.Changed()
	return err
}

// finish commits on the server and then here: rows that still equal what was sent are stamped, others stay pending.
func (a *attempt) finish(ctx context.Context) error {
	// If the answer is lost, the server has our config with a time that may be later than those of our next edits, and sends it.
	if a.sentChanges.Config != nil {
		if err := a.rememberConfig(a.known, a.sentChanges.Config); err != nil {
			return err
		}
	}
	body, err := a.remote.Post(ctx, "finish", []byte("{}"))
	if err != nil {
		return err
	}
	t, err := wire.ParseFinish(body)
	if err != nil {
		return fault.Step("finish", err)
	}
	// The server has committed: a cancel comes too late, and an abort has nothing to end.
	a.syncer.Store.Changed()
	err = rows.Transaction(a.db(), func() error {
		if err := a.stamp(); err != nil {
			return err
		}
		return a.writeCol(t)
	})
	if err != nil {
		return fault.Step("finish", err)
	}
	return a.syncer.Store.Remember(profile.Baseline, nil)
}

func (a *attempt) stamp() error {
	mark, err := collection.ReadMark(a.db())
	if err != nil {
		return err
	}
	if err := collection.StampSent(a.db(), a.usn(), mark == a.mark); err != nil {
		return err
	}
	for _, c := range []*wire.Changes{a.sentChanges, a.lateChanges} {
		if err := collection.StampChanges(a.db(), c, a.usn()); err != nil {
			return err
		}
	}
	for _, g := range []wire.Graves{a.sentGraves, a.lateGraves} {
		if err := collection.StampGraves(a.db(), g, a.usn()); err != nil {
			return err
		}
	}
	return nil
}

// writeCol records the sync in col (§12). An edit made meanwhile keeps the collection newer than the server.
func (a *attempt) writeCol(t int64) error {
	col, err := collection.ReadCol(a.db())
	if err != nil {
		return err
	}
	mod := t
	if col.Mod != a.base.col.Mod || a.putBackKeys {
		mod = max(col.Mod, t+1)
	}
	_, err = rows.Exec(a.db(), "UPDATE col SET usn = ?, ls = ?, mod = ?", a.usn()+1, t, mod)
	return err
}

func (a *attempt) dropStaged() error {
	if err := a.inbox.drop(); err != nil {
		return err
	}
	return collection.DropCopies(a.db())
}
