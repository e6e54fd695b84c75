package sqlitehost

import (
	"os"
	"path/filepath"
	"sync"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/filehost"
)

// vfsName is the name under which our layer over go-sqlite3's files is registered.
const vfsName = "cardferry"

// registerVFS registers the layer once in a process; go-sqlite3 finds it by name.
var registerVFS = sync.OnceFunc(func() {
	vfs.Register(vfsName, layer{vfs.Find("os").(vfs.VFSFilename)})
})

// layer mends two things of go-sqlite3 v0.35.6: a full disk comes back as an I/O error whose cause is lost in the
// rollback that follows (osWriteAt looks for a bare errno, os.File returns a *PathError), and the folder of a new journal is not flushed
// (vfsFile.Sync flushes the file twice), so after a loss of power a log with commits in it could have no name.
type layer struct{ vfs.VFSFilename }

// OpenFilename opens a file.
func (l layer) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, out, err := l.VFSFilename.OpenFilename(name, flags)
	if err != nil {
		return nil, out, full(err)
	}
	inner, ok := f.(osFile)
	if !ok {
		return f, out, nil
	}
	const journals = vfs.OPEN_MAIN_JOURNAL | vfs.OPEN_SUPER_JOURNAL | vfs.OPEN_WAL
	file := &file{osFile: inner}
	if flags&vfs.OPEN_CREATE != 0 && flags&journals != 0 {
		file.folder = filepath.Dir(name.String())
	}
	return file, out, nil
}

// osFile is what go-sqlite3's files can do; the methods beyond vfs.File are found by assertion.
type osFile interface {
	vfs.FileLockState
	vfs.FileHasMoved
	vfs.FileSizeHint
	vfs.FilePersistWAL
	vfs.FilePowersafeOverwrite
	vfs.FileSharedMemory
	vfs.FileMemoryMapper
}

// file is a file of the layer.
type file struct {
	osFile
	folder string // to be flushed with the first Sync
}

// WriteAt writes.
func (f *file) WriteAt(p []byte, off int64) (int, error) {
	n, err := f.osFile.WriteAt(p, off)
	return n, full(err)
}

// SizeHint makes room.
func (f *file) SizeHint(size int64) error { return full(f.osFile.SizeHint(size)) }

// Sync makes what was written durable, and the name of a new journal.
func (f *file) Sync(flags vfs.SyncFlag) error {
	if err := f.osFile.Sync(flags); err != nil {
		return full(err)
	}
	if f.folder != "" {
		syncFolder(f.folder)
		f.folder = ""
	}
	return nil
}

// full marks errors of a full disk the way SQLite's own files do.
func full(err error) error {
	if err != nil && filehost.KindOf(err) == fault.StorageFull {
		return vfs.SystemError(err, sqlite3.FULL)
	}
	return err
}

// syncFolder makes names in dir durable. Not every file system can, and none needs it for the integrity of a
// database, so errors are ignored.
func syncFolder(dir string) {
	f, err := os.Open(dir)
	if err != nil {
		return
	}
	_ = f.Sync()
	f.Close()
}
