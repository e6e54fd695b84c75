package mediahost

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
)

// folder is an opened folder with files in it. Names handed to its methods have passed checkName, or are our own.
type folder struct {
	root *os.Root
	path string
	// others counts those who have to close it before it is closed, besides the last one.
	others atomic.Int32

	mu   sync.Mutex
	file *os.File // the same folder as a file; nil until it is needed
}

// openFolder opens a folder; its own name may be a link.
func openFolder(path string) (*folder, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	return &folder{root: root, path: path}, nil
}

// openSub opens a folder below another one, which no link leads out of.
func openSub(in *os.Root, name string) (*folder, error) {
	root, err := in.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	return &folder{root: root, path: filepath.Join(in.Name(), filepath.FromSlash(name))}, nil
}

// dir returns the folder as a file.
func (f *folder) dir() (*os.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		file, err := f.root.Open(".")
		if err != nil {
			return nil, err
		}
		f.file = file
	}
	return f.file, nil
}

func (f *folder) close() {
	if f.others.Add(-1) >= 0 {
		return
	}
	if f.file != nil {
		_ = f.file.Close() // read only: nothing can be lost
	}
	_ = f.root.Close()
}

// find describes a regular file that has exactly this name.
func (f *folder) find(name string) (fs.FileInfo, error) {
	info, err := f.root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fault.New(fault.NotFound, "it is not a file")
	}
	exact, err := f.isExact(name, info)
	if err == nil && !exact {
		err = fault.New(fault.NotFound, "it is spelled differently")
	}
	return info, err
}

// changed compares what a name has now with how the core saw it; nil is nothing.
func (f *folder) changed(name string, seen *host.MediaFile) (bool, error) {
	info, err := f.root.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return seen != nil, nil
	case err != nil:
		return false, err
	case seen == nil || !isAs(info, *seen):
		return true, nil
	}
	exact, err := f.isExact(name, info)
	return !exact, err
}

// isAs reports whether a file is a regular one and as it was seen.
func isAs(info fs.FileInfo, seen host.MediaFile) bool {
	return info.Mode().IsRegular() && seenAs(info) == seen
}

// isExact reports whether the file found under a name has exactly that name. On disks that ignore case (Windows, Apple,
// FAT) "A.png" finds a.png, and taking one for the other would sync, replace or trash the wrong file (media-sync.md,
// trap 17); Apple's take composed and decomposed letters for one as well. Only if another spelling finds the same file,
// the folder has to be read.
func (f *folder) isExact(name string, info fs.FileInfo) (bool, error) {
	for _, other := range [...]string{otherCase(name), norm.NFD.String(name)} {
		if other == name {
			continue
		}
		twin, err := f.root.Lstat(other)
		if err == nil && os.SameFile(info, twin) {
			return f.lists(name)
		}
	}
	return true, nil
}

// otherCase returns a name that a disk ignoring case holds for the same one.
func otherCase(name string) string {
	return strings.Map(func(r rune) rune {
		if upper := unicode.ToUpper(r); upper != r {
			return upper
		}
		return unicode.ToLower(r)
	}, name)
}

// lists reports whether the folder's list has the name.
func (f *folder) lists(name string) (bool, error) {
	dir, err := f.root.Open(".")
	if err != nil {
		return false, err
	}
	defer dir.Close()
	for {
		const batch = 1000
		names, err := dir.Readdirnames(batch)
		if slices.Contains(names, name) {
			return true, nil
		}
		if err == io.EOF {
			return false, nil
		}
		if err != nil {
			return false, err
		}
	}
}

// openFile opens a regular file for reading. The name could get something else between the look and the opening, so both
// must have found the same file; and should it be a pipe, opening does not wait for its other end.
func (f *folder) openFile(name string) (*os.File, fs.FileInfo, error) {
	const attempts = 3
	for range attempts {
		found, err := f.find(name)
		if err != nil {
			return nil, nil, err
		}
		file, err := f.root.OpenFile(name, os.O_RDONLY|dontWait, 0)
		if err != nil {
			return nil, nil, err
		}
		info, err := file.Stat()
		if err == nil && os.SameFile(found, info) {
			return file, info, nil
		}
		if cerr := file.Close(); err != nil {
			return nil, nil, errors.Join(err, cerr)
		}
	}
	return nil, nil, fault.New(fault.Busy, "it keeps being replaced")
}
