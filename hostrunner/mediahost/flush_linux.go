package mediahost

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/cardferry/cardferry/core/fault"
)

// pending needs to know nothing: a whole disk is flushed. So files are flushed as well that a killed run installed, and
// those that other programs wrote.
type pending struct{}

func (*pending) add(*folder, string) {}

// flush flushes the disks of the profile and of the media folder, which one link may have led elsewhere. One call for any
// number of files: 10,000 calls for one file each take minutes on some disks.
func (m *Media) flush() error {
	profile, err := openFolder(m.dir)
	if err != nil {
		if os.IsNotExist(err) {
			return nil
		}
		return convert(err, "open", "profile folder")
	}
	defer profile.close()
	if err := syncDisk(profile); err != nil {
		return convert(err, "flush", "profile folder")
	}
	media, err := m.open()
	if fault.KindOf(err) == fault.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	defer media.close()
	if device(profile) == device(media) {
		return nil
	}
	return convert(syncDisk(media), "flush", Folder)
}

func syncDisk(f *folder) error {
	dir, err := f.dir()
	if err != nil {
		return err
	}
	return unix.Syncfs(int(dir.Fd()))
}

// device tells disks apart; 0 if it cannot.
func device(f *folder) uint64 {
	info, err := f.root.Stat(".")
	if err != nil {
		return 0
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0
	}
	return uint64(st.Dev)
}
