package mediasync_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/mediasync"
)

// asideOnly fails unless exactly those files were set aside, given as "name reason".
func asideOnly(t *testing.T, r mediasync.Report, want ...string) {
	t.Helper()
	var got []string
	for _, a := range r.SetAside {
		got = append(got, a.Name+" "+a.Reason)
	}
	if !slices.Equal(got, want) {
		t.Errorf("set aside %q, want %q", got, want)
	}
}

// TestPowerCutAfterUpload: a file that the user has just added, and that was sent, is not lost by a power cut: it would
// read as deleted, and be deleted everywhere.
func TestPowerCutAfterUpload(t *testing.T) {
	t.Parallel()
	s := newServer()
	d := newDevice(t, s)
	d.put("old.txt", "old")
	d.sync()
	d.media.PutUnsafe("new.txt", []byte("new"))
	s.put("equal.txt", []byte("equal"))
	d.media.PutUnsafe("equal.txt", []byte("equal"))
	d.sync()
	d.media.PowerCut(nil)
	d.start()
	d.sync()
	want := map[string]string{"old.txt": "old", "new.txt": "new", "equal.txt": "equal"}
	d.want(want)
	d.wantServer(want)
}

// syncUnflushed is a sync that ends before what it has installed is durable.
func (d *device) syncUnflushed() {
	d.t.Helper()
	d.media.Fail = func(step, _ string) error {
		if step == "flush" {
			return fault.New(fault.Other, "power cut")
		}
		return nil
	}
	if _, err := d.try(mediasync.Options{}); err == nil {
		d.t.Fatal("the flush did not fail")
	}
	d.media.Fail = nil
}

// TestPowerCutAfterInstall: a power cut between the installation of a file and the flush may leave it empty.
func TestPowerCutAfterInstall(t *testing.T) {
	t.Parallel()
	s := newServer()
	d := newDevice(t, s)
	s.put("a.txt", []byte("a"))
	d.syncUnflushed()
	d.media.PowerCut(func(string) coretest.Survival { return coretest.Emptied })
	if b := d.media.Get("a.txt"); b == nil || len(b) > 0 {
		t.Fatalf("after the power cut: %q", b)
	}
	d.start()
	asideOnly(t, d.sync())
	d.want(map[string]string{"a.txt": "a"})
	d.wantServer(map[string]string{"a.txt": "a"})
}

// TestPowerCutAfterReplacing: nor does it leave an empty file for good where the server has another content than the one that was
// agreed on (make sim SEED=34 of the generator of 2026-11-28), be that still here or deleted.
func TestPowerCutAfterReplacing(t *testing.T) {
	t.Parallel()
	for _, deletedHere := range []bool{false, true} {
		s := newServer()
		d := newDevice(t, s)
		d.put("a.txt", "old")
		d.put("b.txt", "b")
		d.sync()
		s.put("a.txt", []byte("new"))
		if deletedHere {
			d.media.Remove("a.txt")
		}
		d.syncUnflushed()
		d.media.PowerCut(func(string) coretest.Survival { return coretest.Emptied })
		d.start()
		asideOnly(t, d.sync())
		want := map[string]string{"a.txt": "new", "b.txt": "b"}
		d.want(want)
		d.wantServer(want)
	}
}

// TestPowerCutAfterFailedInstall: a file that was installed by a sync that failed is found by the next one, and what that says of it
// holds after a power cut (make sim SEED=50064 of a former generator).
func TestPowerCutAfterFailedInstall(t *testing.T) {
	t.Parallel()
	for _, left := range []coretest.Survival{coretest.Lost, coretest.Emptied} {
		s := newServer()
		d := newDevice(t, s)
		d.put("old.txt", "old")
		d.sync()
		s.put("a.txt", []byte("a"))
		d.syncUnflushed()
		d.start()
		d.sync()
		d.media.PowerCut(func(string) coretest.Survival { return left })
		d.start()
		d.sync()
		want := map[string]string{"old.txt": "old", "a.txt": "a"}
		d.want(want)
		d.wantServer(want)
	}
}

// TestEmptyFileInTheWay: an empty file of which nothing was ever agreed gives way to the server's, into the trash. One for
// which the user once had a content does not.
func TestEmptyFileInTheWay(t *testing.T) {
	t.Parallel()
	s := newServer()
	d := newDevice(t, s)
	d.put("emptied.txt", "content")
	d.sync()
	s.put("new.txt", []byte("new"))
	d.put("emptied.txt", "")
	d.put("new.txt", "")
	r := d.sync()
	asideOnly(t, r, "emptied.txt empty")
	if r.Downloaded != 1 {
		t.Errorf("%+v", r)
	}
	d.want(map[string]string{"emptied.txt": "", "new.txt": "new"})
	if kept, err := d.media.InTrash("new.txt"); err != nil || len(kept) != 1 {
		t.Errorf("in the trash: %q %v", kept, err)
	}
}

// blocked is a store in which one name is taken by something that is not found under it, as by a file whose name differs in
// case only, or by a name that the disk changes.
type blocked struct {
	*coretest.Media
	name string
}

func (b *blocked) Create() (host.MediaDraft, error) {
	draft, err := b.Media.Create()
	return &blockedDraft{draft, b}, err
}

type blockedDraft struct {
	host.MediaDraft
	media *blocked
}

func (d *blockedDraft) Install(name string, seen *host.MediaFile) (host.MediaFile, bool, error) {
	if name == d.media.name {
		return host.MediaFile{}, true, nil
	}
	return d.MediaDraft.Install(name, seen)
}

// TestNameInTheWay: a name that cannot be installed and is not there either is set aside.
func TestNameInTheWay(t *testing.T) {
	t.Parallel()
	s := newServer()
	s.put("A.txt", []byte("upper"))
	s.put("a.txt", []byte("lower"))
	s.put("b.txt", []byte("b"))
	d := newDevice(t, s)
	d.syncer.Host.Media = &blocked{d.media, "A.txt"}
	for range 2 {
		asideOnly(t, d.sync(), "A.txt name")
	}
	d.want(map[string]string{"a.txt": "lower", "b.txt": "b"})
	if _, err := d.get(t.Context(), "A.txt"); !errors.Is(err, fault.NotFound) {
		t.Errorf("get: %v", err)
	}
	if d.media.Drafts() > 0 {
		t.Error("drafts are left")
	}
	d.wantServer(map[string]string{"A.txt": "upper", "a.txt": "lower", "b.txt": "b"})
}
