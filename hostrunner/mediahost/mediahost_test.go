package mediahost_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/hostrunner/mediahost"
)

// store is a store with the folder it is in.
type store struct {
	*mediahost.Media
	dir string
}

func newStore(t testing.TB) store {
	dir := t.TempDir()
	return store{mediahost.New(dir), dir}
}

// path returns the path of a media file.
func (s store) path(name string) string { return filepath.Join(s.dir, mediahost.Folder, name) }

// InTrash looks into the trash as a person does.
func (s store) InTrash(name string) (contents [][]byte, err error) {
	days, err := os.ReadDir(filepath.Join(s.dir, "cardferry.trash"))
	if os.IsNotExist(err) {
		return nil, nil
	}
	for _, day := range days {
		content, err := os.ReadFile(filepath.Join(s.dir, "cardferry.trash", day.Name(), name))
		if err == nil {
			contents = append(contents, content)
		} else if !os.IsNotExist(err) {
			return nil, err
		}
	}
	return contents, err
}

func TestContract(t *testing.T) {
	t.Parallel()
	coretest.TestMedia(t, func(t *testing.T) host.Media { return newStore(t) })
}

// TestContractOnPlainDisks: with what other systems and old disks can do.
func TestContractOnPlainDisks(t *testing.T) {
	t.Parallel()
	for _, links := range []bool{true, false} {
		t.Run(fmt.Sprint("links ", links), func(t *testing.T) {
			t.Parallel()
			coretest.TestMedia(t, func(t *testing.T) host.Media {
				dir := t.TempDir()
				return store{mediahost.NewPlain(dir, links), dir}
			})
		})
	}
}

// TestEditAtTheLastMoment: another program writes a file after it was looked at, before one of the steps in which it is
// replaced or trashed. Its content is there in the end, and the caller is told if it is in the way.
func TestEditAtTheLastMoment(t *testing.T) {
	t.Parallel()
	for name, disk := range map[string]func(dir string) *mediahost.Media{
		"swaps": mediahost.New,
		"links": func(dir string) *mediahost.Media { return mediahost.NewPlain(dir, true) },
		"plain": func(dir string) *mediahost.Media { return mediahost.NewPlain(dir, false) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, trash := range []bool{false, true} {
				for at := 1; ; at++ {
					dir := t.TempDir()
					if !editAt(t, store{disk(dir), dir}, trash, at) {
						break
					}
				}
			}
		})
	}
}

// editAt makes the edit before the step number at. It returns false if there are not so many.
func editAt(t *testing.T, s store, trash bool, at int) bool {
	t.Helper()
	seen := s.install(t, "a", "seen", nil)
	steps, before := 0, ""
	s.BeforeMoves(func(step string) {
		if steps++; steps == at {
			before = step
			other := filepath.Join(s.dir, "other")
			coretest.Must(t, os.WriteFile(other, []byte("edited"), 0o600))
			coretest.Must(t, os.Rename(other, s.path("a")))
		}
	})
	var changed bool
	var err error
	if trash {
		changed, err = s.Trash("a", seen)
	} else {
		_, changed, err = s.tryInstall(t, "a", "ours", &seen)
	}
	coretest.Must(t, err)
	if before == "" {
		return false
	}
	if before == "rename" {
		return true // a disk that cannot swap: nothing can be told any more
	}
	contents, err := s.InTrash("a")
	coretest.Must(t, err)
	live, err := os.ReadFile(s.path("a"))
	if changed && (string(live) != "edited" || err != nil) {
		t.Errorf("trash %v, before step %d, %s: changed, and the file has %q, %v", trash, at, before, live, err)
	}
	if !changed && !slices.ContainsFunc(append(contents, live), func(c []byte) bool { return string(c) == "edited" }) {
		t.Errorf("trash %v, before step %d, %s: the edit is lost", trash, at, before)
	}
	return true
}

func TestMissingFolder(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "not", "there")
	m := mediahost.New(dir)
	_, err := m.Scan(t.Context())
	coretest.WantKind(t, err, fault.NotFound)
	_, err = m.Stat("a")
	coretest.WantKind(t, err, fault.NotFound)
	if changed, err := m.Trash("a", host.MediaFile{}); !changed || err != nil {
		t.Errorf("trash: changed %v, %v", changed, err)
	}
	coretest.Must(t, m.Expire(time.Now()))
	coretest.Must(t, m.Flush(t.Context()))
	if _, err := os.Stat(dir); err == nil {
		t.Fatal("looking created the folder")
	}
	s := store{m, dir}
	s.install(t, "a", "1", nil)
	coretest.Must(t, os.RemoveAll(filepath.Join(dir, mediahost.Folder)))
	_, err = m.Scan(t.Context())
	coretest.WantKind(t, err, fault.NotFound)
	s.install(t, "a", "2", nil)
	s.want(t, "a", "2")
}

// TestOldDrafts: what a killed run left goes with the first new draft, and nothing else.
func TestOldDrafts(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	old := mediahost.New(s.dir)
	d, err := old.Create() // and then the process is killed
	coretest.Must(t, err)
	_, err = d.Write([]byte("half"))
	coretest.Must(t, err)
	coretest.Must(t, os.WriteFile(filepath.Join(s.dir, "cardferry.tmp", "upload.zst"), []byte("the core's own"), 0o600))
	s.install(t, "a", "1", nil)
	s.install(t, "b", "2", nil)
	if got := tree(t, s.dir); got != "cardferry.tmp/upload.zst collection.media/a collection.media/b" {
		t.Errorf("left: %s", got)
	}
}

// TestNothingElseIsWritten is contract §2.
func TestNothingElseIsWritten(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	a := s.install(t, "a", "1", nil)
	a = s.install(t, "a", "2", &a)
	s.install(t, "b", "3", nil)
	_, err := s.Trash("a", a)
	coretest.Must(t, err)
	coretest.Must(t, s.Flush(t.Context()))
	day := time.Now().UTC().Format(time.DateOnly)
	want := strings.ReplaceAll("cardferry.trash/DAY/a cardferry.trash/DAY (2)/a collection.media/b", "DAY", day)
	if got := tree(t, s.dir); got != want {
		t.Errorf("the profile has %s", got)
	}
	// A folder that is no day of ours stays, and so does a younger one.
	for _, name := range []string{"2020-01-01", "2020-01-01 (2)", "2020-01-02", "keep", "2020-13-01"} {
		coretest.Must(t, os.Mkdir(filepath.Join(s.dir, "cardferry.trash", name), 0o700))
		coretest.Must(t, os.WriteFile(filepath.Join(s.dir, "cardferry.trash", name, "x"), nil, 0o600))
	}
	coretest.Must(t, s.Expire(time.Date(2020, 1, 2, 0, 0, 0, 0, time.UTC)))
	want = "cardferry.trash/2020-01-02/x cardferry.trash/2020-13-01/x " + strings.Replace(want, " collection", " cardferry.trash/keep/x collection", 1)
	if got := tree(t, s.dir); got != want {
		t.Errorf("after Expire the profile has %s", got)
	}
}

// tree returns the paths of all files, sorted.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var list []string
	coretest.Must(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			path, err = filepath.Rel(dir, path)
			list = append(list, path)
		}
		return err
	}))
	return strings.Join(list, " ")
}

func (s store) install(t testing.TB, name, content string, seen *host.MediaFile) host.MediaFile {
	t.Helper()
	now, changed, err := s.tryInstall(t, name, content, seen)
	if err != nil || changed {
		t.Fatalf("install %q: changed %v, %v", name, changed, err)
	}
	return now
}

func (s store) tryInstall(t testing.TB, name, content string, seen *host.MediaFile) (host.MediaFile, bool, error) {
	t.Helper()
	d, err := s.Create()
	coretest.Must(t, err)
	defer d.Discard()
	_, err = d.Write([]byte(content))
	coretest.Must(t, err)
	return d.Install(name, seen)
}

func (s store) want(t testing.TB, name, content string) {
	t.Helper()
	if got, err := os.ReadFile(s.path(name)); string(got) != content || err != nil {
		t.Fatalf("%s has %.60q, %v; want %.60q", name, got, err, content)
	}
}

func TestWindowsNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"con", "CON.txt", "con .txt", "aux.tar.gz", "nul", "Prn.x", "com1", "LPT9.png", "com0", "com¹.x", "conin$", "CONOUT$.a", `a\b`, `..\x`, "C:x",
		"a:b", "a*", "a?", `a"`, "a<b", "a|b", "a\x1fb", "end.", "end ", "...",
	} {
		if !mediahost.WindowsRefuses(name) {
			t.Errorf("%q is not refused", name)
		}
	}
	for _, name := range []string{"console.txt", "con_", "com10", "lpt", ".con", "a.con", "ünï.png", "a b", " a", "a\u0085b", "clock$"} {
		if mediahost.WindowsRefuses(name) {
			t.Errorf("%q is refused", name)
		}
	}
}

// TestSpelling: on a disk that ignores case a name finds a file of another spelling, and must not be taken for it.
func TestSpelling(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"A.PNG", "E\u0301.PNG", "e\u0301.png", "Both.x", "bOTH.X", "1.2"} {
		coretest.Must(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
	}
	coretest.Must(t, os.Remove(filepath.Join(dir, "bOTH.X")))
	coretest.Must(t, os.Link(filepath.Join(dir, "Both.x"), filepath.Join(dir, "bOTH.X")))
	for _, c := range []struct {
		name, found string
		want        bool
	}{
		{"A.PNG", "A.PNG", true},
		{"a.png", "A.PNG", false},
		{"é.png", "e\u0301.png", false},
		{"e\u0301.png", "e\u0301.png", true},
		{"Both.x", "Both.x", true},
		{"1.2", "1.2", true},
	} {
		if got, err := mediahost.IsExact(dir, c.name, c.found); got != c.want || err != nil {
			t.Errorf("%q finding %q: exact %v, %v", c.name, c.found, got, err)
		}
	}
}

// TestDraftsFolderIsRemoved: a user clears it away during a run, or the store is closed and used again.
func TestDraftsFolderIsRemoved(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	a := s.install(t, "a", "1", nil)
	coretest.Must(t, os.RemoveAll(filepath.Join(s.dir, "cardferry.tmp")))
	a = s.install(t, "a", "2", &a)
	s.Close()
	s.Close()
	a = s.install(t, "a", "3", &a)
	coretest.Must(t, os.RemoveAll(filepath.Join(s.dir, "cardferry.trash")))
	s.install(t, "a", "4", &a)
	s.want(t, "a", "4")
}

// TestFolderReplaced: the folder that installed files go to is another one all of a sudden, and then gone.
func TestFolderReplaced(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	for i, name := range []string{"a", "b", "c", "d"} {
		if _, changed, err := s.tryInstall(t, name, name, nil); err != nil || changed {
			t.Fatal(name, changed, err)
		}
		if _, err := os.Stat(s.path(name)); err != nil {
			t.Error(err)
		}
		switch i {
		case 0:
			coretest.Must(t, s.Flush(t.Context()))
		case 1:
			coretest.Must(t, os.Rename(s.path(""), filepath.Join(s.dir, "moved")))
			coretest.Must(t, os.Mkdir(s.path(""), 0o755))
		case 2:
			coretest.Must(t, os.RemoveAll(s.path("")))
		}
	}
	coretest.Must(t, s.Flush(t.Context()))
}
