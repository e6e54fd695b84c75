package mediahost

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/cardferry/cardferry/core/host"
)

const (
	trash = "cardferry.trash"
	// trashDay is how the trash's folders are named: a person finds a file by its day and name.
	trashDay = time.DateOnly
)

// Trash moves a file to the trash (see host.Media).
func (m *Media) Trash(name string, seen host.MediaFile) (changed bool, err error) {
	if err := checkName(name); err != nil {
		return false, err
	}
	from, err := m.open()
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return true, nil
		}
		return false, err
	}
	defer from.close()
	if changed, err := from.changed(name, &seen); changed || err != nil {
		return changed, convert(err, "trash", name)
	}
	changed, err = m.trash(from, name, seen)
	return changed, convert(err, "trash", name)
}

func (m *Media) trash(from *folder, name string, seen host.MediaFile) (changed bool, err error) {
	to, err := m.inTrash(func(to *folder) error { return m.moveNew(from, name, to, name) })
	switch {
	case err == nil:
		defer to.close()
		moved, err := to.root.Lstat(name)
		if err != nil || isAs(moved, seen) {
			m.pending.add(to, "")
			m.pending.add(from, "")
			return false, err
		}
		// Another program wrote it a moment ago. If by now there is yet another, it stays in the trash.
		if err := m.moveNew(to, name, from, name); err != nil && !errors.Is(err, fs.ErrExist) {
			return true, err
		}
		return true, nil
	case errors.Is(err, fs.ErrNotExist):
		return true, nil
	case !errors.Is(err, syscall.EXDEV):
		return false, err
	}
	kept, changed, err := m.keep(from, name, seen)
	if changed || err != nil {
		return changed, err
	}
	defer kept.close()
	changed, err = from.changed(name, &seen)
	if err == nil && !changed {
		err = from.root.Remove(name)
	}
	if err != nil || changed {
		_ = kept.root.Remove(name)
		return changed, err
	}
	m.pending.add(kept, "")
	m.pending.add(from, "")
	return false, nil
}

// keep puts a file into the trash and leaves it where it is: as a second link, or as a copy on disks that have none. It
// returns the trash's folder with it.
func (m *Media) keep(from *folder, name string, seen host.MediaFile) (kept *folder, changed bool, err error) {
	kept, err = m.inTrash(func(to *folder) error {
		err := m.moves.link(from, name, to, name)
		if err == nil || errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return copyFile(from, name, to, name)
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, true, nil
	}
	if err != nil {
		return nil, false, err
	}
	info, err := kept.root.Lstat(name)
	if err == nil && isAs(info, seen) {
		return kept, false, nil
	}
	_ = kept.root.Remove(name)
	kept.close()
	return nil, err == nil, err
}

// inTrash runs put with the first of today's folders that has room for the name: put fails with fs.ErrExist in others. It
// returns that folder.
func (m *Media) inTrash(put func(*folder) error) (*folder, error) {
	day := time.Now().UTC().Format(trashDay)
	for n := 1; ; n++ {
		name := day
		if n > 1 {
			name = fmt.Sprintf("%s (%d)", day, n)
		}
		to, err := m.own(trash + "/" + name)
		if err != nil {
			return nil, err
		}
		if err = put(to); err == nil {
			return to, nil
		}
		to.close()
		if !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
	}
}

// copyFile copies a file with its time of modification. The copy is there whole or not at all.
func copyFile(from *folder, name string, to *folder, as string) (err error) {
	in, info, err := from.openFile(name)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := to.root.OpenFile(as, os.O_CREATE|os.O_EXCL|os.O_WRONLY, info.Mode().Perm())
	if err != nil {
		return err
	}
	err = copyUntil(context.Background(), out, in, info.Size())
	if err == nil {
		err = out.Sync() // soon it is the only one
	}
	err = errors.Join(err, out.Close())
	if err == nil {
		err = to.root.Chtimes(as, info.ModTime(), info.ModTime())
	}
	if err != nil {
		_ = to.root.Remove(as)
	}
	return err
}

// Expire deletes what was put into the trash before t, counted in days (see host.Media).
func (m *Media) Expire(t time.Time) error {
	root, err := os.OpenRoot(m.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return convert(err, "open", "profile folder")
	}
	defer root.Close()
	days, err := fs.ReadDir(root.FS(), trash)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return convert(err, "list", trash)
	}
	for _, d := range days {
		name, _, _ := strings.Cut(d.Name(), " (")
		day, err := time.Parse(trashDay, name)
		if err != nil || day.AddDate(0, 0, 1).After(t) {
			continue
		}
		if err := root.RemoveAll(trash + "/" + d.Name()); err != nil {
			return convert(err, "empty", trash)
		}
	}
	return nil
}
