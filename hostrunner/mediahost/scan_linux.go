package mediahost

import (
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// entry is a name in a folder. Names are asked for without their types, which a look at the file tells again.
type entry string

func (e entry) name() string { return string(e) }

func sortEntries(list []entry) { slices.Sort(list) }

func readEntries(dir *os.File, n int) ([]entry, error) {
	names, err := dir.Readdirnames(n)
	entries := make([]entry, len(names))
	for i, name := range names {
		entries[i] = entry(name)
	}
	return entries, err
}

// look describes a file without following links. It is os.Root.Lstat without its detours.
func (f *folder) look(e entry) (r found) {
	var st unix.Stat_t
	dir := int(f.file.Fd()) // open since the names were read
	if r.err = unix.Fstatat(dir, e.name(), &st, unix.AT_SYMLINK_NOFOLLOW); r.err != nil {
		return r
	}
	kind := st.Mode & unix.S_IFMT
	r.folder, r.regular = kind == unix.S_IFDIR, kind == unix.S_IFREG
	r.seen.Size, r.seen.Modified = st.Size, st.Mtim.Nano()
	const all = 0o444
	if r.regular && st.Mode&all != all {
		r.regular = unix.Faccessat(dir, e.name(), unix.R_OK, unix.AT_EACCESS) == nil
	}
	return r
}
