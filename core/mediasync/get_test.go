package mediasync_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/mediasync"
	"github.com/cardferry/cardferry/core/mediawire"
)

func wantKind(t *testing.T, err error, kind fault.Kind) {
	t.Helper()
	if fault.KindOf(err) != kind {
		t.Errorf("%v, want %v", err, kind)
	}
}

func TestGet(t *testing.T) {
	t.Parallel()
	s := newServer()
	d := newDevice(t, s)
	for i := range 30 {
		s.put(fmt.Sprintf("f%02d.txt", i), fmt.Appendf(nil, "content %d", i))
	}
	f, err := d.get(t.Context(), "f07.txt") // there is no index yet
	if err != nil || f != (mediasync.File{Name: "f07.txt", Size: 9, SHA1: sumOf([]byte("content 7"))}) {
		t.Errorf("%+v, %v", f, err)
	}
	d.want(map[string]string{"f07.txt": "content 7"})
	if got := s.requests(); got != "mediaChanges downloadFiles" && got != "mediaChanges mediaChanges downloadFiles" {
		t.Error(got)
	}
	if f, err := d.get(t.Context(), "f08.txt"); err != nil || f.Size != 9 || s.requests() != mediawire.DownloadFiles {
		t.Errorf("%+v, %v", f, err)
	}
	if f, err := d.get(t.Context(), "f08.txt"); err != nil || f.Size != 9 || s.requests() != "" {
		t.Errorf("%+v, %v", f, err)
	}
	d.put("ours.txt", "ours")
	if f, err := d.get(t.Context(), "ours.txt"); err != nil || f.Size != 4 || s.requests() != "" {
		t.Errorf("%+v, %v", f, err)
	}
	for _, name := range []string{"nothing.txt", "..", "", "../f08.txt", "e\u0301.txt", "thumbs.db"} {
		_, err := d.get(t.Context(), name)
		wantKind(t, err, fault.NotFound)
	}
	s.put("\u00e9.txt", []byte("composed"))
	if f, err := d.get(t.Context(), "e\u0301.txt"); err != nil || f.Name != "\u00e9.txt" {
		t.Errorf("%+v, %v", f, err)
	}
	s.requests()
	s.put("late.txt", []byte("late"))
	if f, err := d.get(t.Context(), "late.txt"); err != nil || f.Size != 4 {
		t.Errorf("%+v, %v", f, err)
	}
	s.put("f09.txt", []byte("replaced")) // the index does not know yet
	if f, err := d.get(t.Context(), "f09.txt"); err != nil || f.SHA1 != sumOf([]byte("replaced")) {
		t.Errorf("%+v, %v", f, err)
	}
	s.put("f10.txt", nil)
	_, err = d.get(t.Context(), "f10.txt")
	wantKind(t, err, fault.NotFound)
	if r := d.sync(); r.Downloaded != 26 || r.Uploaded != 1 {
		t.Errorf("%+v", r)
	}
	sameFiles(t, "the folder", d.files(), s.files())
}

func TestGetFails(t *testing.T) {
	t.Parallel()
	s := newServer()
	d := newDevice(t, s)
	s.put("a.txt", []byte("a"))
	s.put("b.txt", []byte("b"))
	d.sync()
	d.media.Remove("a.txt")
	s.answerDownloads(func(names []string) *host.Response { return okBody(downloadZip([][2]string{{names[0], "wrong"}})) })
	_, err := d.get(t.Context(), "a.txt")
	wantKind(t, err, fault.DamagedDownload)
	d.want(map[string]string{"b.txt": "b"})
	for kind, answer := range map[fault.Kind]func(string, []byte) (*host.Response, error){
		fault.NotFound: func(m string, _ []byte) (*host.Response, error) {
			return map[string]*host.Response{mediawire.DownloadFiles: status(409)}[m], nil
		},
		fault.Network:     func(string, []byte) (*host.Response, error) { return nil, broken },
		fault.Auth:        func(string, []byte) (*host.Response, error) { return status(403), nil },
		fault.ServerError: func(string, []byte) (*host.Response, error) { return status(502), nil },
	} {
		s.before = answer
		_, err := d.get(t.Context(), "a.txt")
		wantKind(t, err, kind)
	}
	s.before = nil
	d.media.Fail = func(step, _ string) error {
		if step == "install" {
			return fault.New(fault.StorageFull, "full")
		}
		return nil
	}
	_, err = d.get(t.Context(), "a.txt")
	wantKind(t, err, fault.StorageFull)
	d.media.Fail = nil
	if _, err := d.get(t.Context(), "a.txt"); err != nil {
		t.Error(err)
	}
}

// TestGetDuringSync: a file is fetched at each request of a running sync; a second sync is refused meanwhile.
func TestGetDuringSync(t *testing.T) {
	t.Parallel()
	for n := range 14 {
		s := newServer()
		d := newDevice(t, s)
		want := map[string]string{}
		for i := range 110 {
			name := fmt.Sprintf("f%03d.txt", i)
			want[name] = name
			s.put(name, []byte(name))
		}
		d.put("ours.txt", "ours")
		want["ours.txt"] = "ours"
		left, got := n, false
		s.before = func(string, []byte) (*host.Response, error) {
			if left--; left < 0 && !got {
				got = true
				for _, name := range []string{"f099.txt", "f003.txt"} {
					if f, err := d.get(t.Context(), name); err != nil || f.Size != 8 {
						t.Errorf("at request %d: %+v, %v", n, f, err)
					}
				}
				_, err := d.syncer.Sync(t.Context(), account, mediasync.Options{})
				wantKind(t, err, fault.Busy)
				wantKind(t, d.syncer.Forget(), fault.Busy)
			}
			return nil, nil
		}
		d.sync()
		s.before = nil
		if r := d.sync(); r.RoundTrips != 1 {
			t.Errorf("at request %d: %+v", n, r)
		}
		d.want(want)
		d.wantServer(want)
		if len(d.media.Trashed()) > 0 {
			t.Errorf("at request %d: %d files in the trash", n, len(d.media.Trashed()))
		}
	}
}

// TestProgress: totals are exact, and reached.
func TestProgress(t *testing.T) {
	t.Parallel()
	s := newServer()
	d := newDevice(t, s)
	for i := range 60 {
		s.put(fmt.Sprintf("f%02d.txt", i), fmt.Append(nil, i))
		d.put(fmt.Sprintf("g%02d.txt", i), fmt.Sprint("g", i))
	}
	d.sync()
	d.media.Remove("g00.txt")
	s.put("f00.txt", nil)
	d.sync()
	last := map[host.Stage]host.Progress{}
	for _, p := range d.events.List() {
		if q := last[p.Stage]; q.Total == p.Total && p.Total > 0 && p.Done < q.Done {
			t.Errorf("%+v after %+v", p, q)
		}
		last[p.Stage] = p
		if p.Total > 0 && p.Done > p.Total {
			t.Errorf("%+v", p)
		}
	}
	if p := last[host.StageMediaDownload]; p.Done != 60 || p.Total != 60 {
		t.Errorf("%+v", p)
	}
	if p := last[host.StageMediaUpload]; p.Done != 1 || p.Total != 1 {
		t.Errorf("%+v", p)
	}
}

// TestStorage: what the store refuses ends the sync with its kind; the next one goes on.
func TestStorage(t *testing.T) {
	t.Parallel()
	for _, kind := range []fault.Kind{fault.StorageFull, fault.NotWritable} {
		for _, step := range []string{"create", "write", "sum", "install", "flush", "trash"} {
			s := newServer()
			d := newDevice(t, s)
			d.put("old.txt", "old")
			d.sync()
			s.put("old.txt", nil)
			s.put("new.txt", []byte("new"))
			d.media.Fail = func(at, _ string) error {
				if at == step {
					return fault.New(kind, "no")
				}
				return nil
			}
			_, e := d.syncKind(mediasync.Options{}, kind)
			if !errors.Is(e, kind) || d.media.Drafts() > 0 {
				t.Errorf("%s: %v, %d drafts", step, e, d.media.Drafts())
			}
			d.media.Fail = nil
			d.sync()
			d.want(map[string]string{"new.txt": "new"})
		}
	}
}

// TestEditedMeanwhile: a file that is edited while it is being sent or replaced.
func TestEditedMeanwhile(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		step    string
		install bool
	}{{"stat", false}, {"hash", false}, {"install", true}, {"trash", true}} {
		s := newServer()
		d := newDevice(t, s)
		for _, name := range []string{"send.txt", "replace.txt", "delete.txt"} {
			d.put(name, "before "+name)
		}
		d.sync()
		d.put("send.txt", "sent")
		s.put("replace.txt", []byte("theirs"))
		s.put("delete.txt", nil)
		edited := map[string]bool{}
		d.media.Fail = func(step, name string) error {
			if step == c.step && name != "" && !edited[name] {
				edited[name] = true
				d.put(name, "edited "+name)
			}
			return nil
		}
		d.sync()
		d.media.Fail = nil
		d.sync()
		kept := map[string]bool{}
		for _, f := range d.media.Trashed() {
			kept[string(f.Data)] = true
		}
		for _, content := range d.files() {
			kept[content] = true
		}
		for name := range edited {
			if !kept["edited "+name] {
				t.Errorf("%s: the edit of %s is lost", c.step, name)
			}
		}
		if len(edited) == 0 {
			t.Errorf("%s: nothing was edited", c.step)
		}
		sameFiles(t, c.step, d.files(), s.files())
	}
}
