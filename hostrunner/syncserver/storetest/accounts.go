// Package storetest has the contract suites of package store: every implementation passes them.
package storetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

var epoch = time.UnixMilli(1_800_000_000_123)

func account(id store.AccountID, name string) store.Account {
	return store.Account{ID: id, Name: name, Verifier: "verifier of " + name, Created: epoch}
}

func device(id store.DeviceID, seen time.Time) store.Device {
	return store.Device{ID: id, Name: "program " + string(id), Key: store.HashKey("key of " + string(id)), Created: epoch, Seen: seen}
}

// TestAccounts is the contract of store.Accounts. open returns an empty store.
func TestAccounts(t *testing.T, open func(t *testing.T) store.Accounts) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, s store.Accounts)
	}{
		{"accounts are kept", testKeepAccounts},
		{"names are compared folded", testFoldedNames},
		{"update and remove", testUpdateAccount},
		{"devices are kept", testDevices},
		{"the oldest devices make room", testDeviceLimit},
		{"revoked keys are gone", testRevoke},
		{"one of many sign-ups of a name succeeds", testSignUpRace},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			t.Cleanup(func() { s.Close() })
			c.test(t, s)
		})
	}
}

// equal compares what the store returns with what it was given.
func equal[T comparable](t *testing.T, got, want T, err error) {
	t.Helper()
	coretest.Must(t, err)
	if got != want {
		t.Fatalf("got %+v, want %+v", got, want)
	}
}

func testKeepAccounts(t *testing.T, s store.Accounts) {
	ctx := t.Context()
	_, err := s.ByName(ctx, "ada")
	coretest.WantKind(t, err, fault.NotFound)
	ada, bob := account("a1", "ada"), account("b1", "bob")
	bob.Fixed, bob.Disabled = true, true
	coretest.Must(t, s.Create(ctx, bob))
	coretest.Must(t, s.Create(ctx, ada))
	got, err := s.ByName(ctx, "ada")
	equal(t, got, ada, err)
	got, err = s.ByName(ctx, "bob")
	equal(t, got, bob, err)
	got, err = s.ByID(ctx, "b1")
	equal(t, got, bob, err)
	_, err = s.ByID(ctx, "none")
	coretest.WantKind(t, err, fault.NotFound)
	list, err := s.List(ctx)
	coretest.Must(t, err)
	if len(list) != 2 || list[0] != ada || list[1] != bob {
		t.Fatalf("list: %+v", list)
	}
}

func testFoldedNames(t *testing.T, s store.Accounts) {
	ctx := t.Context()
	coretest.Must(t, s.Create(ctx, account("a1", "Zoë@Example.org")))
	for _, name := range []string{"zoë@example.org", "ZOË@EXAMPLE.ORG", "Zoe\u0308@example.org", " zoë@example.org\t"} {
		if err := s.Create(ctx, account("a2", name)); !errors.Is(err, store.ErrTaken) {
			t.Errorf("create %q: %v", name, err)
		}
		got, err := s.ByName(ctx, name)
		equal(t, got, account("a1", "Zoë@Example.org"), err)
	}
	for _, name := range []string{"zoe@example.org", "zoë @example.org", "", "'; DROP TABLE accounts; --"} {
		_, err := s.ByName(ctx, name)
		coretest.WantKind(t, err, fault.NotFound)
	}
}

func wantRemoved(t *testing.T, s store.Accounts, id store.AccountID, want bool) {
	t.Helper()
	if got, err := s.Removed(t.Context(), id); got != want || err != nil {
		t.Errorf("%s was removed: %v, %v", id, got, err)
	}
}

func testUpdateAccount(t *testing.T, s store.Accounts) {
	ctx := t.Context()
	a := account("a1", "ada")
	coretest.WantKind(t, s.Update(ctx, a), fault.NotFound)
	coretest.WantKind(t, s.Remove(ctx, a.ID), fault.NotFound)
	coretest.Must(t, s.Create(ctx, a))
	wantRemoved(t, s, a.ID, false)
	coretest.Must(t, s.AddDevice(ctx, a.ID, device("d1", epoch), 9))
	a.Verifier, a.Fixed, a.Disabled = "another", true, true
	coretest.Must(t, s.Update(ctx, a))
	got, d, err := s.ByKey(ctx, store.HashKey("key of d1"))
	equal(t, got, a, err)
	equal(t, d, device("d1", epoch), nil)
	coretest.Must(t, s.Remove(ctx, a.ID))
	wantRemoved(t, s, a.ID, true)
	wantRemoved(t, s, "never", false)
	_, err = s.ByName(ctx, "ada")
	coretest.WantKind(t, err, fault.NotFound)
	_, _, err = s.ByKey(ctx, store.HashKey("key of d1"))
	coretest.WantKind(t, err, fault.NotFound)
	coretest.Must(t, s.Create(ctx, account("a2", "ada")))
	if list, err := s.Devices(ctx, "a2"); err != nil || len(list) > 0 {
		t.Fatalf("the name's next owner has devices: %+v, %v", list, err)
	}
}

func testDevices(t *testing.T, s store.Accounts) {
	ctx := t.Context()
	coretest.WantKind(t, s.AddDevice(ctx, "a1", device("d1", epoch), 9), fault.NotFound)
	coretest.Must(t, s.Create(ctx, account("a1", "ada")))
	coretest.Must(t, s.Create(ctx, account("b1", "bob")))
	coretest.Must(t, s.AddDevice(ctx, "a1", device("d2", epoch), 9))
	coretest.Must(t, s.AddDevice(ctx, "a1", device("d1", epoch), 9))
	coretest.Must(t, s.AddDevice(ctx, "b1", device("d3", epoch), 9))
	later := epoch.Add(time.Hour)
	coretest.Must(t, s.Touch(ctx, "a1", "d2", "renamed", later))
	coretest.WantKind(t, s.Touch(ctx, "b1", "d2", "stolen", later), fault.NotFound)
	list, err := s.Devices(ctx, "a1")
	coretest.Must(t, err)
	d2 := device("d2", later)
	d2.Name = "renamed"
	if len(list) != 2 || list[0] != d2 || list[1] != device("d1", epoch) {
		t.Fatalf("devices: %+v", list)
	}
	// The clock was ahead when d4 was seen: it is not the one that was here last.
	coretest.Must(t, s.AddDevice(ctx, "b1", device("d4", later.Add(time.Hour)), 9))
	coretest.Must(t, s.AddDevice(ctx, "b1", device("d5", later), 2))
	list, err = s.Devices(ctx, "b1")
	coretest.Must(t, err)
	if len(list) != 2 || list[0].ID != "d3" || list[1].ID != "d5" {
		t.Fatalf("devices after one that was seen later than now: %+v", list)
	}
	if list, err := s.Devices(ctx, "c1"); err != nil || len(list) > 0 {
		t.Fatalf("devices of no account: %+v, %v", list, err)
	}
	a, d, err := s.ByKey(ctx, store.HashKey("key of d3"))
	equal(t, a, account("b1", "bob"), err)
	equal(t, d, device("d3", epoch), nil)
	_, _, err = s.ByKey(ctx, store.KeyHash{})
	coretest.WantKind(t, err, fault.NotFound)
}

func testDeviceLimit(t *testing.T, s store.Accounts) {
	ctx := t.Context()
	coretest.Must(t, s.Create(ctx, account("a1", "ada")))
	for i, minutes := range []int{5, 1, 3, 4, 6} {
		d := device(store.DeviceID(fmt.Sprint("d", i)), epoch.Add(time.Duration(minutes)*time.Minute))
		coretest.Must(t, s.AddDevice(ctx, "a1", d, 7-i))
	}
	list, err := s.Devices(ctx, "a1")
	coretest.Must(t, err)
	if len(list) != 3 || list[0].ID != "d0" || list[1].ID != "d3" || list[2].ID != "d4" {
		t.Fatalf("devices: %+v", list)
	}
	_, _, err = s.ByKey(ctx, store.HashKey("key of d1"))
	coretest.WantKind(t, err, fault.NotFound)
}

func testRevoke(t *testing.T, s store.Accounts) {
	ctx := t.Context()
	coretest.Must(t, s.Create(ctx, account("a1", "ada")))
	coretest.Must(t, s.Create(ctx, account("b1", "bob")))
	for _, id := range []store.DeviceID{"d1", "d2", "d3", "d4"} {
		coretest.Must(t, s.AddDevice(ctx, "a1", device(id, epoch), 9))
	}
	coretest.WantKind(t, s.RemoveDevice(ctx, "b1", "d1"), fault.NotFound)
	coretest.Must(t, s.RemoveDevice(ctx, "a1", "d1"))
	coretest.WantKind(t, s.RemoveDevice(ctx, "a1", "d1"), fault.NotFound)
	renewed := account("a1", "ada")
	renewed.Verifier = "another"
	coretest.WantKind(t, s.Renew(ctx, account("c1", "cyd"), ""), fault.NotFound)
	coretest.Must(t, s.Renew(ctx, account("b1", "bob"), ""))
	coretest.Must(t, s.Renew(ctx, renewed, "d3", device("d5", epoch)))
	a, d, err := s.ByKey(ctx, store.HashKey("key of d5"))
	equal(t, a, renewed, err)
	equal(t, d, device("d5", epoch), nil)
	list, err := s.Devices(ctx, "a1")
	coretest.Must(t, err)
	if len(list) != 2 || list[0].ID != "d3" || list[1].ID != "d5" {
		t.Fatalf("devices: %+v", list)
	}
	for _, id := range []string{"d1", "d2", "d4"} {
		_, _, err := s.ByKey(ctx, store.HashKey("key of "+id))
		coretest.WantKind(t, err, fault.NotFound)
	}
}

func testSignUpRace(t *testing.T, s store.Accounts) {
	var wg sync.WaitGroup
	var created atomic.Int32
	for i := range 16 {
		wg.Go(func() {
			err := s.Create(t.Context(), account(store.AccountID(fmt.Sprint("a", i)), "ada"))
			if err == nil {
				created.Add(1)
			} else if !errors.Is(err, store.ErrTaken) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if created.Load() != 1 {
		t.Fatalf("%d accounts of one name", created.Load())
	}
}
