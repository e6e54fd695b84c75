package mediahost

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
)

var _ host.MediaDraft = (*draft)(nil)

const (
	// drafts is where files are written before they get their names.
	drafts = "cardferry.tmp/media"
	// nearDrafts is the same inside the media folder, used only if that is on another disk. Sync and the media check of
	// Anki leave folders in it alone, and with its brackets no media file can have the name (media-sync.md §8.1).
	nearDrafts = "cardferry.[tmp]"
)

// draft is a file that is being written.
type draft struct {
	m    *Media
	in   *folder
	near bool // in is the draft's own, in the media folder
	name string
	file *os.File // nil when the draft has ended
	sums *sums
}

// Create begins a file (see host.Media).
func (m *Media) Create() (host.MediaDraft, error) {
	d, err := m.create()
	if err != nil {
		return nil, err
	}
	return d, nil
}

func (m *Media) create() (*draft, error) {
	in, err := m.draftsFolder()
	if err != nil {
		return nil, err
	}
	d, err := m.createIn(in)
	if errors.Is(err, fs.ErrNotExist) { // the folder was removed while it was open
		m.forget(in)
		if in, err = m.draftsFolder(); err != nil {
			return nil, err
		}
		d, err = m.createIn(in)
	}
	if err != nil {
		return nil, convert(err, "create", "draft")
	}
	return d, nil
}

// draftsFolder returns the folder for drafts, empty at first.
func (m *Media) draftsFolder() (*folder, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.in != nil {
		return m.in, nil
	}
	in, err := m.own(drafts)
	if err != nil {
		return nil, err
	}
	// Several drafts use it at the same time: nothing in it is opened later.
	dir, err := in.dir()
	if err == nil && !m.cleaned {
		err = m.clean(in, dir)
	}
	if err != nil {
		in.close()
		return nil, convert(err, "open", drafts)
	}
	m.in, m.cleaned = in, true
	return in, nil
}

// forget lets the next draft open the folder anew. It is not closed, since older drafts may be in it.
func (m *Media) forget(in *folder) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.in == in {
		m.in = nil
	}
}

// createIn makes an empty draft.
func (m *Media) createIn(in *folder) (*draft, error) {
	for {
		m.mu.Lock()
		m.drafts++
		name := strconv.Itoa(m.drafts)
		m.mu.Unlock()
		// As open to others as the user's documents; the folder is private.
		file, err := in.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR|os.O_APPEND, 0o644)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return &draft{m: m, in: in, name: name, file: file, sums: newSums()}, nil
	}
}

// clean removes the drafts of a run that was killed.
func (m *Media) clean(in *folder, dir *os.File) error {
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := in.root.RemoveAll(name); err != nil {
			return err
		}
	}
	f, err := m.open()
	switch fault.KindOf(err) {
	case 0:
		defer f.close()
		return f.root.RemoveAll(nearDrafts)
	case fault.NotFound, fault.NotWritable: // the draft's business only when it is installed
		return nil
	}
	return err
}

// Copy begins a file with the content of another (see host.Media).
func (m *Media) Copy(name string, seen host.MediaFile) (_ host.MediaDraft, changed bool, err error) {
	file, info, err := m.openFile(name)
	if fault.KindOf(err) == fault.NotFound {
		return nil, true, nil
	}
	if err != nil {
		return nil, false, err
	}
	defer file.Close()
	if !isAs(info, seen) {
		return nil, true, nil
	}
	d, err := m.create()
	if err != nil {
		return nil, false, err
	}
	if err := copyUntil(context.Background(), d, file, seen.Size); err != nil {
		d.Discard()
		return nil, false, convert(err, "copy", name)
	}
	if after, err := m.Stat(name); err != nil || after != seen || d.sums.size != seen.Size {
		d.Discard()
		return nil, true, nil
	}
	return d, false, nil
}

func errEnded() error { return fault.New(fault.Other, "the draft has ended") }

// Write appends.
func (d *draft) Write(p []byte) (int, error) {
	if d.file == nil {
		return 0, errEnded()
	}
	n, err := d.file.Write(p)
	_, _ = d.sums.Write(p[:n])
	return n, convert(err, "write", "draft")
}

// Sum returns size and sums of what was written.
func (d *draft) Sum() (int64, host.MediaSum, error) {
	if d.file == nil {
		return 0, host.MediaSum{}, errEnded()
	}
	return d.sums.size, d.sums.sum(), nil
}

// Discard ends the draft.
func (d *draft) Discard() {
	if d.file == nil {
		return
	}
	_ = d.file.Close()
	_ = d.in.root.Remove(d.name) // what is left of it, the next run removes
	d.release()
}

func (d *draft) release() {
	d.file = nil
	if d.near {
		d.in.close()
	}
}

// Install makes the draft the content of name (see host.MediaDraft).
func (d *draft) Install(name string, seen *host.MediaFile) (now host.MediaFile, changed bool, err error) {
	if err := checkName(name); err != nil {
		return now, false, err
	}
	if d.file == nil {
		return now, false, errEnded()
	}
	to, err := d.m.target()
	if err != nil {
		return now, false, err
	}
	defer to.close()
	if now, err = d.date(); err != nil {
		return now, false, convert(err, "install", name)
	}
	changed, err = d.place(to, name, seen)
	if errors.Is(err, syscall.EXDEV) {
		// The folder is on another disk, and only within one a file gets its name in one step.
		if err = d.moveNear(to); err == nil {
			defer removeNear(to)
			if now, err = d.date(); err == nil {
				changed, err = d.place(to, name, seen)
			}
		}
	}
	if err != nil || changed {
		return host.MediaFile{}, changed, convert(err, "install", name)
	}
	d.m.pending.add(to, name)
	_ = d.file.Close() // it was never buffered here; Flush tells what the disk says
	d.release()
	return now, false, nil
}

// date gives the file a time of its own, to the nanosecond: the system's, which moves in steps, could be the same after
// another program has written the file anew (see settled). It returns how the file will be seen.
func (d *draft) date() (host.MediaFile, error) {
	now := time.Now()
	if err := d.in.root.Chtimes(d.name, now, now); err != nil {
		return host.MediaFile{}, err
	}
	info, err := d.file.Stat()
	if err != nil {
		return host.MediaFile{}, err
	}
	return seenAs(info), nil
}

// place moves the draft to its name, if that is still as it was seen. A kill or a power cut at any point leaves the old or the new
// content there, and the old one in the trash before it goes.
func (d *draft) place(to *folder, name string, seen *host.MediaFile) (changed bool, err error) {
	if seen == nil {
		err := d.m.moveNew(d.in, d.name, to, name)
		if errors.Is(err, fs.ErrExist) {
			return true, nil
		}
		return false, err
	}
	if changed, err := to.changed(name, seen); changed || err != nil {
		return changed, err
	}
	if err := d.file.Sync(); err != nil {
		return false, err
	}
	if info, err := to.root.Lstat(name); err == nil {
		_ = d.file.Chmod(info.Mode().Perm()) // some file systems have no permissions
	}
	kept, changed, err := d.m.keep(to, name, *seen)
	if changed || err != nil {
		return changed, err
	}
	defer kept.close()
	done, err := d.m.replace(d.in, d.name, to, name, *seen)
	if !done {
		_ = kept.root.Remove(name) // the same is still in its place
		return err == nil, err
	}
	d.m.pending.add(kept, "")
	return false, err
}

// replace puts a draft over a file that is as seen, which goes. done is false if that is still there, or what another
// program has put there.
func (m *Media) replace(from *folder, draft string, to *folder, name string, seen host.MediaFile) (done bool, err error) {
	err = m.moves.exchange(from, draft, to, name)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		if changed, err := to.changed(name, &seen); changed || err != nil {
			return false, err
		}
		err := m.moves.rename(from, draft, to, name)
		return err == nil, err
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	}
	if old, err := from.root.Lstat(draft); err != nil || !isAs(old, seen) { // another program's, from a moment ago
		err = m.moves.exchange(from, draft, to, name)
		return err != nil, err
	}
	_ = from.root.Remove(draft) // it is in the trash; what is left of it here, the next run removes
	return true, nil
}

// moveNear copies the draft into a folder in the media folder.
func (d *draft) moveNear(to *folder) error {
	if err := to.root.MkdirAll(nearDrafts, 0o700); err != nil {
		return err
	}
	in, err := openSub(to.root, nearDrafts)
	if err != nil {
		return err
	}
	near, err := d.m.createIn(in)
	if err != nil {
		in.close()
		return err
	}
	near.near, near.sums = true, d.sums
	if _, err := io.Copy(near.file, io.NewSectionReader(d.file, 0, d.sums.size)); err != nil {
		near.Discard()
		return err
	}
	d.Discard()
	*d = *near
	return nil
}

// removeNear removes the folder of moveNear unless there are other drafts in it.
func removeNear(to *folder) { _ = to.root.Remove(nearDrafts) }
