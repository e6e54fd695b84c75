package syncserver_test

import (
	"context"
	"sync"
	"testing"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/wire"
	"github.com/cardferry/cardferry/hostrunner/syncserver"
	"github.com/cardferry/cardferry/hostrunner/syncserver/memstore"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// meanwhile does something once, before a device is added.
type meanwhile struct {
	*memstore.Accounts
	once sync.Once
	do   func()
}

func (m *meanwhile) AddDevice(ctx context.Context, id store.AccountID, d store.Device, limit int) error {
	if m.do != nil {
		m.once.Do(m.do)
	}
	return m.Accounts.AddDevice(ctx, id, d, limit)
}

const battery = "battery staple"

// TestLoginBesideChange: who has shown a password before it was changed, or the account disabled, has no key after that.
func TestLoginBesideChange(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(s *syncserver.Server) error{
		"changed": func(s *syncserver.Server) error { return s.Users().SetPassword(t.Context(), "ada", battery, "") },
		"removed": func(s *syncserver.Server) error { return s.RemoveUser(t.Context(), "ada") },
		"disabled": func(s *syncserver.Server) error {
			a, err := s.Accounts.ByName(t.Context(), "ada")
			a.Disabled = true
			coretest.Must(t, err)
			return s.Accounts.Update(t.Context(), a)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			accounts := &meanwhile{Accounts: memstore.NewAccounts()}
			s := &syncserver.Server{Accounts: accounts}
			url := serve(t, s)
			a, err := s.Users().Add(t.Context(), "ada", password)
			coretest.Must(t, err)
			accounts.do = func() { coretest.Must(t, change(s)) }
			eve := &client{t: t, url: url, session: "one", version: 11, name: "test,1,linux"}
			eve.want(403, "sync/hostKey", string(wire.LoginRequest("ada", password)))
			if list, err := accounts.Devices(t.Context(), a.ID); err != nil || len(list) != 0 {
				t.Errorf("%d devices, %v", len(list), err)
			}
		})
	}
}

// TestChangeBesideChange: who has shown the old password does not change it any more once the owner has.
func TestChangeBesideChange(t *testing.T) {
	t.Parallel()
	var hashing func()
	s := &syncserver.Server{Passwords: syncserver.Passwords{Memory: 8, Passes: 1, Random: func(salt []byte) {
		clear(salt)
		if do := hashing; do != nil {
			hashing = nil
			do()
		}
	}}}
	url := serve(t, s)
	eve := newClient(t, s, url, "ada")
	hashing = func() { coretest.Must(t, s.Users().SetPassword(t.Context(), "ada", battery, "")) }
	if status, _ := eve.api("POST", "password", map[string]string{"old": password, "new": "eve's own word"}); status != 403 {
		t.Errorf("status %d", status)
	}
	eve.want(403, "sync/abort", "{}")
	login(t, url, "ada", battery)
}
