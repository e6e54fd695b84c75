//go:build unix

package filehost_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/hostrunner/filehost"
	"github.com/cardferry/cardferry/hostrunner/hosttest"
)

func TestMissingFolder(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "not", "there")
	f := filehost.New(dir, nil)
	_, err := f.Stat(host.Collection)
	coretest.WantKind(t, err, fault.NotFound)
	coretest.Must(t, f.Remove(host.Collection))
	if list, err := f.List(""); len(list) != 0 || err != nil {
		t.Errorf("list: %v, %v", list, err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("looking created the folder")
	}
	coretest.Must(t, coretest.WriteFile(f, "cardferry.tmp/a", nil))
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder: %v, %v", info, err)
	}
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := filehost.New(dir, nil)
	mode := func(name string) os.FileMode {
		t.Helper()
		info, err := os.Stat(filepath.Join(dir, name))
		coretest.Must(t, err)
		return info.Mode().Perm()
	}
	coretest.Must(t, coretest.WriteFile(f, "cardferry.tmp/a", []byte("1")))
	if m := mode("cardferry.tmp/a"); m != 0o600 {
		t.Errorf("a staged file has %v", m)
	}
	if m := mode("cardferry.tmp"); m != 0o700 {
		t.Errorf("the staging folder has %v", m)
	}
	coretest.Must(t, f.Replace("cardferry.tmp/a", host.Collection))
	if m := mode(host.Collection); m != 0o644 {
		t.Errorf("a new collection has %v", m)
	}
	coretest.Must(t, os.Chmod(filepath.Join(dir, host.Collection), 0o640))
	coretest.Must(t, coretest.WriteFile(f, "cardferry.tmp/b", []byte("2")))
	coretest.Must(t, f.Replace("cardferry.tmp/b", host.Collection))
	if m := mode(host.Collection); m != 0o640 {
		t.Errorf("a replaced collection has %v", m)
	}
}

// TestLinks: nothing leads out of the folder, whatever is in it.
func TestLinks(t *testing.T) {
	t.Parallel()
	outside, dir := t.TempDir(), t.TempDir()
	coretest.Must(t, os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), 0o600))
	for name, target := range map[string]string{
		"file": filepath.Join(outside, "secret"), "folder": outside, "relative": "../" + filepath.Base(outside) + "/secret", "dangling": "nowhere",
	} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Skip(err)
		}
	}
	f := filehost.New(dir, nil)
	for _, name := range []string{"file", "folder", "folder/secret", "relative", "dangling"} {
		if got, err := coretest.ReadFile(f, name); err == nil {
			t.Errorf("%s was read: %q", name, got)
		}
		if _, err := f.Stat(name); err == nil {
			t.Errorf("%s was found", name)
		}
	}
	if err := coretest.WriteFile(f, "folder/new", nil); err == nil {
		t.Error("a file was created outside")
	}
	if list, err := f.List(""); len(list) != 0 || err != nil {
		t.Errorf("listed: %v, %v", list, err)
	}
	if err := f.Remove("folder/secret"); err == nil {
		t.Error("a file outside was removed")
	}
	coretest.Must(t, coretest.WriteFile(f, "file", []byte("own"))) // replaces the link, not what it leads to
	coretest.Must(t, f.Remove("relative"))
	if got, err := os.ReadFile(filepath.Join(outside, "secret")); string(got) != "secret" {
		t.Errorf("the file outside has %q, %v", got, err)
	}
	if entries, _ := os.ReadDir(outside); len(entries) != 1 {
		t.Errorf("%d entries outside", len(entries))
	}
}

func TestSpecialFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := filehost.New(dir, nil)
	coretest.Must(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600))
	coretest.Must(t, os.Mkdir(filepath.Join(dir, "folder"), 0o700))
	for _, name := range []string{"pipe", "folder"} {
		_, err := f.Open(name)
		coretest.WantKind(t, err, fault.UnsupportedFile)
	}
	coretest.WantKind(t, f.Remove("folder"), fault.InvalidInput)
	if _, err := f.Create("folder"); err == nil {
		t.Error("a folder was replaced by a file")
	}
	if err := f.Replace("folder", "x"); err == nil {
		t.Error("a folder was staged")
	}
}

// TestReplaceSettlesFirst: the journals are dealt with before the name changes, and what cannot be settled stops it.
func TestReplaceSettlesFirst(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		journals []string // beside the old file, with content
		settle   func(dir string) error
		kind     fault.Kind
		settled  []string
	}{
		{name: "no journals"},
		{name: "log", journals: []string{"-wal", "-shm"}, settle: removeJournals, settled: []string{host.Collection}},
		{name: "hot journal", journals: []string{"-journal"}, settle: removeJournals, settled: []string{host.Collection}},
		{name: "settle fails", journals: []string{"-wal"}, settle: func(string) error { return fault.New(fault.Busy, "in use") },
			kind: fault.Busy, settled: []string{host.Collection}},
		{name: "settle leaves a log", journals: []string{"-wal"}, settle: func(string) error { return nil },
			kind: fault.Busy, settled: []string{host.Collection}},
		{name: "no settle", journals: []string{"-wal"}, kind: fault.Busy},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			var settled []string
			settle := func(path string) error {
				settled = append(settled, filepath.Base(path))
				if got, err := os.ReadFile(path); string(got) != "old" {
					t.Errorf("settled after the new file was in place: %q, %v", got, err)
				}
				return c.settle(path)
			}
			if c.settle == nil {
				settle = nil
			}
			for _, suffix := range c.journals {
				coretest.Must(t, os.WriteFile(filepath.Join(dir, host.Collection+suffix), []byte("journal"), 0o600))
			}
			f := filehost.New(dir, settle)
			coretest.Must(t, os.WriteFile(filepath.Join(dir, host.Collection), []byte("old"), 0o600))
			coretest.Must(t, coretest.WriteFile(f, "cardferry.tmp/new", []byte("new")))
			err := f.Replace("cardferry.tmp/new", host.Collection)
			if fault.KindOf(err) != c.kind {
				t.Fatalf("replace: %v", err)
			}
			if !slices.Equal(settled, c.settled) {
				t.Errorf("settled: %q", settled)
			}
			want, journals := "new", 0
			if c.kind != 0 {
				want, journals = "old", len(c.journals)
			}
			if got, err := coretest.ReadFile(f, host.Collection); string(got) != want {
				t.Errorf("the file has %q, %v", got, err)
			}
			list, err := f.List(host.Collection + "-")
			coretest.Must(t, err)
			if len(list) != journals {
				t.Errorf("journals: %v", list)
			}
		})
	}
}

func removeJournals(path string) error {
	for _, suffix := range []string{"-wal", "-shm", "-journal"} {
		os.Remove(path + suffix)
	}
	return nil
}

func TestReplaceIgnoresEmptyAndOrphanedJournals(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := filehost.New(dir, nil)
	// Of a main file that is gone: a journal that would be replayed into the new one.
	coretest.Must(t, os.WriteFile(filepath.Join(dir, host.Collection+"-wal"), []byte("stale"), 0o600))
	coretest.Must(t, coretest.WriteFile(f, "cardferry.tmp/new", []byte("new")))
	coretest.Must(t, f.Replace("cardferry.tmp/new", host.Collection))
	// Empty ones.
	coretest.Must(t, os.WriteFile(filepath.Join(dir, host.Collection+"-wal"), nil, 0o600))
	coretest.Must(t, coretest.WriteFile(f, "cardferry.tmp/new", []byte("newer")))
	coretest.Must(t, f.Replace("cardferry.tmp/new", host.Collection))
	if list, err := f.List(""); len(list) != 1 || list[0].Size != 5 {
		t.Errorf("left: %v, %v", list, err)
	}
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	f := filehost.New(hosttest.TinyDisk(t, 256<<10), nil)
	coretest.Must(t, coretest.WriteFile(f, host.Collection, []byte("old")))
	file, err := f.Create("cardferry.tmp/big")
	coretest.Must(t, err)
	defer file.Close()
	for i := 0; err == nil && i < 1000; i++ {
		_, err = file.Write(make([]byte, 10_000))
	}
	coretest.WantKind(t, err, fault.StorageFull)
	coretest.Must(t, f.Remove("cardferry.tmp/big"))
	coretest.Must(t, file.Close())
	coretest.Must(t, file.Close())
	if got, err := coretest.ReadFile(f, host.Collection); string(got) != "old" || err != nil {
		t.Errorf("the collection has %q, %v", got, err)
	}
}

func TestReadOnlyFolder(t *testing.T) {
	if !hosttest.Unprivileged(t) {
		return
	}
	dir := t.TempDir()
	f := filehost.New(dir, nil)
	coretest.Must(t, coretest.WriteFile(f, host.Collection, []byte("old")))
	coretest.Must(t, coretest.WriteFile(f, "cardferry.tmp/new", []byte("new")))
	coretest.Must(t, coretest.WriteFile(f, "cardferry.secret", []byte("x")))
	coretest.Must(t, os.Chmod(filepath.Join(dir, "cardferry.secret"), 0))
	coretest.Must(t, os.Chmod(dir, 0o555))
	t.Cleanup(func() { os.Chmod(dir, 0o700) })
	_, create := f.Create("new")
	_, folder := f.Create("new/new")
	_, open := f.Open("cardferry.secret")
	for i, err := range []error{
		create, folder, open, f.Remove(host.Collection), f.Replace("cardferry.tmp/new", host.Collection),
	} {
		if fault.KindOf(err) != fault.NotWritable {
			t.Errorf("step %d: %v", i, err)
		}
	}
	if got, err := coretest.ReadFile(f, host.Collection); string(got) != "old" || err != nil {
		t.Errorf("the collection has %q, %v", got, err)
	}
	locked := filehost.New(filepath.Join(dir, "sub"), nil)
	_, err := locked.Create("x")
	coretest.WantKind(t, err, fault.NotWritable)
	coretest.Must(t, os.Chmod(dir, 0))
	_, err = f.Stat(host.Collection)
	coretest.WantKind(t, err, fault.NotWritable)
	_, err = f.List("")
	coretest.WantKind(t, err, fault.NotWritable)
}

func TestErrorsDoNotShowTheFolder(t *testing.T) {
	t.Parallel()
	f := filehost.New(t.TempDir(), nil)
	_, err := f.Open("cardferry.tmp/none")
	if got := fmt.Sprint(err); got != "find cardferry.tmp/none: no such file or directory" {
		t.Errorf("message %q", got)
	}
}
