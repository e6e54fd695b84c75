package mediasync_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/mediasync"
	"github.com/cardferry/cardferry/core/mediawire"
)

// wantAside compares what was set aside, given as "name reason".
func wantAside(t *testing.T, r mediasync.Report, want ...string) {
	t.Helper()
	var got []string
	for _, a := range r.SetAside {
		got = append(got, a.Name+" "+a.Reason)
	}
	if !slices.Equal(got, want) {
		t.Errorf("set aside %q, want %q", got, want)
	}
}

// TestSetAsideHere: files that cannot be synced do nothing, not even as deletions, and hold up nothing.
func TestSetAsideHere(t *testing.T) {
	t.Parallel()
	s := newServer()
	d := newDevice(t, s)
	d.put("a.txt", "good")
	for _, name := range []string{"becomes-empty.txt", "becomes-link.txt", "becomes-unreadable.txt"} {
		d.put(name, "good "+name)
	}
	d.sync()
	want := s.files()
	big := strings.Repeat("x", 100<<20+1)
	d.put("empty.txt", "")
	d.put("becomes-empty.txt", "")
	d.put("big.bin", big)
	d.put("limit.bin", big[:100<<20])
	d.put("Thumbs.db", "system")
	d.put(".ds_store", "system")
	d.put("thumbs-DB", "system, to the reference")
	d.put("a?b.txt", "name")
	d.put("e\u0301.txt", "name in form D")
	d.put("new\U0001F970.png", "name")
	d.media.PutSpecial("link")
	d.media.PutSpecial("becomes-link.txt")
	d.media.PutUnreadable("becomes-unreadable.txt", []byte("hidden"))
	d.media.PutUnreadable("unreadable.txt", []byte("hidden"))
	aside := []string{
		"a?b.txt name", "becomes-empty.txt empty", "becomes-link.txt not_regular", "becomes-unreadable.txt unreadable", "big.bin too_large",
		"empty.txt empty", "e\u0301.txt name", "link not_regular", "new\U0001F970.png name", "unreadable.txt unreadable",
	}
	r := d.sync()
	wantAside(t, r, aside...)
	if r.Uploaded != 1 || r.DeletedRemote != 0 {
		t.Errorf("%+v", r)
	}
	want["limit.bin"] = big[:100<<20]
	d.wantServer(want)
	s.put("becomes-empty.txt", []byte("changed there")) // not fetched either
	r = d.sync()
	wantAside(t, r, aside...)
	if r.Downloaded+r.Uploaded+r.DeletedRemote != 0 {
		t.Errorf("%+v", r)
	}
	d.put("becomes-empty.txt", "full again")
	d.media.Remove("link")
	if r := d.sync(); r.Downloaded != 1 || string(d.media.Get("becomes-empty.txt")) != "changed there" { // both have changed it
		t.Errorf("%+v", r)
	}
}

// TestHashFails: a file that cannot be read when it is its turn.
func TestHashFails(t *testing.T) {
	t.Parallel()
	for _, kind := range []fault.Kind{fault.NotWritable, fault.Busy, fault.Other} {
		s := newServer()
		d := newDevice(t, s)
		d.put("a.txt", "a")
		d.put("b.txt", "b")
		d.media.Fail = func(step, name string) error {
			if step == "hash" && name == "a.txt" {
				return fault.New(kind, "no")
			}
			return nil
		}
		wantAside(t, d.sync(), "a.txt unreadable")
		d.wantServer(map[string]string{"b.txt": "b"})
		d.media.Fail = nil
		wantAside(t, d.sync())
		d.wantServer(map[string]string{"a.txt": "a", "b.txt": "b"})
	}
}

// TestSetAsideThere: names and contents of the server that cannot be here.
func TestSetAsideThere(t *testing.T) {
	t.Parallel()
	s := newServer()
	d := newDevice(t, s)
	names := []string{"..", ".", "", "../x", "a/b", `a\b`, "con.txt", "x\x00y", "é.txt"[:1] + "e\u0301", "thumbs.db", ".DS_Store", "end.", strings.Repeat("n", 121), "new\U0001F970.png"}
	slices.Sort(names)
	var want []string
	for _, name := range names {
		if strings.ToValidUTF8(name, "") == name {
			s.put(name, []byte("x"))
			want = append(want, name+" name")
		}
	}
	s.put("good.txt", []byte("good"))
	s.put("hollow.txt", nil)
	s.rows["hollow.txt"] = &serverRow{data: []byte{}, sum: sumOf(nil), usn: s.last + 1}
	s.rows["odd.txt"] = &serverRow{data: []byte("odd"), sum: "no sum", usn: s.last + 2}
	s.last, s.count = s.last+2, s.count+2
	want = append(want, "hollow.txt empty", "odd.txt damaged")
	slices.Sort(want)
	r := d.sync()
	wantAside(t, r, want...)
	d.want(map[string]string{"good.txt": "good"})
	if r.Warning != "" {
		t.Error(r.Warning)
	}
	d.sync()
	s.put("..", nil) // a deletion of such a name is nothing to report
	r = d.sync()
	if len(r.SetAside) != len(want)-1 || r.DeletedLocal != 0 {
		t.Errorf("%+v", r)
	}
}

// refuseNames lets the server refuse every request that names one of these.
func (s *server) refuseNames(status409 bool, names ...string) {
	s.before = func(method string, body []byte) (*host.Response, error) {
		for _, name := range names {
			switch {
			case status409 && method == mediawire.DownloadFiles && strings.Contains(string(body), `"`+name+`"`):
				return status(409), nil
			case !status409 && method == mediawire.UploadChanges && strings.Contains(string(body), `"`+name+`"`):
				return status(400), nil
			}
		}
		return nil, nil
	}
}

// TestGone: the server does not hand out some files that it lists; all others come.
func TestGone(t *testing.T) {
	t.Parallel()
	s := newServer()
	d := newDevice(t, s)
	want := map[string]string{}
	for i := range 60 {
		name := fmt.Sprintf("f%02d.txt", i)
		want[name] = name
		s.put(name, []byte(name))
	}
	s.refuseNames(true, "f07.txt", "f30.txt", "f31.txt")
	wantAside(t, d.sync(), "f07.txt gone", "f30.txt gone", "f31.txt gone")
	s.before = nil
	wantAside(t, d.sync())
	d.want(want)
}

// TestLostFile: a server that has lost a file forgets it at the first request for it (§9.4). The count tells; the device
// that has the file sends it again.
func TestLostFile(t *testing.T) {
	t.Parallel()
	s := newServer()
	a, b := newDevice(t, s), newDevice(t, s)
	want := map[string]string{}
	for i := range 4 {
		name := fmt.Sprintf("f%d.txt", i)
		want[name] = name
		a.put(name, name)
	}
	a.sync()
	s.rows["f2.txt"].lost = true
	r := b.sync()
	wantAside(t, r, "f2.txt gone")
	if r.Downloaded != 3 || r.Warning != "" {
		t.Errorf("%+v", r)
	}
	wantAside(t, b.sync())
	a.put("more.txt", "more") // so that a has something to do
	want["more.txt"] = "more"
	if r := a.sync(); r.Uploaded != 2 || r.Downloaded+r.DeletedLocal != 0 || r.Warning != "" {
		t.Errorf("%+v", r)
	}
	b.sync()
	a.want(want)
	b.want(want)
	a.wantServer(want)
}

// TestAlwaysRefused: a server that hands out nothing, or takes nothing, costs a bounded number of requests.
func TestAlwaysRefused(t *testing.T) {
	t.Parallel()
	s := newServer()
	d := newDevice(t, s)
	for i := range 500 {
		s.put(fmt.Sprintf("f%03d.txt", i), []byte("x"))
		d.put(fmt.Sprintf("g%03d.txt", i), "y")
	}
	s.before = func(method string, _ []byte) (*host.Response, error) {
		switch method {
		case mediawire.DownloadFiles:
			return status(409), nil
		case mediawire.UploadChanges:
			return status(413), nil
		}
		return nil, nil
	}
	r := d.sync()
	if r.RoundTrips > 300 || len(r.SetAside) < 50 || r.Warning == "" || r.Downloaded+r.Uploaded != 0 {
		t.Errorf("%d requests, %d set aside, %+v", r.RoundTrips, len(r.SetAside), r.Warning)
	}
	s.before = nil
	if r := d.sync(); r.Downloaded != 500 || r.Uploaded != 500 || r.Warning != "" {
		t.Errorf("%+v", r)
	}
}

// TestRefusedUploads: the server refuses one file of many.
func TestRefusedUploads(t *testing.T) {
	t.Parallel()
	s := newServer()
	d := newDevice(t, s)
	want := map[string]string{}
	for i := range 60 {
		name := fmt.Sprintf("f%02d.txt", i)
		want[name] = name
		d.put(name, name)
	}
	s.refuseNames(false, "f09.txt", "f33.txt")
	r := d.sync()
	wantAside(t, r, "f09.txt refused", "f33.txt refused")
	if r.Uploaded != 58 {
		t.Errorf("%+v", r)
	}
	s.before = nil
	wantAside(t, d.sync())
	d.wantServer(want)
}
