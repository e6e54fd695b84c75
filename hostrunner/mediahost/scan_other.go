//go:build !linux

package mediahost

import (
	"io/fs"
	"os"
	"slices"
	"strings"
)

// entry is a name in a folder. It keeps what the system tells with it: on Windows that is all of it.
type entry struct{ fs.DirEntry }

func (e entry) name() string { return e.Name() }

func sortEntries(list []entry) {
	slices.SortFunc(list, func(a, b entry) int { return strings.Compare(a.Name(), b.Name()) })
}

func readEntries(dir *os.File, n int) ([]entry, error) {
	list, err := dir.ReadDir(n)
	entries := make([]entry, len(list))
	for i, e := range list {
		entries[i] = entry{e}
	}
	return entries, err
}

// look describes a file without following links.
func (f *folder) look(e entry) found {
	info, err := e.Info()
	if err != nil {
		return found{err: err}
	}
	r := found{seen: seenAs(info), folder: info.IsDir(), regular: info.Mode().IsRegular()}
	const all = 0o444
	if r.regular && info.Mode()&all != all {
		file, err := f.root.OpenFile(e.Name(), os.O_RDONLY|dontWait, 0)
		if r.regular = err == nil; r.regular {
			err = file.Close()
		}
	}
	return r
}
