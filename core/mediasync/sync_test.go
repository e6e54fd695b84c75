package mediasync_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/mediasync"
)

func TestBothWays(t *testing.T) {
	t.Parallel()
	s := newServer()
	a, b := newDevice(t, s), newDevice(t, s)
	want := map[string]string{}
	for i := range 60 {
		name := fmt.Sprintf("f%02d.txt", i)
		want[name] = "content of " + name
		a.put(name, want[name])
	}
	if r := a.sync(); r.Uploaded != 60 || r.Downloaded+r.DeletedLocal+r.DeletedRemote+r.Held != 0 || len(r.SetAside) > 0 || r.Warning != "" {
		t.Errorf("%+v", r)
	}
	a.wantServer(want)
	if got := s.requests(); got != "begin uploadChanges uploadChanges uploadChanges mediaChanges mediaSanity" {
		t.Error(got)
	}
	if r := b.sync(); r.Downloaded != 60 || r.Uploaded != 0 {
		t.Errorf("%+v", r)
	}
	b.want(want)
	if got := s.requests(); got != "begin mediaChanges downloadFiles downloadFiles downloadFiles mediaSanity" {
		t.Error(got)
	}
	// Nothing to do: one request, or none if the server's number is known.
	if r := b.sync(); r.RoundTrips != 1 || s.requests() != "begin" {
		t.Errorf("%+v", r)
	}
	if r, err := b.try(mediasync.Options{ServerUSN: 60, HasUSN: true}); err != nil || r.RoundTrips != 0 || s.requests() != "" {
		t.Errorf("%+v, %v", r, err)
	}
	// Edit, delete, add on both sides.
	b.put("f00.txt", "edited by b")
	b.media.Remove("f01.txt")
	b.put("new.txt", "new from b")
	a.media.Remove("f02.txt")
	a.put("f03.txt", "edited by a")
	if r := b.sync(); r.Uploaded != 2 || r.DeletedRemote != 1 {
		t.Errorf("%+v", r)
	}
	if r := a.sync(); r.Uploaded != 1 || r.DeletedRemote != 1 || r.Downloaded != 2 || r.DeletedLocal != 1 {
		t.Errorf("%+v", r)
	}
	if r := b.sync(); r.Downloaded != 1 || r.DeletedLocal != 1 {
		t.Errorf("%+v", r)
	}
	delete(want, "f01.txt")
	delete(want, "f02.txt")
	want["f00.txt"], want["new.txt"], want["f03.txt"] = "edited by b", "new from b", "edited by a"
	a.want(want)
	b.want(want)
	a.wantServer(want)
}

func TestLargeFiles(t *testing.T) {
	t.Parallel()
	s := newServer()
	a, b := newDevice(t, s), newDevice(t, s)
	want := map[string]string{"one.bin": strings.Repeat("1", 3<<20), "two.bin": strings.Repeat("2", 1<<20)}
	for i := range 20 {
		want[fmt.Sprintf("x%02d.bin", i)] = strings.Repeat(fmt.Sprint(i), 200<<10)
	}
	for name, content := range want {
		a.put(name, content)
	}
	a.sync()
	b.sync()
	b.want(want)
	a.wantServer(want)
}
