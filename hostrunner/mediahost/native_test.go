//go:build unix

package mediahost_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/hostrunner/hosttest"
	"github.com/cardferry/cardferry/hostrunner/mediahost"
)

// TestLinksAndSpecialFiles: nothing leads out of the folder, whatever is in it, and nothing in it blocks.
func TestLinksAndSpecialFiles(t *testing.T) {
	t.Parallel()
	s, outside := newStore(t), t.TempDir()
	coretest.Must(t, os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), 0o600))
	good := s.install(t, "good", "1", nil)
	for name, target := range map[string]string{
		"link": filepath.Join(outside, "secret"), "inside": "good", "to folder": outside, "dangling": "nowhere",
		"relative": "../../" + filepath.Base(outside) + "/secret", "loop": "loop",
	} {
		coretest.Must(t, os.Symlink(target, s.path(name)))
	}
	coretest.Must(t, syscall.Mkfifo(s.path("pipe"), 0o600))
	coretest.Must(t, os.Mkdir(s.path("folder"), 0o700))
	coretest.Must(t, os.WriteFile(s.path("folder/file"), []byte("x"), 0o600))
	coretest.Must(t, os.WriteFile(s.path("not \xff UTF-8"), nil, 0o600))
	names := []string{"dangling", "inside", "link", "loop", "pipe", "relative", "to folder"}

	list, err := coretest.ScanMedia(t.Context(), s)
	coretest.Must(t, err)
	var special, regular []string
	for _, row := range list {
		if row.Regular {
			regular = append(regular, row.Name)
		} else {
			special = append(special, row.Name)
		}
	}
	if !slices.Equal(special, names) || !slices.Equal(regular, []string{"good"}) {
		t.Errorf("scan: regular %q, not regular %q", regular, special)
	}
	for _, name := range append(names, "folder") {
		_, stat := s.Stat(name)
		_, _, hash := s.Hash(t.Context(), name)
		_, open := s.Open(name)
		for step, err := range map[string]error{"stat": stat, "hash": hash, "open": open} {
			if fault.KindOf(err) != fault.NotFound {
				t.Errorf("%s %s: %v", step, name, err)
			}
		}
		info, err := os.Lstat(s.path(name))
		coretest.Must(t, err)
		asIs := host.MediaFile{Size: info.Size(), Modified: info.ModTime().UnixNano()}
		for _, seen := range []*host.MediaFile{nil, &good, &asIs} {
			if _, changed, err := s.tryInstall(t, name, "2", seen); !changed || err != nil {
				t.Errorf("install %s: changed %v, %v", name, changed, err)
			}
			if seen == nil {
				continue
			}
			if changed, err := s.Trash(name, *seen); !changed || err != nil {
				t.Errorf("trash %s: changed %v, %v", name, changed, err)
			}
			if _, changed, err := s.Copy(name, *seen); !changed || err != nil {
				t.Errorf("copy %s: changed %v, %v", name, changed, err)
			}
		}
		if now, err := os.Lstat(s.path(name)); err != nil || now.Mode() != info.Mode() {
			t.Errorf("%s was %v, is %v, %v", name, info.Mode(), now, err)
		}
	}
	s.want(t, "good", "1")
	if got := tree(t, outside); got != "secret" {
		t.Errorf("outside: %s", got)
	}
	if got, err := os.ReadFile(filepath.Join(outside, "secret")); string(got) != "secret" || err != nil {
		t.Errorf("outside: %q, %v", got, err)
	}
}

// TestFolderIsLink: people keep the media folder elsewhere; that one link is followed, no other.
func TestFolderIsLink(t *testing.T) {
	t.Parallel()
	dir, elsewhere := t.TempDir(), t.TempDir()
	coretest.Must(t, os.Symlink(elsewhere, filepath.Join(dir, mediahost.Folder)))
	coretest.Must(t, os.Symlink("/etc/passwd", filepath.Join(elsewhere, "link")))
	s := store{mediahost.New(dir), dir}
	wantElsewhere(t, s, elsewhere)
}

// TestFolderOnAnotherDisk: no file can be moved between the folder and the profile.
func TestFolderOnAnotherDisk(t *testing.T) {
	t.Parallel()
	dir, elsewhere := t.TempDir(), hosttest.TinyDisk(t, 4<<20)
	coretest.Must(t, os.Symlink(elsewhere, filepath.Join(dir, mediahost.Folder)))
	coretest.Must(t, os.Symlink("/etc/passwd", filepath.Join(elsewhere, "link")))
	coretest.Must(t, os.Mkdir(filepath.Join(elsewhere, "cardferry.[tmp]"), 0o700))
	coretest.Must(t, os.WriteFile(filepath.Join(elsewhere, "cardferry.[tmp]", "1"), []byte("of a killed run"), 0o600))
	s := store{mediahost.New(dir), dir}
	wantElsewhere(t, s, elsewhere)
	coretest.TestMedia(t, func(t *testing.T) host.Media {
		dir := t.TempDir()
		coretest.Must(t, os.Symlink(hosttest.TinyDisk(t, 8<<20), filepath.Join(dir, mediahost.Folder)))
		return store{mediahost.New(dir), dir}
	})
}

func wantElsewhere(t *testing.T, s store, elsewhere string) {
	t.Helper()
	a := s.install(t, "a", "one", nil)
	a = s.install(t, "a", "two", &a)
	s.install(t, "b", "other", nil)
	if changed, err := s.Trash("a", a); changed || err != nil {
		t.Fatalf("trash: changed %v, %v", changed, err)
	}
	if got := tree(t, elsewhere); got != "b link" {
		t.Errorf("the folder has %s", got)
	}
	if entries, err := os.ReadDir(elsewhere); len(entries) != 2 || err != nil {
		t.Errorf("the folder has %v, %v", entries, err)
	}
	if trash, err := s.InTrash("a"); fmt.Sprintf("%s", trash) != "[one two]" || err != nil {
		t.Errorf("trash: %s, %v", trash, err)
	}
	if list, err := coretest.ScanMedia(t.Context(), s); len(list) != 2 || list[1].Regular || err != nil {
		t.Errorf("scan: %v, %v", list, err)
	}
	_, err := s.Open("link")
	coretest.WantKind(t, err, fault.NotFound)
	coretest.Must(t, s.Flush(t.Context()))
}

// TestFolderIsNone: a media folder that is none is neither taken for an empty one nor replaced.
func TestFolderIsNone(t *testing.T) {
	t.Parallel()
	for name, put := range map[string]func(path string) error{
		"file":         func(path string) error { return os.WriteFile(path, []byte("x"), 0o600) },
		"pipe":         func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"link to file": func(path string) error { return os.Symlink("/etc/passwd", path) },
		"link to pipe": func(path string) error {
			other := path + "-pipe"
			if err := syscall.Mkfifo(other, 0o600); err != nil {
				return err
			}
			return os.Symlink(other, path)
		},
		"dangling link": func(path string) error { return os.Symlink(path+"-none", path) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStore(t)
			path := filepath.Join(s.dir, mediahost.Folder)
			coretest.Must(t, put(path))
			before, err := os.Lstat(path)
			coretest.Must(t, err)
			want := fault.NotWritable
			if name == "dangling link" {
				want = fault.NotFound // a disk that is not there: nothing is known of the files
			}
			_, err = s.Scan(t.Context())
			coretest.WantKind(t, err, want)
			_, err = s.Stat("a")
			coretest.WantKind(t, err, want)
			_, _, err = s.tryInstall(t, "a", "1", nil)
			coretest.WantKind(t, err, fault.NotWritable)
			if now, err := os.Lstat(path); err != nil || now.Mode() != before.Mode() {
				t.Errorf("it was %v, is %v, %v", before.Mode(), now, err)
			}
		})
	}
}

// TestOwnFoldersAreLinks: what lies in place of our folders leads nowhere, either.
func TestOwnFoldersAreLinks(t *testing.T) {
	t.Parallel()
	s, outside := newStore(t), t.TempDir()
	a := s.install(t, "a", "1", nil)
	coretest.Must(t, os.RemoveAll(filepath.Join(s.dir, "cardferry.tmp")))
	coretest.Must(t, os.WriteFile(filepath.Join(outside, "1"), []byte("x"), 0o600))
	for _, name := range []string{"cardferry.tmp", "cardferry.trash"} {
		coretest.Must(t, os.Symlink(outside, filepath.Join(s.dir, name)))
	}
	if _, err := s.Create(); err == nil {
		t.Error("a draft was made outside")
	}
	if changed, err := s.Trash("a", a); changed || err == nil {
		t.Errorf("a file was moved outside: changed %v, %v", changed, err)
	}
	if err := s.Expire(time.Now().AddDate(1, 0, 0)); err == nil {
		t.Error("a trash outside was emptied")
	}
	s.want(t, "a", "1")
	if got := tree(t, outside); got != "1" {
		t.Errorf("outside: %s", got)
	}
}

func TestPermissionsKept(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	a := s.install(t, "a", "1", nil)
	mode := func(path string) os.FileMode {
		info, err := os.Stat(path)
		coretest.Must(t, err)
		return info.Mode().Perm()
	}
	if m := mode(s.path("a")); m != 0o644 {
		t.Errorf("a new file has %v", m)
	}
	if m := mode(s.path("")); m != 0o755 {
		t.Errorf("the folder has %v", m)
	}
	coretest.Must(t, os.Chmod(s.path("a"), 0o640))
	s.install(t, "a", "2", &a)
	if m := mode(s.path("a")); m != 0o640 {
		t.Errorf("a replaced file has %v", m)
	}
	for _, name := range []string{"cardferry.tmp", "cardferry.tmp/media", "cardferry.trash"} {
		if m := mode(filepath.Join(s.dir, name)); m != 0o700 {
			t.Errorf("%s has %v", name, m)
		}
	}
}

func TestUnreadable(t *testing.T) {
	if !hosttest.Unprivileged(t) {
		return
	}
	s := newStore(t)
	a := s.install(t, "a", "1", nil)
	s.install(t, "b", "2", nil)
	c := s.install(t, "c", "3", nil)
	coretest.Must(t, os.Chmod(s.path("a"), 0))
	coretest.Must(t, os.Chmod(s.path("c"), 0o400))
	list, err := coretest.ScanMedia(t.Context(), s)
	coretest.Must(t, err)
	if len(list) != 3 || list[0].Regular || !list[1].Regular || !list[2].Regular || list[0].File.Size != 1 {
		t.Errorf("scan: %+v", list)
	}
	_, _, err = s.Hash(t.Context(), "a")
	coretest.WantKind(t, err, fault.NotWritable)
	_, err = s.Open("a")
	coretest.WantKind(t, err, fault.NotWritable)
	_, _, err = s.Copy("a", a)
	coretest.WantKind(t, err, fault.NotWritable)
	s.install(t, "a", "new", &a) // its content is in the trash nevertheless
	coretest.Must(t, s.Flush(t.Context()))

	dir := s.path("")
	coretest.Must(t, os.Chmod(dir, 0o555))
	t.Cleanup(func() { _ = os.Chmod(dir, 0o700) })
	s.wantNotWritable(t, "c", "3", c)
	_, _, err = s.Hash(t.Context(), "c")
	coretest.Must(t, err)
	for _, mode := range []os.FileMode{0, 0o444, 0o111} {
		coretest.Must(t, os.Chmod(dir, mode))
		_, err = coretest.ScanMedia(t.Context(), s)
		coretest.WantKind(t, err, fault.NotWritable)
	}
	coretest.Must(t, os.Chmod(dir, 0o700))
	coretest.Must(t, os.RemoveAll(filepath.Join(s.dir, "cardferry.trash")))
	coretest.Must(t, os.Chmod(s.dir, 0o500))
	t.Cleanup(func() { _ = os.Chmod(s.dir, 0o700) })
	_, err = s.Trash("c", c) // without a place for the trash
	coretest.WantKind(t, err, fault.NotWritable)
	_, _, err = s.tryInstall(t, "c", "x", &c)
	coretest.WantKind(t, err, fault.NotWritable)
	s.want(t, "c", "3")
}

// wantNotWritable: in a folder that may not be written, nothing changes, and each step says so.
func (s store) wantNotWritable(t *testing.T, name, content string, seen host.MediaFile) {
	t.Helper()
	_, _, install := s.tryInstall(t, "new", "x", nil)
	_, _, replace := s.tryInstall(t, name, "x", &seen)
	_, trash := s.Trash(name, seen)
	for step, err := range map[string]error{"install": install, "replace": replace, "trash": trash} {
		if fault.KindOf(err) != fault.NotWritable {
			t.Errorf("%s: %v", step, err)
		}
	}
	s.want(t, name, content)
	if contents, err := s.InTrash(name); len(contents) != 0 || err != nil {
		t.Errorf("trash: %q, %v", contents, err)
	}
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	dir := hosttest.TinyDisk(t, 256<<10)
	s := store{mediahost.New(dir), dir}
	a := s.install(t, "a", "old", nil)
	d, err := s.Create()
	coretest.Must(t, err)
	for i := 0; err == nil && i < 1000; i++ {
		_, err = d.Write(make([]byte, 10_000))
	}
	coretest.WantKind(t, err, fault.StorageFull)
	d.Discard()
	s.want(t, "a", "old")
	s.install(t, "a", "new", &a) // there is room again
	if got, err := s.InTrash("a"); len(got) != 1 || string(got[0]) != "old" || err != nil {
		t.Errorf("trash: %q, %v", got, err)
	}
}

// TestSameTick: a second writing within one step of the system's clock is seen, even with content of the same size.
func TestSameTick(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	s.install(t, "a", "00", nil)
	for i := range 20 {
		coretest.Must(t, os.WriteFile(s.path("a"), fmt.Appendf(nil, "%02d", i), 0o600))
		seen, sum, err := s.Hash(t.Context(), "a")
		coretest.Must(t, err)
		coretest.Must(t, os.WriteFile(s.path("a"), fmt.Appendf(nil, "%02d", i+1), 0o600))
		if now, err := s.Stat("a"); now == seen || err != nil {
			t.Fatalf("after %x: still %+v, %v", sum, now, err)
		}
		installed := s.install(t, "b", "12", nil)
		coretest.Must(t, os.WriteFile(s.path("b"), []byte("34"), 0o600))
		now, err := s.Stat("b")
		if now == installed || err != nil {
			t.Fatalf("installed, and written anew: still %+v, %v", now, err)
		}
		_, err = s.Trash("b", now)
		coretest.Must(t, err)
	}
}

// touching is a context whose check does something: it runs between two pieces of a file.
type touching struct {
	context.Context
	touch func()
}

func (c touching) Err() error {
	c.touch()
	return c.Context.Err()
}

// TestHashOfChangingFile: a file that another program keeps writing is busy, not half read; one that it has written anew
// is read anew.
func TestHashOfChangingFile(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	s.install(t, "a", "0", nil)
	writings := 0
	write := func() {
		writings++
		coretest.Must(t, os.WriteFile(s.path("a"), fmt.Append(nil, writings), 0o600))
	}
	_, _, err := s.Hash(touching{t.Context(), write}, "a")
	coretest.WantKind(t, err, fault.Busy)
	writings = 0
	_, sum, err := s.Hash(touching{t.Context(), func() {
		if writings == 0 {
			write()
		}
	}}, "a")
	if sum != coretest.SumOf([]byte("1")) || err != nil {
		t.Errorf("written anew once: %x, %v", sum, err)
	}
	_, _, err = s.Hash(touching{t.Context(), func() { _ = os.Remove(s.path("a")) }}, "a")
	coretest.WantKind(t, err, fault.NotFound)
}

// TestCancelledHash: a file that would take minutes is left at once.
func TestCancelledHash(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	s.install(t, "a", "", nil)
	coretest.Must(t, os.Truncate(s.path("a"), 1<<40))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, _, err := s.Hash(ctx, "a")
	coretest.WantKind(t, err, fault.Cancelled)
}

func TestErrorsDoNotShowTheFolder(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	s.install(t, "a", "1", nil)
	_, err := s.Open("none.png")
	if got := fmt.Sprint(err); got != "open none.png: no such file or directory" {
		t.Errorf("message %q", got)
	}
	_, err = s.Open(strings.Repeat("x", 300))
	if got := fmt.Sprint(err); strings.Contains(got, s.dir) || len(got) > 350 {
		t.Errorf("message %q", got)
	}
}
