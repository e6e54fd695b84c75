// Package mediahost lends a profile's media files to the core: host.Media on the plain folder collection.media, as Anki
// has it.
//
// Nothing leads out of the folder: names are single file names (checkName), every access goes through os.Root or
// the handle of an opened folder, links are never followed, and nothing but a regular file is ever opened, so that a pipe cannot block.
// One link is followed: collection.media itself, which people put on another disk or into a shared folder.
//
// What belongs to us lies beside it in the profile:
//
//	cardferry.tmp/media/        drafts; a killed run's are removed before the first new one
//	cardferry.trash/2026-11-28/ what was replaced or trashed on that day (UTC), under its own name; a second file
//	                            of the name goes to "2026-11-28 (2)", and so on
package mediahost

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/hostrunner/filehost"
)

var _ host.Media = (*Media)(nil)

// Folder is the name of the media folder in a profile.
const Folder = "collection.media"

// Media are the media files of one profile folder. It may be used by several goroutines. A profile must not have two of
// them at a time, since each removes the other's drafts.
type Media struct {
	dir   string
	moves moves

	mu      sync.Mutex
	drafts  int     // counts drafts, for their names
	in      *folder // where drafts are written; kept open, which saves a third of the time of a small file
	cleaned bool    // a killed run's drafts are gone
	// kept is the media folder, open from the first file that is installed to the next flush, and seen what it was then:
	// to open it for each is a third of the work of installing.
	kept    *folder
	seen    fs.FileInfo
	pending pending
}

// New returns the media files of the profile folder dir. Folders are created with the first file.
func New(dir string) *Media { return &Media{dir: dir, moves: systemMoves()} }

// Close releases the folders that are kept open. The media files can be used again after it.
func (m *Media) Close() {
	m.release()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.in != nil {
		m.in.close()
		m.in = nil
	}
}

// release closes the media folder once nobody uses it: a system may refuse to rename, or to take away, what is open.
func (m *Media) release() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.kept != nil {
		m.kept.close()
		m.kept = nil
	}
}

// convert wraps an operating system error with its kind; nil stays nil. Some file systems have names of their own that they
// cannot hold, and say so when they get one.
func convert(err error, step, name string) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return fault.Step(step+" "+name, err)
	}
	if errors.Is(err, syscall.ENAMETOOLONG) || errors.Is(err, syscall.EILSEQ) {
		return fault.Wrap(fault.InvalidInput, fs.ErrInvalid, "%s %s: the disk cannot hold the name", step, name)
	}
	if e, ok := errors.AsType[*os.LinkError](err); ok {
		err = e.Err // without the folder, which the user knows
	}
	return filehost.Convert(err, step+" "+name)
}

// open opens the media folder.
func (m *Media) open() (*folder, error) {
	path := filepath.Join(m.dir, Folder)
	info, err := os.Stat(path) // opening a pipe would block
	if err != nil {
		return nil, convert(err, "find", Folder)
	}
	if !info.IsDir() {
		return nil, fault.New(fault.NotWritable, "%s is not a folder", Folder)
	}
	f, err := openFolder(path)
	return f, convert(err, "open", Folder)
}

// target opens the media folder for a file that is installed, and keeps it open for the next ones.
func (m *Media) target() (*folder, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.kept != nil {
		info, err := os.Stat(m.kept.path)
		if err == nil && os.SameFile(info, m.seen) {
			m.kept.others.Add(1)
			return m.kept, nil
		}
		m.kept.close()
		m.kept = nil
	}
	f, err := m.make()
	if err != nil {
		return nil, err
	}
	if m.seen, err = f.root.Stat("."); err == nil {
		f.others.Add(1)
		m.kept = f
	}
	return f, nil
}

// make is open for a store that may not be there yet.
func (m *Media) make() (*folder, error) {
	f, err := m.open()
	if fault.KindOf(err) != fault.NotFound {
		return f, err
	}
	if err := os.MkdirAll(m.dir, 0o700); err != nil {
		return nil, convert(err, "create", "profile folder")
	}
	// Like any other document of the user; the umask may take more away.
	err = os.Mkdir(filepath.Join(m.dir, Folder), 0o755)
	if errors.Is(err, fs.ErrExist) {
		// It leads nowhere: the disk that it is on is not there.
		return nil, fault.New(fault.NotWritable, "%s is a link to a folder that is not there", Folder)
	}
	if err != nil {
		return nil, convert(err, "create", Folder)
	}
	return m.open()
}

// own opens a folder of ours in the profile, which is made if it is missing.
func (m *Media) own(name string) (*folder, error) {
	f, err := m.openOwn(name)
	if !errors.Is(err, fs.ErrNotExist) {
		return f, convert(err, "open", name)
	}
	if err := os.MkdirAll(m.dir, 0o700); err != nil {
		return nil, convert(err, "create", "profile folder")
	}
	root, err := os.OpenRoot(m.dir)
	if err != nil {
		return nil, convert(err, "open", "profile folder")
	}
	defer root.Close()
	if err := root.MkdirAll(name, 0o700); err != nil {
		return nil, convert(err, "create", name)
	}
	f, err = m.openOwn(name)
	return f, convert(err, "open", name)
}

func (m *Media) openOwn(name string) (*folder, error) {
	root, err := os.OpenRoot(m.dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return openSub(root, name)
}

// Stat describes a regular file (see host.Media).
func (m *Media) Stat(name string) (host.MediaFile, error) {
	if err := checkName(name); err != nil {
		return host.MediaFile{}, err
	}
	f, err := m.open()
	if err != nil {
		return host.MediaFile{}, err
	}
	defer f.close()
	info, err := f.find(name)
	if err != nil {
		return host.MediaFile{}, convert(err, "find", name)
	}
	return seenAs(info), nil
}

// seenAs is how the core sees a file.
func seenAs(info fs.FileInfo) host.MediaFile {
	return host.MediaFile{Size: info.Size(), Modified: info.ModTime().UnixNano()}
}

// Open opens a file for reading (see host.Media).
func (m *Media) Open(name string) (host.File, error) {
	f, _, err := m.openFile(name)
	if err != nil {
		return nil, err
	}
	return &file{filehost.NewFile(f, name), f}, nil
}

// file is an open media file.
type file struct {
	*filehost.File
	f *os.File
}

// Seen returns how the file is seen now, also when the name has got another one.
func (f *file) Seen() (host.MediaFile, error) {
	info, err := f.f.Stat()
	if err != nil {
		return host.MediaFile{}, convert(err, "find", "open media file")
	}
	return seenAs(info), nil
}

// openFile opens a regular file for reading.
func (m *Media) openFile(name string) (*os.File, fs.FileInfo, error) {
	if err := checkName(name); err != nil {
		return nil, nil, err
	}
	f, err := m.open()
	if err != nil {
		return nil, nil, err
	}
	defer f.close()
	file, info, err := f.openFile(name)
	return file, info, convert(err, "open", name)
}
