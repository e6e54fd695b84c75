package mediasync_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/mediasync"
	"github.com/cardferry/cardferry/core/mediawire"
	"github.com/cardferry/cardferry/core/remote"
)

// TestPages: the list comes in pages; the one that reaches the known number is the last.
func TestPages(t *testing.T) {
	t.Parallel()
	s := newServer()
	d := newDevice(t, s)
	for i := range 2500 {
		s.put(fmt.Sprintf("f%04d.txt", i), []byte{byte(i), byte(i >> 8), 1})
	}
	d.sync()
	log := s.requests()
	if strings.Count(log, mediawire.MediaChanges) != 3 || !strings.HasPrefix(log, "begin mediaChanges mediaChanges mediaChanges downloadFiles") {
		t.Error(log)
	}
	sameFiles(t, "the folder", d.files(), s.files())
}

// TestPagesAhead: pages are asked for before those before them have come. Whatever happens to the list meanwhile, both
// sides are equal in the end.
func TestPagesAhead(t *testing.T) {
	t.Parallel()
	const files = 3010
	tests := map[string]struct {
		gap   bool                                                       // in the list
		after func(s *server, page int) (resp *host.Response, err error) // after one was answered
		pages int                                                        // that are asked for; 0 if one may be given up before or after it has gone out
	}{
		"as it is": {pages: 4},
		"a gap":    {gap: true},
		"files move to the end": {pages: 5, after: func(s *server, page int) (*host.Response, error) {
			if page < 4 {
				s.put(fmt.Sprintf("f%04d.txt", page*700), fmt.Append(nil, "moved", page))
			}
			return nil, nil
		}},
		"an answer is lost": {pages: 5, after: func(_ *server, page int) (*host.Response, error) {
			if page == 2 {
				return nil, fault.New(fault.Network, "lost")
			}
			return nil, nil
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer()
			d := newDevice(t, s)
			for i := range files {
				s.put(fmt.Sprintf("f%04d.txt", i), []byte{byte(i), byte(i >> 8), 1})
			}
			if test.gap {
				s.put("f1200.txt", []byte("again"))
			}
			page := 0
			s.after = func(method string, _ []byte) (*host.Response, error) {
				if method != mediawire.MediaChanges || test.after == nil {
					return nil, nil
				}
				page++
				return test.after(s, page)
			}
			d.sync()
			log, _, _ := strings.Cut(s.requests(), mediawire.DownloadFiles)
			if n := strings.Count(log, mediawire.MediaChanges); n != test.pages && test.pages > 0 {
				t.Errorf("%d pages were asked for", n)
			}
			sameFiles(t, "the folder", d.files(), s.files())
		})
	}
}

// TestScanPages: among more files than a page of the index has, a scan finds what has changed, at the edges of pages too.
func TestScanPages(t *testing.T) {
	t.Parallel()
	s := newServer()
	d := newDevice(t, s)
	want := map[string]string{}
	for i := range 2000 {
		name := fmt.Sprintf("f%04d.txt", i)
		want[name] = name
		s.put(name, []byte(name))
	}
	d.sync()
	for _, i := range []int{0, 500, 998, 999, 1000, 1999} {
		name := fmt.Sprintf("f%04d.txt", i)
		want[name] = "changed " + name
		d.put(name, want[name])
	}
	for _, i := range []int{1, 997, 1001, 1998} {
		name := fmt.Sprintf("f%04d.txt", i)
		delete(want, name)
		d.media.Remove(name)
	}
	for _, name := range []string{"a.txt", "f0999a.txt", "f1500a.txt", "z.txt"} {
		want[name] = name
		d.put(name, name)
	}
	if r := d.sync(); r.Uploaded != 10 || r.DeletedRemote != 4 || r.Downloaded != 0 || r.DeletedLocal != 0 {
		t.Errorf("%+v", r)
	}
	d.want(want)
	d.wantServer(want)
	if r := d.sync(); r.Uploaded+r.DeletedRemote+r.Downloaded+r.DeletedLocal != 0 {
		t.Errorf("again: %+v", r)
	}
}

// wipe makes the server a new, empty one.
func (s *server) wipe() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows, s.last, s.count = map[string]*serverRow{}, 0, 0
}

// TestServerReset: a server that was emptied, or restored from an old state, gets what is here; nothing is deleted.
func TestServerReset(t *testing.T) {
	t.Parallel()
	for name, reset := range map[string]func(s *server){
		"emptied": func(s *server) { s.wipe() },
		"emptied, and another device was first": func(s *server) {
			s.wipe()
			s.put("f000.txt", []byte("content of f000.txt"))
			s.put("theirs.txt", []byte("theirs"))
		},
		"emptied, and has overtaken": func(s *server) {
			s.wipe()
			for i := range 40 {
				s.put(fmt.Sprintf("theirs%d.txt", i), []byte("theirs"))
			}
		},
		"emptied, and has exactly the number": func(s *server) {
			s.wipe()
			for i := range 12 {
				s.put(fmt.Sprintf("theirs%d.txt", i), []byte("theirs"))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, want := full(t, 12)
			reset(d.server)
			for name, content := range d.server.files() {
				if _, ok := want[name]; !ok {
					want[name] = content
				}
			}
			r := d.sync()
			if r.RoundTrips == 1 { // the number is the same: only a difference in the next sync can show it
				d.put("one more.txt", "one more")
				want["one more.txt"] = "one more"
				r = d.sync()
			}
			if r.Warning != "" || r.DeletedLocal+r.DeletedRemote+r.Held != 0 {
				t.Errorf("%+v", r)
			}
			d.want(want)
			d.wantServer(want)
		})
	}
}

// TestServerRestored: the server went back to an earlier state; later changes of this device are sent again.
func TestServerRestored(t *testing.T) {
	t.Parallel()
	d, want := full(t, 12)
	old := map[string]*serverRow{}
	for name, r := range d.server.rows {
		c := *r
		old[name] = &c
	}
	last, count := d.server.last, d.server.count
	d.put("f001.txt", "edited later")
	d.put("new.txt", "new later")
	d.media.Remove("f002.txt")
	d.sync()
	d.server.rows, d.server.last, d.server.count = old, last, count
	want["new.txt"] = "new later"
	r := d.sync()
	// Which of both versions of f001.txt is later no one can know: the server's wins, ours is in the trash.
	if r.DeletedRemote+r.DeletedLocal != 0 || r.Warning != "" {
		t.Errorf("%+v", r)
	}
	got := d.files()
	if got["f001.txt"] != "edited later" && len(d.media.Trashed()) == 0 {
		t.Errorf("f001.txt is %q", got["f001.txt"])
	}
	want["f001.txt"] = got["f001.txt"]
	d.want(want)
	d.wantServer(want)
}

// TestCounterIsOff: a server that counts wrong is told of, and nothing is done about it.
func TestCounterIsOff(t *testing.T) {
	t.Parallel()
	d, want := full(t, 5)
	d.server.count += 3
	d.put("new.txt", "new")
	want["new.txt"] = "new"
	if r := d.sync(); !strings.Contains(r.Warning, "counts") || r.RoundTrips > 8 {
		t.Errorf("%+v", r)
	}
	d.wantServer(want)
	if r := d.sync(); r.RoundTrips != 1 || r.Warning != "" {
		t.Errorf("%+v", r)
	}
}

// TestOtherDeviceMeanwhile: what another device sends during the sync is in it too.
func TestOtherDeviceMeanwhile(t *testing.T) {
	t.Parallel()
	for _, method := range []string{mediawire.Begin, mediawire.MediaChanges, mediawire.UploadChanges, mediawire.DownloadFiles, mediawire.MediaSanity} {
		for _, after := range []bool{false, true} {
			s := newServer()
			d := newDevice(t, s)
			d.put("ours.txt", "ours")
			s.put("theirs.txt", []byte("theirs"))
			done := false
			hook := func(m string, _ []byte) (*host.Response, error) {
				if m == method && !done {
					done = true
					s.put("more.txt", []byte("more"))
					s.put("theirs.txt", []byte("theirs, changed"))
				}
				return nil, nil
			}
			if after {
				s.after = hook
			} else {
				s.before = hook
			}
			d.sync()
			if !after || method != mediawire.MediaSanity { // after that there is no request that could tell
				sameFiles(t, fmt.Sprint(method, after), d.files(), map[string]string{"ours.txt": "ours", "more.txt": "more", "theirs.txt": "theirs, changed"})
			}
			s.before, s.after = nil, nil
			d.sync()
			d.want(map[string]string{"ours.txt": "ours", "more.txt": "more", "theirs.txt": "theirs, changed"})
		}
	}
}

// TestAccounts: another key or address of the same server goes on; another server or account starts anew, and nothing
// of one is deleted on the other.
func TestAccounts(t *testing.T) {
	t.Parallel()
	t.Run("new key", func(t *testing.T) {
		t.Parallel()
		d, want := full(t, 12)
		d.put("f001.txt", "edited")
		d.media.Remove("f002.txt")
		want["f001.txt"] = "edited"
		delete(want, "f002.txt")
		for _, acc := range []remote.Account{{Endpoint: "http://server/", Key: "new"}, {Endpoint: "http://moved/", Key: "new"}} {
			r, err := d.syncer.Sync(t.Context(), acc, mediasync.Options{})
			if err != nil || r.Downloaded+r.DeletedLocal != 0 {
				t.Errorf("%+v, %v", r, err)
			}
			d.want(want)
			d.wantServer(want)
		}
		if n := len(d.media.Trashed()); n > 0 {
			t.Errorf("%d files in the trash", n)
		}
	})
	t.Run("other account", func(t *testing.T) {
		t.Parallel()
		d, want := full(t, 12)
		other := newServer()
		other.put("f003.txt", []byte("x"))
		other.put("f003.txt", nil)
		other.put("f004.txt", []byte("another f004"))
		other.put("theirs.txt", []byte("theirs"))
		d.media.Remove("f005.txt")
		delete(want, "f005.txt")
		first := d.server
		d.http.Answer = other.handle
		r, err := d.syncer.Sync(t.Context(), remote.Account{Endpoint: "http://other/", Key: "x"}, mediasync.Options{})
		if err != nil || r.DeletedLocal+r.DeletedRemote+r.Held != 0 {
			t.Errorf("%+v, %v", r, err)
		}
		want["f004.txt"], want["theirs.txt"] = "another f004", "theirs"
		d.want(want)
		sameFiles(t, "the other server", other.files(), want)
		d.http.Answer = first.handle
		if r, err := d.syncer.Sync(t.Context(), account, mediasync.Options{}); err != nil || r.DeletedLocal+r.DeletedRemote != 0 {
			t.Errorf("%+v, %v", r, err)
		}
		sameFiles(t, "the first server", first.files(), d.files())
	})
}

// TestRedirect: a server that has moved is followed, once, and the new address is told, whatever request it is.
func TestRedirect(t *testing.T) {
	t.Parallel()
	for _, method := range []string{mediawire.Begin, mediawire.MediaChanges, mediawire.DownloadFiles, mediawire.UploadChanges, mediawire.MediaSanity} {
		s := newServer()
		d := newDevice(t, s)
		for i := range 110 {
			s.put(fmt.Sprintf("g%03d.txt", i), []byte{1, byte(i)})
			d.put(fmt.Sprintf("f%03d.txt", i), fmt.Sprint(i))
		}
		moved := false
		answer := d.http.Answer
		to := "http://moved/x/"
		d.http.Answer = func(ctx context.Context, req *host.Request) (*host.Response, error) {
			if moved = moved || strings.HasSuffix(req.URL, method); moved && !strings.HasPrefix(req.URL, "http://moved/x/msync/") {
				return &host.Response{Status: 308, Header: map[string]string{"location": to}}, nil
			}
			return answer(ctx, req)
		}
		if r := d.sync(); r.NewEndpoint != to {
			t.Errorf("%s: %+v", method, r)
		}
		sameFiles(t, method, d.files(), s.files())
		moved, to = false, "http://server/again/"
		d.put("new.txt", "new")
		s.put("more.txt", []byte("more"))
		_, e := d.syncKind(mediasync.Options{}, fault.Network)
		if e.Details["new_endpoint"] != to {
			t.Errorf("%s: %+v", method, e)
		}
	}
}
