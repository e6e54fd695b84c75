package syncserver

import (
	"context"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// touchEvery is how exactly the time is kept at which a device was last seen: writing it costs a flush.
const touchEvery = 10 * time.Minute

// authenticate finds account and device of a key. Errors: fault.Auth for an unknown key, a revoked one, and that of a
// disabled account. client is what the program calls itself, "" if the request does not say.
func (s *Server) authenticate(ctx context.Context, c *call, key, client string) error {
	a, d, err := s.byKey(ctx, key)
	if err != nil {
		return err
	}
	c.account, c.device = a, d
	if client = deviceName(client); client == "" {
		client = d.Name
	}
	// Later than now it was seen before the clock was set back.
	if now := s.Now(); client != d.Name || now.Sub(d.Seen) >= touchEvery || now.Before(d.Seen) {
		// A device that was revoked just now need not be touched.
		if err := s.Accounts.Touch(ctx, a.ID, d.ID, client, now); err != nil && fault.KindOf(err) != fault.NotFound {
			return fault.Step("record the device", err)
		}
	}
	return nil
}

// byKey looks a key up. Errors: as with authenticate.
func (s *Server) byKey(ctx context.Context, key string) (store.Account, store.Device, error) {
	if key == "" {
		return store.Account{}, store.Device{}, fault.New(fault.Auth, "no key")
	}
	a, d, err := s.Accounts.ByKey(ctx, store.HashKey(key))
	if fault.KindOf(err) == fault.NotFound || err == nil && a.Disabled {
		err = fault.New(fault.Auth, "unknown key")
	}
	return a, d, fault.Step("find the key", err)
}

// deviceName cuts down what a program calls itself to what is kept.
func deviceName(client string) string {
	const limit = 100
	b := make([]byte, 0, limit)
	for i := 0; i < len(client) && len(b) < limit; i++ {
		if client[i] >= ' ' && client[i] <= '~' {
			b = append(b, client[i])
		}
	}
	return string(b)
}
