package syncserver_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/hostrunner/syncserver"
	"github.com/cardferry/cardferry/hostrunner/syncserver/memstore"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// TestLeftoversOfRemoved: a server that was killed between the removal of an account and that of its data removes it later.
func TestLeftoversOfRemoved(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, s *syncserver.Server) {
		url := serve(t, s)
		ids := map[string]store.AccountID{}
		for _, name := range []string{"gone", "here"} {
			c := newClient(t, s, url, name)
			c.must("sync/upload", fixture(t, "stock.anki2"))
			c.put(file("a.jpg", "of "+name))
			a, err := s.Accounts.ByName(t.Context(), name)
			coretest.Must(t, err)
			ids[name] = a.ID
		}
		s.Sweep(s.Now().Add(s.Limits.Session))
		coretest.Must(t, s.Accounts.Remove(t.Context(), ids["gone"])) // and then it was killed
		coretest.Must(t, s.RemoveLeftovers(t.Context()))
		list, err := s.Collections.Owners(t.Context())
		if err != nil || len(list) != 1 || list[0] != ids["here"] {
			t.Errorf("%q has data, want only that of %q: %v", list, ids["here"], err)
		}
		for name, want := range map[string]int{"gone": 0, "here": 1} {
			if blobs, err := s.Blobs.List(t.Context(), ids[name]); err != nil || len(blobs) != want {
				t.Errorf("%s has %d files, want %d: %v", name, len(blobs), want, err)
			}
		}
	})
}

// TestAnotherListOfAccounts: with an empty list of accounts in the place of the right one nothing that is kept of them goes, at the start and
// when an account is closed; with the right one back everything is as it was.
func TestAnotherListOfAccounts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := onDisk(t, dir)
	c := newClient(t, s, serve(t, s), "ada")
	c.must("sync/upload", fixture(t, "stock.anki2"))
	c.put(file("a.jpg", "one"))
	a, err := s.Accounts.ByName(t.Context(), "ada")
	coretest.Must(t, err)
	coretest.Must(t, s.Close(context.WithoutCancel(t.Context())))

	other := onDisk(t, dir)
	right := other.Accounts
	other.Accounts = memstore.NewAccounts()
	coretest.Must(t, other.RemoveLeftovers(t.Context()))
	other.Accounts = right
	again := *c
	again.url = serve(t, other)
	again.must("sync/meta", []byte(`{"v":11,"cv":"test"}`))
	other.Accounts = memstore.NewAccounts()
	other.Sweep(other.Now().Add(24 * time.Hour)) // closes the account
	other.Accounts = right
	if list, err := other.Collections.Owners(t.Context()); err != nil || len(list) != 1 || list[0] != a.ID {
		t.Errorf("data of %q: %v", list, err)
	}
	again.wantFiles(map[string]string{"a.jpg": "one"})
	if now := again.must("sync/download", []byte("{}")); len(now) < 10_000 {
		t.Errorf("the collection has %d bytes", len(now))
	}
}

// paused are blobs that stop after they were made durable.
type paused struct {
	store.Blobs
	durable, goOn chan struct{}
}

// Flush makes content durable, and returns when it is told to.
func (p *paused) Flush(ctx context.Context, id store.AccountID) error {
	err := p.Blobs.Flush(ctx, id)
	p.durable <- struct{}{}
	<-p.goOn
	return err
}

// TestLeftoversOfUpload: content that a killed server has stored, and no row refers to, goes with the first use of the media state. What
// is referred to stays.
func TestLeftoversOfUpload(t *testing.T) {
	t.Parallel()
	dir, copied := t.TempDir(), t.TempDir()
	s := onDisk(t, dir)
	c := newClient(t, s, serve(t, s), "ada")
	c.put(file("a.jpg", "one"), file("b.jpg", "two"))
	blobs := &paused{Blobs: s.Blobs, durable: make(chan struct{}), goOn: make(chan struct{})}
	s.Blobs = blobs
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c.call("msync/uploadChanges", archive(t, file("c.jpg", "three"), file("d.jpg", string(make([]byte, 2<<20)))))
	}()
	<-blobs.durable
	coretest.Must(t, os.CopyFS(copied, os.DirFS(dir))) // what a crash leaves
	close(blobs.goOn)
	<-ended

	a, err := s.Accounts.ByName(t.Context(), "ada")
	coretest.Must(t, err)
	after := onDisk(t, copied)
	again := *c
	again.url = serve(t, after)
	lease, err := after.Leases.Acquire(t.Context(), a.ID) // makes files of the journal
	coretest.Must(t, err)
	lease.Release()
	if list, err := after.Blobs.List(t.Context(), a.ID); err != nil || len(list) != 4 {
		t.Fatalf("the crash has left %d files, want 4: %v", len(list), err)
	}
	again.wantFiles(map[string]string{"a.jpg": "one", "b.jpg": "two"})
	if list, err := after.Blobs.List(t.Context(), a.ID); err != nil || len(list) != 2 {
		t.Errorf("%d files are left, want 2: %v", len(list), err)
	}
	again.put(file("c.jpg", "three"))
	again.wantFiles(map[string]string{"a.jpg": "one", "b.jpg": "two", "c.jpg": "three"})
	c.wantFiles(map[string]string{"a.jpg": "one", "b.jpg": "two", "c.jpg": "three", "d.jpg": string(make([]byte, 2<<20))})
}
