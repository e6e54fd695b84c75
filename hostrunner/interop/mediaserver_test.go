package interop_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/service"
	"github.com/cardferry/cardferry/hostrunner"
	"github.com/cardferry/cardferry/hostrunner/anki"
)

// lone is a setup with a server of its own, of which media can be lost.
type lone struct {
	*mediaSetup
	wipe func()
	keep func() (restore func())
}

// alone is folderSetup with a server of its own.
func alone(t testing.TB, e hostrunner.Engine) (lone, *folderMedia) {
	t.Helper()
	if throughOwn() {
		o := ownAlone(t, 4)
		s := mediaSetupAt(t, o.server, inFolder(e))
		wipe, keep := func() { o.wipeMedia(t, s.acc) }, func() func() { return o.keepMedia(t, s.acc) }
		return lone{s, wipe, keep}, s.ours.(*folderMedia)
	}
	s := mediaSetupAt(t, anki.StartServer(t), inFolder(e))
	return lone{s, func() { s.acc.WipeMedia(t) }, func() func() { return s.acc.KeepMedia(t) }}, s.ours.(*folderMedia)
}

// ownAlone starts a server of ours for one test.
func ownAlone(t testing.TB, users int) *ownServer {
	t.Helper()
	o, err := startOwn(t.TempDir(), users)
	must(t, err)
	t.Cleanup(o.close)
	return o
}

// pathOf is where the shared server has a media file.
func (s *mediaSetup) pathOf(t testing.TB, name, content string) string {
	t.Helper()
	if throughOwn() {
		return get(t, shared.ownData).mediaPath(t, s.acc, content)
	}
	return filepath.Join(s.acc.MediaDir(), name)
}

// The server has lost everything about media: our files are sent again, and nothing is deleted here.
func TestMediaServerWiped(t *testing.T) {
	t.Parallel()
	for _, grown := range []bool{false, true} { // its number is above ours again, by files of another device
		t.Run(fmt.Sprint("grown ", grown), func(t *testing.T) {
			t.Parallel()
			engines(t, 3, func(t *testing.T, e hostrunner.Engine) {
				s, own := alone(t, e)
				s.start(t)
				own.remove(t, "remove.mp3")
				own.put(t, "new.png", "new")
				s.wipe()
				// The real client, which may not notice (media-sync.md §7.7), still has the file that was deleted here.
				s.real.ForgetMedia(t)
				want := stock.with(files{"new.png": "new"})
				if grown {
					for i := range 20 {
						name := fmt.Sprintf("other %02d.png", i)
						want[name] = name
						s.acc.UploadMedia(t, anki.MediaFile{Name: name, Content: []byte(name)})
					}
				}
				own.syncMedia(t)
				s.settle(t)
				s.have(t, want)
			})
		})
	}
}

// The server goes back to an older state, from a backup: what both had agreed on since is not agreed any more.
func TestMediaServerRestored(t *testing.T) {
	t.Parallel()
	engines(t, 3, func(t *testing.T, e hostrunner.Engine) {
		s, own := alone(t, e)
		s.start(t)
		restore := s.keep()
		own.put(t, "later.png", "later")
		own.put(t, "change.png", "changed later")
		own.remove(t, "remove.mp3")
		s.settle(t)
		restore()
		own.syncMedia(t)
		s.real.ForgetMedia(t)
		// The file deleted later is on the server again, and comes again; the edit of a file that the server has in its old
		// state is a conflict, which the server wins.
		server := s.acc.Media(t)
		if server["later.png"] != anki.SHA1([]byte("later")) {
			t.Error("a file that the server had lost was not sent again")
		}
		if server["change.png"] == anki.SHA1([]byte("change")) {
			own.trashed(t, "changed later")
		}
		s.settle(t)
		s.same(t, s.acc.Media(t), own, s.real)
		for name := range stock {
			if _, ok := own.media(t)[name]; !ok {
				t.Errorf("%s is gone", name)
			}
		}
	})
}

// A file is gone from the server's disk: it is set aside, all others come. When another device sends it again, it comes.
func TestMediaServerLostFile(t *testing.T) {
	t.Parallel()
	engines(t, 3, func(t *testing.T, e hostrunner.Engine) {
		s, own := folderSetup(t, e)
		for name, content := range numbered(60) {
			s.real.put(t, name, content)
		}
		s.real.syncMedia(t)
		want := numbered(60)
		for _, i := range []int{7, 33} {
			must(t, os.Remove(s.pathOf(t, number(i), want[number(i)])))
			delete(want, number(i))
		}
		r, err := own.try(t.Context(), service.MediaSyncParams{})
		if err != nil || r.Downloaded != 58 {
			t.Errorf("%+v %v", r, err)
		}
		for _, a := range r.SetAside {
			if a.Reason != "gone" {
				t.Errorf("set aside %v", a)
			}
		}
		if d := anki.CompareMedia(want.sums(), own.media(t)); len(d) > 0 {
			t.Errorf("ours: %q", d)
		}
		// The real server has forgotten the rows by now (media-sync.md §9.4), so its other devices send what they have.
		s.real.ForgetMedia(t)
		s.settle(t)
		s.have(t, numbered(60))
	})
}

// A file on the server's disk has another content than the server lists.
func TestMediaServerDamagedFile(t *testing.T) {
	t.Parallel()
	engines(t, 3, func(t *testing.T, e hostrunner.Engine) {
		s, own := folderSetup(t, e)
		for name, content := range numbered(30) {
			s.real.put(t, name, content)
		}
		s.real.syncMedia(t)
		must(t, os.WriteFile(s.pathOf(t, number(3), "content 3"), []byte("contenx 3"), 0o600))
		r, err := own.try(t.Context(), service.MediaSyncParams{})
		if err != nil || r.Downloaded != 29 {
			t.Errorf("%+v %v", r, err)
		}
		reason := "hash"
		if throughOwn() {
			reason = "gone" // our server looks at what it sends
		}
		aside(t, r, number(3), reason)
		s.real.put(t, number(3), "repaired")
		s.settle(t)
		s.have(t, numbered(30).with(files{number(3): "repaired"}))
	})
}

// The limits of a file's size, 100 MiB: one byte under, exactly, and one over, in both directions. The real client sends
// what ours may not lose, and the other way round.
func TestMediaLargestFile(t *testing.T) {
	if testing.Short() || nativeOnly() {
		t.Skip("files of 100 MiB, under wazero")
	}
	const limit = 100 << 20
	s, own := folderSetup(t, hostrunner.Wazero)
	s.start(t)
	big(t, own.folder(), "ours under.bin", limit-1)
	big(t, own.folder(), "ours over.bin", limit+1)
	aside(t, mustSync(t, own), "ours over.bin", "too_large")
	must(t, os.Remove(filepath.Join(own.folder(), "ours over.bin")))
	s.real.syncMedia(t)
	big(t, s.real.MediaDir(), "real at.bin", limit)
	s.real.remove(t, "keep.png") // so that it looks
	s.settle(t)
	a, b := own.media(t), s.real.Media(t)
	if d := anki.CompareMedia(a, b); len(d) > 0 || len(a) != 5 {
		t.Errorf("%d files; %q", len(a), d)
	}
	s.same(t, a)
}

// big writes a file of that size.
func big(t testing.TB, dir, name string, size int) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, name))
	must(t, err)
	line := bytes.NewReader([]byte(strings.Repeat(name+" 0123456789abcdef", 4096)))
	for left := int64(size); left > 0; {
		_, _ = line.Seek(0, io.SeekStart)
		n, err := io.Copy(f, io.LimitReader(line, left))
		must(t, err)
		left -= n
	}
	must(t, f.Close())
}
