package syncserver

import (
	"context"
	"errors"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// RemoveUser removes an account with everything that is kept of it. Its keys stop working at once. It also serves programs that do
// not serve requests: if another process serves the account, that one removes the data, at the latest when it closes
// the account. fault.NotFound.
func (s *Server) RemoveUser(ctx context.Context, name string) error {
	s.start()
	a, err := s.Accounts.ByName(ctx, name)
	if err != nil {
		return err
	}
	if err := s.Accounts.Remove(ctx, a.ID); err != nil {
		return err
	}
	s.events.recheck(a.ID)
	t, err := s.tenants.enter(ctx, a.ID)
	if _, ok := errors.AsType[*store.Elsewhere](err); ok {
		return nil
	}
	if err != nil {
		return fault.Step("remove the account's data", err)
	}
	err = t.with(ctx, func() error {
		t.closeCollection()
		return t.media.whileClosed(ctx, func() error { return t.purge(ctx) })
	})
	s.tenants.leave(t)
	s.tenants.evict(t, true)
	return err
}

// purge removes all data of an account; it is closed.
func (t *tenant) purge(ctx context.Context) error {
	// Who looks for what a crash has left finds it by its collection (RemoveLeftovers): that goes last.
	if err := t.server.Blobs.RemoveAll(ctx, t.id); err != nil {
		return fault.Step("remove the account's media", err)
	}
	return fault.Step("remove the account's data", t.server.Collections.Remove(ctx, t.id))
}

// RemoveLeftovers removes the data of accounts that were removed: a server that was to remove it when it closes the account may have been
// killed before. Data of accounts that nobody has removed is kept: the list of accounts may be lost, or an older copy, until somebody puts
// the right one in its place. It may run beside requests.
func (s *Server) RemoveLeftovers(ctx context.Context) error {
	s.start()
	owners, err := s.Collections.Owners(ctx)
	if err != nil {
		return err
	}
	list, err := s.Accounts.List(ctx) // after that: whoever came meanwhile is in it
	if err != nil {
		return err
	}
	known := make(map[store.AccountID]bool, len(list))
	for _, a := range list {
		known[a.ID] = true
	}
	for _, id := range owners {
		if known[id] {
			continue
		}
		if removed, err := s.Accounts.Removed(ctx, id); err != nil {
			return err
		} else if !removed {
			s.Log.Warn("there is data of an account that is not among the accounts: it is kept. Was an older or an empty list of accounts put in place?", "account", string(id))
			continue
		}
		t, err := s.tenants.enter(ctx, id)
		if _, ok := errors.AsType[*store.Elsewhere](err); ok {
			continue // that server does it
		}
		if err != nil {
			return fault.Step("remove the data of a removed account", err)
		}
		s.tenants.leave(t)
		s.tenants.evict(t, true) // closing it removes its data
	}
	return nil
}

// purgeIfRemoved removes the data of an account that another process has removed.
func (t *tenant) purgeIfRemoved(ctx context.Context) {
	_, err := t.server.Accounts.ByID(ctx, t.id)
	if fault.KindOf(err) != fault.NotFound {
		return // also if that cannot be told now
	}
	if removed, err := t.server.Accounts.Removed(ctx, t.id); err != nil || !removed {
		return // the list of accounts is another one
	}
	if err := t.purge(ctx); err != nil {
		t.server.Log.Error("remove the data of a removed account", "account", string(t.id), "error", err.Error())
	}
}
