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
	if err := t.server.Collections.Remove(ctx, t.id); err != nil {
		return fault.Step("remove the account's data", err)
	}
	return fault.Step("remove the account's media", t.server.Blobs.RemoveAll(ctx, t.id))
}

// purgeIfRemoved removes the data of an account that another process has removed.
func (t *tenant) purgeIfRemoved(ctx context.Context) {
	_, err := t.server.Accounts.ByID(ctx, t.id)
	if fault.KindOf(err) != fault.NotFound {
		return // also if that cannot be told now
	}
	if err := t.purge(ctx); err != nil {
		t.server.Log.Error("remove the data of a removed account", "account", string(t.id), "error", err.Error())
	}
}
