package colsync

import (
	"context"
	"errors"
	"iter"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/undo"
	"github.com/cardferry/cardferry/core/wire"
)

// merge is the first of the two transactions: it applies what the server sent, copies our pending rows, and takes the
// counts. What it applies is the server's committed data, true whatever happens next.
func (a *attempt) merge(ctx context.Context) error {
	err := a.syncer.Store.Transaction(func() error {
		col, err := collection.ReadCol(a.db())
		if err != nil {
			return err
		}
		if col.Scm != a.base.col.Scm {
			return errSchemaChanged
		}
		if err := undo.Discard(a.db(), a.received.total()); err != nil {
			return err
		}
		if err := a.apply(ctx); err != nil {
			return err
		}
		return a.copyPending()
	})
	if errors.Is(err, fault.InvalidInput) { // of a note that does not fit its notetype (§7.8): nothing that a user typed
		err = fault.Wrap(fault.DatabaseCheck, err, "the server's data does not fit together").(*fault.Error).
			WithHint("Run Check Database on the device that synced last, then sync again.")
	}
	if err != nil {
		return err
	}
	if a.received.total() > 0 {
		a.syncer.Store.Changed()
	}
	return nil
}

func (a *attempt) apply(ctx context.Context) error {
	now := a.syncer.Host.Clock.Now()
	applier, err := collection.NewApplier(a.db(), a.syncer.Host.Text, a.usn(), -1, now)
	if err != nil {
		return err
	}
	defer applier.Close()
	if err := applier.Graves(a.serverGraves); err != nil {
		return fault.Step("apply graves", err)
	}
	if err := a.applyChanges(applier, now.Unix()); err != nil {
		return fault.Step("apply changes", err)
	}
	n := a.received
	return applier.Bulk(n["revlog"], n["cards"], n["notes"], func() error {
		return a.inbox.each(func(slice []byte) error {
			if err := a.syncer.Host.Yield.Tick(ctx); err != nil {
				return err
			}
			return applier.Staged(slice)
		})
	})
}

// applyChanges applies the server's objects; of its config, keys edited here meanwhile are put back.
func (a *attempt) applyChanges(applier *collection.Applier, now int64) error {
	if a.serverChanges.Config == nil {
		return applier.Changes(a.serverChanges)
	}
	edited, err := a.editedConfig(a.known)
	if err != nil {
		return err
	}
	if err := a.rememberConfig(a.known, a.serverChanges.Config); err != nil {
		return err
	}
	if err := applier.Changes(a.serverChanges); err != nil {
		return err
	}
	a.putBackKeys = len(edited) > 0
	return a.putBack(edited, now)
}

// copyPending copies the rows to send and lists what was added since the first listing.
func (a *attempt) copyPending() (err error) {
	if a.toSend, err = collection.CopyPending(a.db()); err != nil {
		return err
	}
	if err := undo.Discard(a.db(), a.toSend); err != nil { // each of them is stamped in the end
		return err
	}
	graves, err := collection.PendingGraves(a.db())
	if err != nil {
		return err
	}
	a.lateGraves = minusGraves(graves, a.sentGraves)
	changes, err := collection.PendingChanges(a.db(), a.usn(), nil, false)
	if err != nil {
		return err
	}
	a.lateChanges = minusChanges(changes, a.sentChanges)
	if a.counts, err = collection.Counts(a.db()); err != nil {
		return err
	}
	a.mark, err = collection.ReadMark(a.db())
	return err
}

// minusGraves returns the graves of g that are not in sent.
func minusGraves(g, sent wire.Graves) wire.Graves {
	return wire.Graves{
		Cards: minus(g.Cards, sent.Cards), Notes: minus(g.Notes, sent.Notes), Decks: minus(g.Decks, sent.Decks),
	}
}

func minus[T comparable](all, sent []T) []T {
	seen := make(map[T]bool, len(sent))
	for _, v := range sent {
		seen[v] = true
	}
	var rest []T
	for _, v := range all {
		if !seen[v] {
			rest = append(rest, v)
		}
	}
	return rest
}

// minusChanges returns the objects of c that sent does not have in the same form; config is sent only once.
func minusChanges(c, sent *wire.Changes) *wire.Changes {
	return &wire.Changes{
		Notetypes:   minusRaw(c.Notetypes, sent.Notetypes),
		Decks:       minusRaw(c.Decks, sent.Decks),
		DeckConfigs: minusRaw(c.DeckConfigs, sent.DeckConfigs),
		Tags:        minus(c.Tags, sent.Tags),
	}
}

func minusRaw(all, sent [][]byte) [][]byte {
	seen := make(map[string]bool, len(sent))
	for _, v := range sent {
		seen[string(v)] = true
	}
	var rest [][]byte
	for _, v := range all {
		if !seen[string(v)] {
			rest = append(rest, v)
		}
	}
	return rest
}

// maxGraves is how many graves one request may carry (§7.4).
const maxGraves = 250

// sliceGraves yields requests' worth of graves: cards first, then notes, then decks.
func sliceGraves(g wire.Graves) iter.Seq[wire.Graves] {
	return func(yield func(wire.Graves) bool) {
		for len(g.Cards)+len(g.Notes)+len(g.Decks) > 0 {
			var part wire.Graves
			left := maxGraves
			for _, l := range []struct{ from, to *[]int64 }{
				{&g.Cards, &part.Cards}, {&g.Notes, &part.Notes}, {&g.Decks, &part.Decks},
			} {
				n := min(left, len(*l.from))
				*l.to, *l.from = (*l.from)[:n], (*l.from)[n:]
				left -= n
			}
			if !yield(part) {
				return
			}
		}
	}
}
