// Package filehost lends the files of a profile folder to the core: host.Files on a plain directory.
//
// Every access goes through os.Root, so that no name, and no link in the folder, leads out of it.
package filehost

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
)

var _ host.Files = (*Files)(nil)

// journals are what SQLite keeps beside a database.
var journals = []string{"-wal", "-shm", "-journal"}

// Files are the files of one profile folder.
type Files struct {
	dir    string
	settle func(path string) error
}

// New returns the files of the profile folder dir. The folder is created with the first file.
//
// settle is called by Replace for a database with journals beside it: it must bring what is in them into the
// main file and remove them, or fail; sqlitehost.Settle does so. Without it such a database is not replaced.
func New(dir string, settle func(path string) error) *Files {
	return &Files{dir: dir, settle: settle}
}

// open checks the names and opens the folder; it is opened anew each time, since users move and replace folders.
func (h *Files) open(names ...string) (*os.Root, error) {
	for _, name := range names {
		if err := CheckName(name); err != nil {
			return nil, err
		}
	}
	root, err := os.OpenRoot(h.dir)
	return root, Convert(err, "open profile folder")
}

// Create makes an empty file (see host.Files).
func (h *Files) Create(name string) (host.File, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(h.dir, 0o700); err != nil {
		return nil, Convert(err, "create profile folder")
	}
	root, err := h.open(name)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	if err := root.MkdirAll(path.Dir(name), 0o700); err != nil {
		return nil, Convert(err, "create "+name)
	}
	if err := remove(root, name); err != nil {
		return nil, err
	}
	// O_EXCL: a link that appears now is not followed.
	f, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR|os.O_APPEND, Mode(name))
	if err != nil {
		return nil, Convert(err, "create "+name)
	}
	return &File{f: f, name: name}, nil
}

// Open opens an existing file for reading (see host.Files).
func (h *Files) Open(name string) (host.File, error) {
	root, err := h.open(name)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	if _, err := stat(root, name); err != nil {
		return nil, err
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, Convert(err, "open "+name)
	}
	return &File{f: f, name: name}, nil
}

// Stat describes a file (see host.Files).
func (h *Files) Stat(name string) (host.FileInfo, error) {
	root, err := h.open(name)
	if err != nil {
		return host.FileInfo{}, err
	}
	defer root.Close()
	info, err := stat(root, name)
	if err != nil {
		return host.FileInfo{}, err
	}
	return host.FileInfo{Name: name, Size: info.Size(), Modified: info.ModTime()}, nil
}

// stat refuses anything but a regular file, also as the target of a link; opening a pipe would block.
func stat(root *os.Root, name string) (fs.FileInfo, error) {
	info, err := root.Stat(name)
	if err == nil && info.Mode().IsRegular() {
		return info, nil
	}
	if err == nil {
		return nil, fault.New(fault.UnsupportedFile, "%s is not a file", name).WithHint("Move it away, or put the file in its place.")
	}
	if link, lerr := root.Lstat(name); lerr == nil && link.Mode()&fs.ModeSymlink != 0 {
		return nil, fault.New(fault.UnsupportedFile, "%s is a link that cannot be followed (%v)", name, errors.Unwrap(err)).
			WithHint(linkHint)
	}
	return nil, Convert(err, "find "+name)
}

// List returns the files whose names begin with prefix (see host.Files). Links are left out.
func (h *Files) List(prefix string) ([]host.FileInfo, error) {
	if p := strings.TrimSuffix(prefix, "/"); p != "" {
		if err := CheckName(p); err != nil {
			return nil, err
		}
	}
	root, err := h.open()
	if fault.KindOf(err) == fault.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer root.Close()
	var list []host.FileInfo
	err = fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // removed meanwhile
		case err != nil:
			return err
		case entry.IsDir() && !overlaps(name, prefix):
			return fs.SkipDir
		case !entry.Type().IsRegular() || !strings.HasPrefix(name, prefix):
			return nil
		}
		info, err := entry.Info()
		if err == nil {
			list = append(list, host.FileInfo{Name: name, Size: info.Size(), Modified: info.ModTime()})
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	})
	if err != nil {
		return nil, Convert(err, "list files")
	}
	slices.SortFunc(list, func(a, b host.FileInfo) int { return cmp.Compare(a.Name, b.Name) })
	return list, nil
}

// overlaps reports whether a name in the folder dir can begin with prefix.
func overlaps(dir, prefix string) bool {
	if dir == "." {
		return true
	}
	dir += "/"
	return strings.HasPrefix(dir, prefix) || strings.HasPrefix(prefix, dir)
}

// Remove deletes a file and the journals beside it (see host.Files).
func (h *Files) Remove(name string) error {
	root, err := h.open(name)
	if fault.KindOf(err) == fault.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	defer root.Close()
	return remove(root, name)
}

// remove deletes the main file first: without it a journal means nothing, but a main file without its journal has
// lost transactions.
func remove(root *os.Root, name string) error {
	if info, err := root.Lstat(name); err == nil && info.IsDir() {
		return fault.New(fault.InvalidInput, "remove %s: it is a folder", name)
	}
	for _, suffix := range append([]string{""}, journals...) {
		err := root.Remove(name + suffix)
		if err != nil && KindOf(err) != fault.NotFound {
			return Convert(err, "remove "+name+suffix)
		}
	}
	return nil
}

func (h *Files) path(name string) string { return filepath.Join(h.dir, filepath.FromSlash(name)) }
