package mediasync_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
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
	d.unflushed(func() error { _, err := d.try(mediasync.Options{}); return err })
}

// unflushed does something that ends before what it has installed is durable.
func (d *device) unflushed(do func() error) {
	d.t.Helper()
	installed := false
	d.media.Fail = func(step, _ string) error {
		installed = installed || step == "install"
		if step == "flush" && installed {
			return fault.New(fault.Other, "power cut")
		}
		return nil
	}
	if do() == nil {
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

// TestPowerCutTakesIndexBack: nor if the index is again as after the last of its commits that was flushed, when both sides had agreed on what
// was here before (make sim SEED=120006042 of the generator of 2026-11-29).
func TestPowerCutTakesIndexBack(t *testing.T) {
	t.Parallel()
	options := func(o mediasync.Options) func(*device) error {
		return func(d *device) error { _, err := d.try(o); return err }
	}
	for name, c := range map[string]struct {
		replaced string              // what the server has got meanwhile, "" for nothing
		lost     bool                // all files are, and not just one
		before   func(*device) error // what happens before
		cut      func(*device) error // the power is cut in this
	}{
		"deleted here, replaced there": {replaced: "new", cut: options(mediasync.Options{})},
		"held, and fetched again":      {lost: true, before: options(mediasync.Options{}), cut: options(mediasync.Options{RestoreHeld: true})},
		"lost by the store":            {lost: true, cut: options(mediasync.Options{Evictable: true})},
		"asked for": {cut: func(d *device) error {
			_, err := d.get(d.t.Context(), "a.txt")
			return err
		}},
		"deleted here, which was seen offline, replaced there": {
			replaced: "new",
			before: func(d *device) error {
				d.server.before = func(string, []byte) (*host.Response, error) { return nil, broken }
				defer func() { d.server.before = nil }()
				_, err := d.try(mediasync.Options{})
				return err
			},
			cut: options(mediasync.Options{}),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer()
			d := newDevice(t, s)
			d.put("a.txt", "old")
			d.put("b.txt", "b")
			d.put("z.txt", "z")
			d.sync()
			if d.media.Remove("a.txt"); c.lost {
				d.media.RemoveAll()
			}
			if c.before != nil && c.before(d) == nil {
				t.Fatal("the sync before was complete")
			}
			if c.replaced != "" {
				s.put("a.txt", []byte(c.replaced))
			}
			d.put("z.txt", "z")
			s.put("z.txt", []byte("replaced, and installed before the others"))
			flushed := d.keepFlushed()
			d.unflushed(func() error { return c.cut(d) })
			d.media.PowerCut(func(string) coretest.Survival { return coretest.Emptied })
			if b := d.media.Get("a.txt"); b == nil || len(b) > 0 {
				t.Fatalf("after the power cut: %q", b)
			}
			flushed.restore(t)
			d.start()
			asideOnly(t, d.sync())
			want := s.files()
			d.want(want)
			if len(want) != 3 {
				t.Errorf("the server has %q", want)
			}
		})
	}
}

// TestFewFlushes: files that were deleted here and replaced there are expected together, not each on its own.
func TestFewFlushes(t *testing.T) {
	t.Parallel()
	s := newServer()
	d := newDevice(t, s)
	for i := range 200 {
		d.put(fmt.Sprint(i, ".txt"), fmt.Sprint(i))
	}
	d.sync()
	const gone = 40
	for i := range gone {
		d.media.Remove(fmt.Sprint(i, ".txt"))
		s.put(fmt.Sprint(i, ".txt"), []byte("new"+fmt.Sprint(i)))
	}
	flushed := d.keepFlushed()
	if r, err := d.try(mediasync.Options{}); err != nil || r.Downloaded != gone {
		t.Fatalf("%+v, %v", r, err)
	}
	if flushed.commits > gone/4 {
		t.Errorf("the index was flushed %d times", flushed.commits)
	}
}

// flushed is what a power cut leaves of the media index at worst: its files after the last commit that was flushed.
type flushed struct {
	host.SQL
	path    string
	files   map[string][]byte
	commits int
}

// keepFlushed begins to note what a power cut leaves of the index.
func (d *device) keepFlushed() *flushed {
	f := &flushed{SQL: d.syncer.Host.SQL, path: filepath.Join(d.dir, host.MediaIndex)}
	d.syncer.Host.SQL = f
	return f
}

// Open opens a database.
func (f *flushed) Open(ctx context.Context, name string, mode host.OpenMode) (host.DB, error) {
	db, err := f.SQL.Open(ctx, name, mode)
	return &flushedDB{db, f}, err
}

type flushedDB struct {
	host.DB
	to *flushed
}

// Exec takes the files down where the commits that are not flushed begin.
func (db *flushedDB) Exec(sql string) error {
	err := db.DB.Exec(sql)
	if strings.HasPrefix(sql, "PRAGMA synchronous = NORMAL") {
		db.to.commits++
		db.to.files = map[string][]byte{}
		for _, suffix := range []string{"", "-wal"} {
			if b, err := os.ReadFile(db.to.path + suffix); err == nil {
				db.to.files[db.to.path+suffix] = b
			}
		}
	}
	return err
}

func (f *flushed) restore(t *testing.T) {
	t.Helper()
	if len(f.files) == 0 {
		t.Fatal("the index was not opened")
	}
	for path, b := range f.files {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
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
