package mediasync_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/mediasync"
)

// full returns a device in sync with n files, and these.
func full(t *testing.T, n int) (*device, map[string]string) {
	t.Helper()
	d := newDevice(t, newServer())
	want := map[string]string{}
	for i := range n {
		name := fmt.Sprintf("f%03d.txt", i)
		want[name] = "content of " + name
		d.put(name, want[name])
	}
	d.sync()
	d.server.requests()
	return d, want
}

func (d *device) removeFirst(n int) {
	for i := range n {
		d.media.Remove(fmt.Sprintf("f%03d.txt", i))
	}
}

// TestBrake is the rule of contract.md §3.
func TestBrake(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ files, missing, held int }{
		{20, 10, 0}, {20, 11, 11}, {55, 11, 0}, {54, 11, 11}, {100, 20, 0}, {100, 21, 21}, {100, 100, 100}, {8, 8, 8}, {8, 7, 0}, {1, 1, 1},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			t.Parallel()
			d, want := full(t, c.files)
			d.removeFirst(c.missing)
			d.put("new.txt", "new") // everything else is synced
			d.server.put("theirs.txt", []byte("theirs"))
			if c.held == 0 {
				if r := d.sync(); r.DeletedRemote != int64(c.missing) || r.Held != 0 {
					t.Errorf("%+v", r)
				}
				return
			}
			r, e := d.syncKind(mediasync.Options{}, fault.NeedsDecision)
			if r.Held != int64(c.held) || r.DeletedRemote != 0 || r.Uploaded != 1 || r.Downloaded != 1 || e.Hint == "" || !e.Changed {
				t.Errorf("%+v, %+v", r, e)
			}
			for _, key := range []string{"held", "downloaded", "uploaded", "deleted_local", "deleted_remote", "set_aside", "round_trips", "new_endpoint"} {
				if _, ok := e.Details[key]; !ok {
					t.Errorf("the details have no %s", key)
				}
			}
			want["new.txt"], want["theirs.txt"] = "new", "theirs"
			d.wantServer(want)
			if d.files()["theirs.txt"] == "" {
				t.Error("a new file of the server was not fetched")
			}
		})
	}
}

// TestBrakeSticks: what happens while deletions are held does not let them go.
func TestBrakeSticks(t *testing.T) {
	t.Parallel()
	for name, between := range map[string]func(d *device){
		"nothing":          func(*device) {},
		"download":         func(d *device) { d.server.put("theirs.txt", []byte("theirs")) },
		"get":              func(d *device) { _, _ = d.get(d.t.Context(), "f000.txt") },
		"another deletion": func(d *device) { d.put("x.txt", "x"); d.try(mediasync.Options{}); d.media.Remove("x.txt") },
		"some come back":   func(d *device) { d.put("f000.txt", "content of f000.txt"); d.put("f001.txt", "edited") },
		"new process":      func(d *device) { d.start() },
		"server changes some": func(d *device) {
			d.server.put("f002.txt", []byte("changed"))
			d.server.put("f003.txt", nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, _ := full(t, 8)
			d.removeFirst(8)
			d.syncKind(mediasync.Options{}, fault.NeedsDecision)
			between(d)
			before := len(d.server.files())
			for range 3 {
				if r, _ := d.syncKind(mediasync.Options{}, fault.NeedsDecision); r.Held == 0 || r.DeletedRemote != 0 {
					t.Errorf("%+v", r)
				}
			}
			if n := len(d.server.files()); n < before {
				t.Errorf("the server has %d files, before %d", n, before)
			}
		})
	}
}

// meanwhile is a host.Yielder that lets another task do something once.
type meanwhile struct{ do func() }

func (m *meanwhile) Tick(ctx context.Context) error {
	if do := m.do; do != nil {
		m.do = nil
		do()
	}
	return ctx.Err()
}

func (m *meanwhile) Pause(ctx context.Context) error { return m.Tick(ctx) }

// TestFetchedDuringScan: a file that a scan of a large folder has missed is fetched again while that goes on. It is not deleted on the server.
func TestFetchedDuringScan(t *testing.T) {
	t.Parallel()
	d, want := full(t, 5200)
	names := slices.Sorted(maps.Keys(want))[:1020] // more than are noted at a time, and few enough for the brake
	for _, name := range names {
		d.media.Remove(name)
	}
	d.syncer.Host.Yield = &meanwhile{func() {
		if _, err := d.get(t.Context(), names[0]); err != nil {
			t.Error(err)
		}
	}}
	if r := d.sync(); r.DeletedRemote != 1019 || r.Held != 0 {
		t.Errorf("%+v", r)
	}
	for _, name := range names[1:] {
		delete(want, name)
	}
	d.want(want)
	d.wantServer(want)
}

func TestDecisions(t *testing.T) {
	t.Parallel()
	empty := map[string]string{}
	t.Run("files come back", func(t *testing.T) {
		t.Parallel()
		d, want := full(t, 30)
		d.removeFirst(30)
		d.syncKind(mediasync.Options{}, fault.NeedsDecision)
		for name, content := range want {
			d.put(name, content)
		}
		if r := d.sync(); r.Held+r.Uploaded+r.Downloaded+r.DeletedRemote != 0 || r.RoundTrips != 1 {
			t.Errorf("%+v", r)
		}
		d.removeFirst(2) // the brake is open again
		if r := d.sync(); r.DeletedRemote != 2 {
			t.Errorf("%+v", r)
		}
	})
	for _, first := range []bool{false, true} {
		t.Run(fmt.Sprint("allow, asked before: ", first), func(t *testing.T) {
			t.Parallel()
			d, _ := full(t, 30)
			d.removeFirst(30)
			if first {
				d.syncKind(mediasync.Options{}, fault.NeedsDecision)
			}
			if r, err := d.try(mediasync.Options{AllowDeletions: true}); err != nil || r.DeletedRemote != 30 || r.Held != 0 {
				t.Errorf("%+v, %v", r, err)
			}
			d.wantServer(empty)
			d.want(empty)
		})
		t.Run(fmt.Sprint("restore, asked before: ", first), func(t *testing.T) {
			t.Parallel()
			d, want := full(t, 30)
			d.removeFirst(20)
			if first {
				d.syncKind(mediasync.Options{}, fault.NeedsDecision)
			}
			if r, err := d.try(mediasync.Options{RestoreHeld: true}); err != nil || r.Downloaded != 20 || r.Held != 0 {
				t.Errorf("%+v, %v", r, err)
			}
			d.wantServer(want)
			d.want(want)
			d.removeFirst(1)
			if r := d.sync(); r.DeletedRemote != 1 {
				t.Errorf("%+v", r)
			}
		})
	}
	t.Run("both", func(t *testing.T) {
		t.Parallel()
		d, _ := full(t, 1)
		d.syncKind(mediasync.Options{AllowDeletions: true, RestoreHeld: true}, fault.InvalidInput)
	})
	t.Run("decisions without anything held", func(t *testing.T) {
		t.Parallel()
		d, want := full(t, 30)
		d.removeFirst(1)
		delete(want, "f000.txt")
		if r, err := d.try(mediasync.Options{RestoreHeld: true}); err != nil || r.DeletedRemote != 1 {
			t.Errorf("%+v, %v", r, err)
		}
		if r, err := d.try(mediasync.Options{AllowDeletions: true}); err != nil || r.RoundTrips != 1 {
			t.Errorf("%+v, %v", r, err)
		}
		d.want(want)
		d.wantServer(want)
	})
}

// TestFolder: a folder that is gone is an empty one, a folder that cannot be read is the user's decision.
func TestFolder(t *testing.T) {
	t.Parallel()
	d, want := full(t, 5)
	d.media.RemoveAll()
	d.syncKind(mediasync.Options{}, fault.NeedsDecision)
	d.wantServer(want)
	if _, err := d.try(mediasync.Options{RestoreHeld: true}); err != nil {
		t.Fatal(err)
	}
	d.want(want)
	d.server.put("theirs.txt", []byte("theirs"))
	d.put("ours.txt", "ours")
	d.server.requests()
	d.media.Lock(true)
	for _, o := range []mediasync.Options{{}, {AllowDeletions: true}, {RestoreHeld: true}} {
		r, e := d.syncKind(o, fault.NeedsDecision)
		if r.Held != 5 || !strings.Contains(e.Hint, "readable") || d.server.requests() != "" {
			t.Errorf("%+v, %+v", r, e)
		}
	}
	d.media.Lock(false)
	d.sync()
	want["theirs.txt"], want["ours.txt"] = "theirs", "ours"
	d.want(want)
	d.wantServer(want)
}

// TestIndexLost: without an index nothing counts as deleted.
func TestIndexLost(t *testing.T) {
	t.Parallel()
	d, want := full(t, 30)
	if err := d.syncer.Forget(); err != nil {
		t.Fatal(err)
	}
	d.removeFirst(25)
	if r := d.sync(); r.Downloaded != 25 || r.Uploaded+r.DeletedRemote+r.DeletedLocal != 0 {
		t.Errorf("%+v", r)
	}
	d.want(want)
	d.wantServer(want)
}
