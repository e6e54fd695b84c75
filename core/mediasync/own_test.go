package mediasync_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/mediasync"
)

const staged = host.Staging + "media/new"

// stage writes a staged file.
func (d *device) stage(content string) {
	d.t.Helper()
	f, err := d.syncer.Host.Files.Create(staged)
	coretest.Must(d.t, err)
	_, err = f.Write([]byte(content))
	coretest.Must(d.t, err)
	coretest.Must(d.t, f.Close())
}

func (d *device) add(name, mediaType, content string) (mediasync.File, error) {
	d.t.Helper()
	d.stage(content)
	f, err := d.syncer.Add(d.t.Context(), mediasync.New{Name: name, MediaType: mediaType, File: staged})
	if _, serr := d.syncer.Host.Files.Stat(staged); fault.KindOf(serr) != fault.NotFound {
		d.t.Errorf("the staged file: %v", serr)
	}
	return f, err
}

func (d *device) mustAdd(name, content string) string {
	d.t.Helper()
	f, err := d.add(name, "", content)
	coretest.Must(d.t, err)
	if f.Size != int64(len(content)) || len(f.SHA1) != 40 {
		d.t.Errorf("added %+v", f)
	}
	return f.Name
}

func (d *device) wantState(name, state string, done, total int64) {
	d.t.Helper()
	if p, err := d.syncer.Look(d.t.Context(), name); err != nil || p != (mediasync.Presence{State: state, Done: done, Total: total}) {
		d.t.Errorf("%q: %+v, %v", name, p, err)
	}
}

func TestAdd(t *testing.T) {
	t.Parallel()
	s := newServer()
	d := newDevice(t, s)
	one := "-fe05bcdcdc4928012781a5f1a2a77cbb5398e106" // SHA-1 of "one"
	for _, c := range []struct{ name, content, want string }{
		{"A.PNG", "zero", "a.png"},
		{"a.png", "zero", "a.png"}, // the same content is there once
		{"a.png", "one", "a" + one + ".png"},
		{"a.png", "one", "a" + one + ".png"},
		{"e\u0301/x.png", "two", "éx.png"},
		{`<>:"`, "three", "file"},
	} {
		if got := d.mustAdd(c.name, c.content); got != c.want {
			t.Errorf("%q is added as %q, want %q", c.name, got, c.want)
		}
	}
	if f, err := d.add("image", "image/png", "four"); err != nil || f.Name != "image.png" {
		t.Errorf("%+v, %v", f, err)
	}
	d.wantState("a.png", "here", 5, 5)
	if r := d.sync(); r.Uploaded != 5 {
		t.Errorf("%+v", r)
	}
	d.wantServer(map[string]string{"a.png": "zero", "a" + one + ".png": "one", "éx.png": "two", "file": "three", "image.png": "four"})

	_, err := d.add("empty.png", "", "")
	coretest.WantKind(t, err, fault.InvalidInput)
	_, err = d.syncer.Add(t.Context(), mediasync.New{Name: "a.png", File: staged})
	coretest.WantKind(t, err, fault.NotFound)
	_, err = d.syncer.Add(t.Context(), mediasync.New{Name: "a.png", File: host.State})
	coretest.WantKind(t, err, fault.InvalidInput)
	d.media.Fail = func(step, _ string) error {
		if step == "install" {
			return fault.New(fault.StorageFull, "full")
		}
		return nil
	}
	_, err = d.add("full.png", "", "x")
	coretest.WantKind(t, err, fault.StorageFull)
	d.media.Fail = nil
	d.wantState("full.png", "missing", 5, 5)
}

// TestAddComing: a file that the server has and that is still to come keeps its name.
func TestAddComing(t *testing.T) {
	t.Parallel()
	s := newServer()
	d := newDevice(t, s)
	s.put("a.png", []byte("theirs"))
	s.put("b.png", []byte("same"))
	s.answerDownloads(func([]string) *host.Response { return okBody(downloadZip(nil)) })
	d.sync()
	s.before = nil
	d.wantState("a.png", "coming", 0, 2)
	if got := d.mustAdd("a.png", "ours"); !strings.HasPrefix(got, "a-") {
		t.Errorf("added as %q", got)
	}
	if got := d.mustAdd("b.png", "same"); got != "b.png" {
		t.Errorf("added as %q", got)
	}
	d.wantState("b.png", "here", 2, 3)
	if r := d.sync(); r.Uploaded != 1 || r.Downloaded != 1 {
		t.Errorf("%+v", r)
	}
	if n := len(s.files()); n != 3 {
		t.Errorf("the server has %d files", n)
	}
}

func TestRemove(t *testing.T) {
	t.Parallel()
	for _, evictable := range []bool{false, true} {
		o := mediasync.Options{Evictable: evictable}
		s := newServer()
		d := newDevice(t, s)
		for _, name := range []string{"a.png", "b.png", "edited.png"} {
			d.put(name, name)
		}
		if _, err := d.try(o); err != nil {
			t.Fatal(err)
		}
		d.put("new.png", "new")
		d.put("edited.png", "edited")
		s.put("coming.png", []byte("coming"))
		s.answerDownloads(func([]string) *host.Response { return okBody(downloadZip(nil)) })
		if _, err := d.try(o); err != nil {
			t.Fatal(err)
		}
		s.before = nil
		d.put("newest.png", "newest")
		for _, name := range []string{"a.png", "new.png", "newest.png", "edited.png", "coming.png"} {
			if err := d.syncer.Remove(t.Context(), name); err != nil {
				t.Fatalf("remove %s: %v", name, err)
			}
			d.wantState(name, "missing", map[string]int64{"a.png": 3, "new.png": 2, "newest.png": 2, "edited.png": 1, "coming.png": 1}[name],
				map[string]int64{"a.png": 4, "new.png": 3, "newest.png": 3, "edited.png": 2, "coming.png": 1}[name])
			coretest.WantKind(t, d.syncer.Remove(t.Context(), name), fault.NotFound)
			_, err := d.get(t.Context(), name) // as a page that still shows it does
			coretest.WantKind(t, err, fault.NotFound)
		}
		if len(d.media.Trashed()) != 4 {
			t.Errorf("the trash has %v", d.media.Trashed())
		}
		d.start()
		r, err := d.try(o)
		if err != nil || r.DeletedRemote != 4 || r.Held != 0 {
			t.Errorf("%+v, %v", r, err)
		}
		d.want(map[string]string{"b.png": "b.png"})
		d.wantServer(map[string]string{"b.png": "b.png"})
	}
}

// TestGetRemoved: of a file that the user removed, what others have put in its place since is fetched.
func TestGetRemoved(t *testing.T) {
	t.Parallel()
	s := newServer()
	d := newDevice(t, s)
	d.put("a.png", "a")
	d.sync()
	coretest.Must(t, d.syncer.Remove(t.Context(), "a.png"))
	s.put("a.png", []byte("another"))
	if f, err := d.get(t.Context(), "a.png"); err != nil || f.SHA1 != sumOf([]byte("another")) {
		t.Errorf("%+v, %v", f, err)
	}
	d.sync()
	d.want(map[string]string{"a.png": "another"})
	d.wantServer(map[string]string{"a.png": "another"})
}

// TestRemoveDuringSync: a file that the user deletes while a sync fetches it, or before what it has fetched is in the index, does not come back.
func TestRemoveDuringSync(t *testing.T) {
	t.Parallel()
	for n := range 14 {
		o := mediasync.Options{Evictable: n%2 == 0}
		s := newServer()
		d := newDevice(t, s)
		d.put("replaced.txt", "old")
		if _, err := d.try(o); err != nil {
			t.Fatal(err)
		}
		want := map[string]string{"coming.txt": "coming", "replaced.txt": "new"}
		for i := range 110 {
			name := fmt.Sprintf("f%03d.txt", i)
			want[name] = name
		}
		for name, content := range want {
			s.put(name, []byte(content))
		}
		left := n / 2
		s.before = func(string, []byte) (*host.Response, error) {
			if left--; left != -1 {
				return nil, nil
			}
			for _, name := range []string{"coming.txt", "replaced.txt"} {
				if string(d.media.Get(name)) != "old" { // their change survives our deletion of what was before it
					delete(want, name)
				}
				if err := d.syncer.Remove(t.Context(), name); fault.KindOf(err) == fault.NotFound { // the server's list has not come yet
					want[name] = "coming"
				} else if err != nil {
					t.Errorf("at request %d: %v", n/2, err)
				}
			}
			return nil, nil
		}
		for range 2 {
			if r, err := d.try(o); err != nil || r.Held > 0 {
				t.Errorf("at request %d: %+v, %v", n/2, r, err)
			}
		}
		d.want(want)
		d.wantServer(want)
	}
}

// TestEvicted: what a store has lost that may lose files is fetched again, and never deleted, however much it is and
// whatever was lost with it.
func TestEvicted(t *testing.T) {
	t.Parallel()
	evictable := mediasync.Options{Evictable: true}
	for _, lost := range []int{1, 5, 30, 40} {
		s := newServer()
		d := newDevice(t, s)
		want := map[string]string{}
		for i := range 40 {
			name := fmt.Sprintf("%02d.png", i)
			d.put(name, name)
			want[name] = name
		}
		if _, err := d.try(evictable); err != nil {
			t.Fatal(err)
		}
		for i := range lost {
			d.media.Remove(fmt.Sprintf("%02d.png", i))
		}
		d.http.Answer = d.server.handle
		r, err := d.try(evictable)
		if err != nil || r.Downloaded != int64(lost) || r.DeletedRemote != 0 || r.Held != 0 {
			t.Fatalf("%d lost: %+v, %v", lost, r, err)
		}
		d.want(want)
		d.wantServer(want)
		// What the server has deleted meanwhile does not come back, and nothing is sent.
		d.media.Remove("00.png")
		s.put("00.png", nil)
		delete(want, "00.png")
		if r, err := d.try(evictable); err != nil || r.Uploaded+r.DeletedRemote+r.Downloaded != 0 {
			t.Fatalf("%d lost: %+v, %v", lost, r, err)
		}
		d.want(want)
	}
}

// TestEvictedInCheck: what was lost is not missing, it is still to come.
func TestEvictedInCheck(t *testing.T) {
	t.Parallel()
	d := newDevice(t, newServer())
	db := newCollection(t, `<img src="a.png"><img src="none.png">`)
	d.put("a.png", "a")
	d.sync()
	d.media.Remove("a.png")
	r := d.check(db, mediasync.CheckOptions{Evictable: true, Apply: true, Synced: true, NotesUSN: 9})
	if len(r.Missing) != 1 || r.Missing[0] != "none.png" {
		t.Errorf("%+v", r)
	}
	d.wantState("a.png", "coming", 0, 1)
	if r := d.sync(); r.Downloaded != 1 {
		t.Errorf("%+v", r)
	}
}
