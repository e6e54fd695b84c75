package interop_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/service"
	"github.com/cardferry/cardferry/hostrunner"
)

// numbered returns n files.
func numbered(n int) files {
	f := files{}
	for i := range n {
		f[number(i)] = fmt.Sprint("content ", i)
	}
	return f
}

func number(i int) string { return fmt.Sprintf("file %03d.png", i) }

// braked is a folder of ours with n files that the server has as well, and a real client that has synced them.
func braked(t testing.TB, e hostrunner.Engine, n int) (*mediaSetup, *folderMedia) {
	t.Helper()
	s, own := folderSetup(t, e)
	for name, content := range numbered(n) {
		own.put(t, name, content)
	}
	own.syncMedia(t)
	s.real.syncMedia(t)
	s.have(t, numbered(n))
	return s, own
}

// losses are ways in which files go that no user has deleted, with the number of files of 60 that are gone.
var losses = []struct {
	name string
	lose func(t testing.TB, own *folderMedia)
	gone int64
}{
	{"folder emptied", func(t testing.TB, own *folderMedia) { own.lose(t, 0, 60) }, 60},
	{"folder removed", func(t testing.TB, own *folderMedia) { must(t, os.RemoveAll(own.folder())) }, 60},
	{"folder replaced by a file", func(t testing.TB, own *folderMedia) {
		must(t, errors.Join(os.RemoveAll(own.folder()), os.WriteFile(own.folder(), nil, 0o600)))
	}, 60},
	{"half of it", func(t testing.TB, own *folderMedia) { own.lose(t, 0, 30) }, 30},
	{"more than a fifth", func(t testing.TB, own *folderMedia) { own.lose(t, 20, 33) }, 13},
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// lose deletes numbered files.
func (f *folderMedia) lose(t testing.TB, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		must(t, os.Remove(filepath.Join(f.folder(), number(i))))
	}
}

// eachLoss runs do after each loss.
func eachLoss(t *testing.T, do func(t *testing.T, s *mediaSetup, own *folderMedia, gone int64)) {
	for _, l := range losses {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			engines(t, 3, func(t *testing.T, e hostrunner.Engine) {
				s, own := braked(t, e, 60)
				l.lose(t, own)
				do(t, s, own, l.gone)
			})
		})
	}
}

// held syncs, which holds back n deletions.
func (f *folderMedia) held(t testing.TB, n int64) service.MediaSyncResult {
	t.Helper()
	_, err := f.try(t.Context(), service.MediaSyncParams{})
	return held(t, err, n)
}

// While deletions are held, all else is synced, and nothing that follows lets them go: neither further syncs, nor a new
// process, nor a download into the folder, nor a file that the user adds or deletes.
func TestMediaHeld(t *testing.T) {
	t.Parallel()
	eachLoss(t, func(t *testing.T, s *mediaSetup, own *folderMedia, gone int64) {
		if info, err := os.Stat(own.folder()); err == nil && !info.IsDir() {
			t.Skip("the folder cannot be used: see TestMediaUnusable")
		}
		own.held(t, gone)
		own.held(t, gone)
		own.reopen(t)
		s.real.put(t, "new.png", "new")
		s.real.syncMedia(t)
		r := own.held(t, gone)
		if r.Downloaded != 1 {
			t.Errorf("%+v", r)
		}
		own.put(t, "added.png", "added")
		if r = own.held(t, gone); r.Uploaded != 1 {
			t.Errorf("%+v", r)
		}
		own.remove(t, "added.png")
		own.held(t, gone+1)
		own.held(t, gone+1)
		s.real.syncMedia(t)
		s.same(t, numbered(60).with(files{"new.png": "new", "added.png": "added"}).sums(), s.real)
		// A file that is fetched by name comes back; it is not deleted any more.
		if gone == 60 {
			if _, err := own.profile.GetMedia(t.Context(), service.GetMediaParams{Account: &own.account, Name: number(7)}); err != nil {
				t.Fatal(err)
			}
			own.held(t, gone)
		}
		s.same(t, numbered(60).with(files{"new.png": "new", "added.png": "added"}).sums())
	})
}

// The files come back by themselves, as when a disk is mounted again: nothing is held any more.
func TestMediaComeBack(t *testing.T) {
	t.Parallel()
	eachLoss(t, func(t *testing.T, s *mediaSetup, own *folderMedia, gone int64) {
		if _, err := own.try(t.Context(), service.MediaSyncParams{}); fault.KindOf(err) != fault.NeedsDecision {
			t.Fatal(err)
		}
		if info, err := os.Stat(own.folder()); err == nil && !info.IsDir() {
			must(t, os.Remove(own.folder()))
		}
		for name, content := range numbered(60) {
			own.put(t, name, content)
		}
		if r := mustSync(t, own); r.Downloaded+r.Uploaded+r.DeletedLocal+r.DeletedRemote+r.Held > 0 {
			t.Errorf("%+v", r)
		}
		s.have(t, numbered(60))
		// A deletion afterwards is one.
		own.lose(t, 3, 5)
		s.settle(t)
		want := numbered(60)
		delete(want, number(3))
		delete(want, number(4))
		s.have(t, want)
	})
}

// The user lets the held files be fetched again.
func TestMediaRestoreHeld(t *testing.T) {
	t.Parallel()
	eachLoss(t, func(t *testing.T, s *mediaSetup, own *folderMedia, gone int64) {
		if info, err := os.Stat(own.folder()); err == nil && !info.IsDir() {
			t.Skip("there is no folder to restore to")
		}
		own.held(t, gone)
		r, err := own.try(t.Context(), service.MediaSyncParams{RestoreHeld: true})
		if err != nil || r.Downloaded != gone || r.DeletedRemote+r.Uploaded > 0 {
			t.Errorf("%+v %v", r, err)
		}
		s.real.syncMedia(t)
		s.have(t, numbered(60))
		s.nothingToDo(t)
	})
}

// The user lets the held files be deleted everywhere, at once or after they were reported; no others.
func TestMediaAllowDeletions(t *testing.T) {
	t.Parallel()
	for _, reported := range []bool{true, false} {
		t.Run(fmt.Sprint("reported ", reported), func(t *testing.T) {
			t.Parallel()
			engines(t, 3, func(t *testing.T, e hostrunner.Engine) {
				s, own := braked(t, e, 60)
				own.lose(t, 0, 30)
				if reported {
					own.held(t, 30)
				}
				s.real.put(t, number(4), "changed there") // their change beats our deletion
				s.real.syncMedia(t)
				r, err := own.try(t.Context(), service.MediaSyncParams{AllowDeletions: true})
				if err != nil || r.DeletedRemote != 29 || r.Downloaded != 1 || r.Held != 0 {
					t.Errorf("%+v %v", r, err)
				}
				s.real.syncMedia(t)
				want := numbered(60)
				for i := range 30 {
					delete(want, number(i))
				}
				want[number(4)] = "changed there"
				s.have(t, want)
				// It was for those files only.
				own.lose(t, 30, 50)
				own.held(t, 20)
			})
		})
	}
}

// Both decisions at once are none.
func TestMediaBothDecisions(t *testing.T) {
	t.Parallel()
	s, own := braked(t, hostrunner.Native, 20)
	own.lose(t, 0, 20)
	_, err := own.try(t.Context(), service.MediaSyncParams{AllowDeletions: true, RestoreHeld: true})
	if fault.KindOf(err) != fault.InvalidInput {
		t.Errorf("got %v, want kind invalid_input", err)
	}
	s.same(t, numbered(20).sums())
}

// The limits of the brake: up to 10 files, or a fifth, pass; all of them never do.
func TestMediaBrakeLimits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		files, gone int
		held        bool
	}{
		{1, 1, true}, {10, 10, true}, {11, 10, false}, {12, 11, true}, {20, 10, false}, {50, 10, false}, {50, 11, true},
		{54, 11, true}, {55, 11, false}, {60, 12, false}, {60, 13, true}, {100, 20, false}, {100, 21, true},
	} {
		t.Run(fmt.Sprint(c.gone, " of ", c.files), func(t *testing.T) {
			t.Parallel()
			engines(t, 12, func(t *testing.T, e hostrunner.Engine) {
				s, own := braked(t, e, c.files)
				own.lose(t, 0, c.gone)
				want := numbered(c.files)
				if c.held {
					own.held(t, int64(c.gone))
				} else {
					if r := mustSync(t, own); r.DeletedRemote != int64(c.gone) {
						t.Errorf("%+v", r)
					}
					for i := range c.gone {
						delete(want, number(i))
					}
				}
				s.real.syncMedia(t)
				s.same(t, want.sums(), s.real)
			})
		})
	}
}

// Without the index nothing is known to be deleted: what is gone comes again, whatever was held before.
func TestMediaIndexLost(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(path string) error{
		"removed":       os.Remove,
		"emptied":       func(path string) error { return os.Truncate(path, 0) },
		"overwritten":   func(path string) error { return os.WriteFile(path, []byte("this is no database, but a text"), 0o600) },
		"half of it":    func(path string) error { return os.Truncate(path, 6000) },
		"pages of zero": zeroPages,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			engines(t, 3, func(t *testing.T, e hostrunner.Engine) {
				s, own := braked(t, e, 60)
				own.lose(t, 0, 30)
				own.held(t, 30)
				must(t, own.profile.Close())
				must(t, lose(filepath.Join(own.dir, mediaIndexFile)))
				*own = *openMedia(t, e, own.account, own.dir)
				if r := mustSync(t, own); r.Downloaded != 30 || r.DeletedLocal+r.DeletedRemote+r.Uploaded > 0 {
					t.Errorf("%+v", r)
				}
				s.real.syncMedia(t)
				s.have(t, numbered(60))
			})
		})
	}
}

// zeroPages overwrites all pages but the first.
func zeroPages(path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	const page = 4096
	clear(b[min(page, len(b)):])
	return os.WriteFile(path, b, 0o600)
}

// A folder that cannot be listed: nothing is known about it, so nothing is sent and nothing comes; the user has to say.
func TestMediaUnusable(t *testing.T) {
	t.Parallel()
	s, own := braked(t, hostrunner.Native, 60)
	must(t, os.Rename(own.folder(), own.folder()+".away"))
	must(t, os.WriteFile(own.folder(), []byte("not a folder"), 0o600))
	s.real.put(t, "new.png", "new")
	s.real.syncMedia(t)
	own.held(t, 60)
	own.held(t, 60)
	s.same(t, numbered(60).with(files{"new.png": "new"}).sums(), s.real)
	must(t, errors.Join(os.Remove(own.folder()), os.Rename(own.folder()+".away", own.folder())))
	s.settle(t)
	s.have(t, numbered(60).with(files{"new.png": "new"}))
}

// The folder may not be read, by a user whom permissions bind.
func TestMediaUnreadable(t *testing.T) {
	t.Parallel()
	const nobody = 65534
	s, own := braked(t, hostrunner.Native, 30)
	must(t, own.profile.Close())
	must(t, os.Chmod(filepath.Dir(own.dir), 0o711)) // the way to it
	if os.Getuid() == 0 {
		must(t, filepath.WalkDir(own.dir, func(path string, _ os.DirEntry, err error) error {
			return errors.Join(err, os.Chown(path, nobody, nobody))
		}))
	}
	modes := func(folder, files os.FileMode) {
		must(t, os.Chmod(own.folder(), 0o700))
		for i := range 30 {
			must(t, os.Chmod(filepath.Join(own.folder(), number(i)), files))
		}
		must(t, os.Chmod(own.folder(), folder))
	}
	for _, c := range []struct {
		folder, files os.FileMode
		operation     string
	}{
		{0, 0o600, mediaHeldOperation}, {0o300, 0o600, mediaHeldOperation}, {0o400, 0o600, mediaHeldOperation}, {0o700, 0, mediaOperation},
	} {
		modes(c.folder, c.files)
		cmd := mediaChild(t, own, c.operation)
		if os.Getuid() == 0 {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		}
		if err := cmd.Run(); err != nil {
			t.Errorf("modes %o, %o: %v", c.folder, c.files, err)
		}
		s.same(t, numbered(30).sums())
	}
	modes(0o700, 0o600)
	*own = *openMedia(t, own.engine, own.account, own.dir)
	if r := mustSync(t, own); r.Downloaded+r.Uploaded+r.DeletedLocal+r.DeletedRemote > 0 {
		t.Errorf("%+v", r)
	}
	s.have(t, numbered(30))
}

// mediaChild is a process that syncs a folder as another user.
func mediaChild(t *testing.T, own *folderMedia, operation string) *exec.Cmd {
	t.Helper()
	cmd := child(t, &ours{app: app{filepath.Join(own.dir, "collection.anki2")}, engine: engine(own.engine.String()), account: own.account}, operation)
	cmd.Path = "/proc/self/exe" // the test program may be where nobody else may look
	cmd.Dir = "/"
	return cmd
}
