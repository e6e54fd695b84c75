package filehost

import (
	"errors"
	"io/fs"
	"os"
	"path"

	"github.com/cardferry/cardferry/core/fault"
)

// Replace makes the file staged the content of name (see host.Files).
//
// The order is what makes it safe to lose power at any point. A log of the old database beside the new one
// would be replayed into it, and an old database without its log has lost transactions. So (1) the journals are
// settled: what they have goes into the old main file, and they are removed, durably; (2) the new content is durable;
// (3) it takes the name.
func (h *Files) Replace(staged, name string) error {
	root, err := h.open(staged, name)
	if err != nil {
		return err
	}
	defer root.Close()
	if _, err := stat(root, staged); err != nil {
		return err
	}
	if err := h.settleJournals(root, staged); err != nil {
		return err
	}
	if err := h.settleJournals(root, name); err != nil {
		return err
	}
	if err := root.MkdirAll(path.Dir(name), 0o700); err != nil {
		return Convert(err, "replace "+name)
	}
	if err := flushNew(root, staged, name); err != nil {
		return Convert(err, "replace "+name)
	}
	if err := root.Rename(staged, name); err != nil {
		return Convert(err, "replace "+name)
	}
	err = syncFolder(root, path.Dir(name))
	if from := path.Dir(staged); err == nil && from != path.Dir(name) {
		err = syncFolder(root, from)
	}
	return Convert(err, "replace "+name)
}

// settleJournals leaves no journal beside name, and nothing lost that was in one.
func (h *Files) settleJournals(root *os.Root, name string) error {
	size, found, err := journalSize(root, name)
	if err != nil || !found {
		return err
	}
	if _, err := stat(root, name); size > 0 && err == nil {
		if h.settle == nil {
			return fault.New(fault.Busy, "replace %s: it has a journal", name)
		}
		if err := h.settle(h.path(name)); err != nil {
			return err
		}
		// Checked again: what settle left, and with content, belongs to another program that has the file open.
		if size, _, err = journalSize(root, name); err != nil {
			return err
		}
		if size > 0 {
			return fault.New(fault.Busy, "replace %s: another program has it open", name)
		}
	}
	for _, suffix := range journals {
		if err := root.Remove(name + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return Convert(err, "remove "+name+suffix)
		}
	}
	return Convert(syncFolder(root, path.Dir(name)), "remove journals of "+name)
}

// journalSize returns how much content the journals of name have. The shared memory of a log (-shm) counts like
// content, since a program that has the file open keeps it.
func journalSize(root *os.Root, name string) (size int64, found bool, err error) {
	for _, suffix := range journals {
		info, err := root.Lstat(name + suffix)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return 0, false, Convert(err, "find "+name+suffix)
		}
		found = true
		size += info.Size()
	}
	return size, found, nil
}

// flushNew makes the staged content durable and gives it the permissions of what it replaces.
func flushNew(root *os.Root, staged, name string) error {
	mode := Mode(name)
	if info, err := root.Stat(name); err == nil {
		mode = info.Mode().Perm()
	}
	f, err := root.OpenFile(staged, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Mode().Perm() != mode {
		_ = f.Chmod(mode) // file systems without permissions refuse; the content is what counts
	}
	return f.Sync()
}

// syncFolder makes the names in a folder durable.
func syncFolder(root *os.Root, dir string) error {
	f, err := root.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); KindOf(err) == fault.StorageFull {
		return err
	}
	return nil // not every system can flush a folder
}
