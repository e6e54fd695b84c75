package diskstore_test

import (
	"crypto/rand"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
	"github.com/cardferry/cardferry/hostrunner/syncserver/diskstore"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// device returns a new device.
func device(id string) store.Device {
	d := store.Device{ID: store.DeviceID(id), Name: "test", Created: time.UnixMilli(1), Seen: time.UnixMilli(1)}
	_, _ = rand.Read(d.Key[:])
	return d
}

// twoOpen opens the accounts of one folder twice, as a server and cardferry user do.
func twoOpen(t *testing.T, dir string) (own, other *diskstore.Accounts) {
	t.Helper()
	for _, a := range []**diskstore.Accounts{&own, &other} {
		opened, err := diskstore.OpenAccounts(dir)
		coretest.Must(t, err)
		t.Cleanup(func() { opened.Close() })
		*a = opened
	}
	return own, other
}

// TestKeysAreForgotten: what a key was known to stand for does not outlive a change, be it this server's or another program's, with each thing
// that may change, as often as it does, and also when the log begins anew.
func TestKeysAreForgotten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	own, other := twoOpen(t, dir)
	ctx := t.Context()
	a := store.Account{ID: "a", Name: "ada", Created: time.UnixMilli(1)}
	coretest.Must(t, own.Create(ctx, a))
	known := func(d store.Device, want fault.Kind) (store.Account, store.Device) {
		t.Helper()
		for range 2 { // the second time it is remembered
			_, _, err := own.ByKey(ctx, d.Key)
			if fault.KindOf(err) != want {
				t.Fatalf("got %v, want %v", err, want)
			}
		}
		account, found, _ := own.ByKey(ctx, d.Key)
		return account, found
	}
	for i := range 21 {
		by := map[bool]*diskstore.Accounts{true: own, false: other}[i%2 == 0]
		d, kept := device(fmt.Sprint("d", i)), device(fmt.Sprint("kept", i))
		known(d, fault.NotFound)
		coretest.Must(t, by.AddDevice(ctx, "a", d, 1000))
		coretest.Must(t, own.AddDevice(ctx, "a", kept, 1000))
		known(kept, 0)
		known(d, 0)
		if n := own.Remembered(); n != 2 && runtime.GOOS == "linux" {
			t.Fatalf("%d keys are remembered", n)
		}
		coretest.Must(t, by.Touch(ctx, "a", d.ID, fmt.Sprint("name ", i), time.UnixMilli(int64(i))))
		if _, found := known(d, 0); found.Name != fmt.Sprint("name ", i) || found.Seen.UnixMilli() != int64(i) && i > 0 {
			t.Fatalf("%+v", found)
		}
		a.Disabled = !a.Disabled
		coretest.Must(t, by.Update(ctx, a))
		if account, _ := known(d, 0); account.Disabled != a.Disabled {
			t.Fatalf("%+v", account)
		}
		if i%7 == 0 { // as another program may
			db, err := sqlitehost.OpenFile(dir+"/"+diskstore.AccountsFile, host.ReadWrite)
			coretest.Must(t, err)
			coretest.Must(t, db.Exec("PRAGMA wal_checkpoint(TRUNCATE)"))
			coretest.Must(t, db.Close())
			known(d, 0)
		}
		if i%3 == 0 {
			coretest.Must(t, by.Renew(ctx, a, kept.ID))
		} else {
			coretest.Must(t, by.RemoveDevice(ctx, "a", d.ID))
		}
		known(d, fault.NotFound)
		known(kept, 0)
	}
	coretest.Must(t, other.Remove(ctx, "a"))
	known(device("none"), fault.NotFound)
	coretest.Must(t, own.Close())
	if _, _, err := own.ByKey(ctx, device("none").Key); fault.KindOf(err) != fault.Closed {
		t.Errorf("closed: %v", err)
	}
}

// TestKeysMeanwhile: while many ask for a key, another program changes what it stands for; who asks after that was said to be done gets the new.
func TestKeysMeanwhile(t *testing.T) {
	t.Parallel()
	own, other := twoOpen(t, t.TempDir())
	ctx := t.Context()
	coretest.Must(t, own.Create(ctx, store.Account{ID: "a", Name: "ada", Created: time.UnixMilli(1)}))
	d := device("d")
	coretest.Must(t, own.AddDevice(ctx, "a", d, 10))
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 2 {
		wg.Go(func() {
			for last := int64(0); ; {
				select {
				case <-stop:
					return
				default:
				}
				_, found, err := own.ByKey(ctx, d.Key)
				if seen := found.Seen.UnixMilli(); err != nil || seen < last {
					t.Errorf("%d after %d: %v", seen, last, err)
					return
				} else {
					last = seen
				}
			}
		})
	}
	for i := int64(2); i < 60; i++ {
		coretest.Must(t, other.Touch(ctx, "a", d.ID, "test", time.UnixMilli(i)))
		if _, found, err := own.ByKey(ctx, d.Key); err != nil || found.Seen.UnixMilli() != i {
			t.Fatalf("%d, want %d: %v", found.Seen.UnixMilli(), i, err)
		}
	}
	close(stop)
	wg.Wait()
}

// TestDurable: only when a device was seen need not be durable, whatever comes before and after.
func TestDurable(t *testing.T) {
	t.Parallel()
	s, err := diskstore.OpenAccounts(t.TempDir())
	coretest.Must(t, err)
	defer s.Close()
	ctx, d := t.Context(), device("d")
	wrote := func(err error, want int64) {
		t.Helper()
		coretest.Must(t, err)
		if got, err := s.Synchronous(); err != nil || got != want {
			t.Errorf("synchronous is %d, want %d: %v", got, want, err)
		}
	}
	const normal, full = 1, 2
	wrote(s.Create(ctx, store.Account{ID: "a", Name: "ada"}), full)
	wrote(s.AddDevice(ctx, "a", d, 10), full)
	wrote(s.Touch(ctx, "a", d.ID, "test", time.UnixMilli(2)), normal)
	wrote(s.Touch(ctx, "a", d.ID, "test", time.UnixMilli(3)), normal)
	wrote(s.RemoveDevice(ctx, "a", d.ID), full)
}

// TestRenewIsWhole: an account whose devices cannot be replaced keeps its password, too.
func TestRenewIsWhole(t *testing.T) {
	t.Parallel()
	s, err := diskstore.OpenAccounts(t.TempDir())
	coretest.Must(t, err)
	defer s.Close()
	ctx, a, kept := t.Context(), store.Account{ID: "a", Name: "ada", Verifier: "first"}, device("d")
	coretest.Must(t, s.Create(ctx, a))
	coretest.Must(t, s.AddDevice(ctx, "a", kept, 10))
	second := a
	second.Verifier = "second"
	if err := s.Renew(ctx, second, "", device("twice"), device("twice")); err == nil {
		t.Error("two devices of one ID")
	}
	now, d, err := s.ByKey(ctx, kept.Key)
	if coretest.Must(t, err); now.Verifier != "first" || d.ID != "d" {
		t.Errorf("%+v, %+v", now, d)
	}
}
