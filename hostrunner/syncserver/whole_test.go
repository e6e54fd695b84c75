package syncserver_test

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"testing"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/syncserver"
	"github.com/cardferry/cardferry/hostrunner/syncserver/memstore"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// ending is a store whose process ends, or whose disk is full, after some changes.
type ending struct {
	*memstore.Accounts
	left int // changes
}

var errEnding = errors.New("the disk is full")

func (e *ending) change(do func() error) error {
	if e.left--; e.left < 0 {
		return errEnding
	}
	return do()
}

func (e *ending) Create(ctx context.Context, a store.Account) error {
	return e.change(func() error { return e.Accounts.Create(ctx, a) })
}

func (e *ending) Update(ctx context.Context, a store.Account) error {
	return e.change(func() error { return e.Accounts.Update(ctx, a) })
}

func (e *ending) AddDevice(ctx context.Context, id store.AccountID, d store.Device, limit int) error {
	return e.change(func() error { return e.Accounts.AddDevice(ctx, id, d, limit) })
}

func (e *ending) Renew(ctx context.Context, a store.Account, except store.DeviceID, add ...store.Device) error {
	return e.change(func() error { return e.Accounts.Renew(ctx, a, except, add...) })
}

// untilDone calls do with stores that end after 0, 1, … changes, until one has been enough.
func untilDone(t *testing.T, do func(t *testing.T, e *ending, changes int) (done bool)) {
	for changes, done := 0, false; !done; changes++ {
		t.Run(fmt.Sprint(changes), func(t *testing.T) {
			done = do(t, &ending{Accounts: memstore.NewAccounts()}, changes)
		})
	}
}

// worksFor reports whether a key is that of a device.
func worksFor(t *testing.T, accounts store.Accounts, key string) bool {
	t.Helper()
	_, _, err := accounts.ByKey(t.Context(), store.HashKey(key))
	if err != nil && fault.KindOf(err) != fault.NotFound {
		t.Fatal(err)
	}
	return err == nil
}

// TestChangeIsWhole: a change of a password that fails half-way has not changed it: who knew the old one would stay, and who asks for the
// change again is told that the old password is wrong.
func TestChangeIsWhole(t *testing.T) {
	t.Parallel()
	untilDone(t, func(t *testing.T, e *ending, changes int) bool {
		users := syncserver.NewUsers(e.Accounts, &cheap, nil)
		a, err := users.Add(t.Context(), "ada", password)
		coretest.Must(t, err)
		coretest.Must(t, e.Accounts.AddDevice(t.Context(), a.ID, store.Device{ID: "d1", Key: store.HashKey("stolen")}, 9))
		e.left = changes
		err = syncserver.NewUsers(e, &cheap, nil).SetPassword(t.Context(), "ada", battery, "")
		now, nerr := e.ByName(t.Context(), "ada")
		coretest.Must(t, nerr)
		if changed := now.Verifier != a.Verifier; changed != (err == nil) || worksFor(t, e, "stolen") == changed {
			t.Errorf("error %v, the password is another one: %v, the key works: %v", err, changed, worksFor(t, e, "stolen"))
		}
		return err == nil
	})
}

// TestFixedUserIsWhole: a server that could not set up a user of the environment does it at its next start.
func TestFixedUserIsWhole(t *testing.T) {
	t.Parallel()
	fixed := []syncserver.FixedUser{{Name: "ada", Value: "ada:" + password, Password: password}}
	sum := sha1.Sum([]byte(fixed[0].Value))
	reference := hex.EncodeToString(sum[:])
	before := map[string]func(t *testing.T, e *ending){
		"new": func(*testing.T, *ending) {},
		"another password": func(t *testing.T, e *ending) {
			coretest.Must(t, syncserver.NewUsers(e.Accounts, &cheap, nil).SetFixed(t.Context(), []syncserver.FixedUser{{Name: "ada", Value: "ada:x", Password: "x"}}))
			a, err := e.ByName(t.Context(), "ada")
			coretest.Must(t, err)
			coretest.Must(t, e.Accounts.AddDevice(t.Context(), a.ID, store.Device{ID: "d1", Key: store.HashKey("stolen")}, 9))
		},
	}
	for name, prepare := range before {
		t.Run(name, func(t *testing.T) {
			untilDone(t, func(t *testing.T, e *ending, changes int) bool {
				prepare(t, e)
				e.left = changes
				err := syncserver.NewUsers(e, &cheap, nil).SetFixed(t.Context(), fixed)
				coretest.Must(t, syncserver.NewUsers(e.Accounts, &cheap, nil).SetFixed(t.Context(), fixed))
				if !worksFor(t, e, reference) || worksFor(t, e, "stolen") {
					t.Errorf("after %v: the reference's key works: %v, the stolen one: %v", err, worksFor(t, e, reference), worksFor(t, e, "stolen"))
				}
				return err == nil
			})
		})
	}
}
