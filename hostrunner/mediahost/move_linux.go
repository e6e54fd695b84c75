package mediahost

import (
	"errors"

	"golang.org/x/sys/unix"
)

// Files are moved by the handles of opened folders: os.Root moves within one folder only, and the media folder may be a
// link. A name is one part, so it leads nowhere, and none of these calls follows a link.

// renameNew moves a file to a name that must be free, in one step; errors.ErrUnsupported where the disk cannot do that.
func renameNew(from *folder, name string, to *folder, as string) error {
	return flagged(from, name, to, as, unix.RENAME_NOREPLACE)
}

// exchange swaps two files in one step; errors.ErrUnsupported where the disk cannot do that.
func exchange(from *folder, name string, to *folder, as string) error {
	return flagged(from, name, to, as, unix.RENAME_EXCHANGE)
}

func flagged(from *folder, name string, to *folder, as string, flag uint) error {
	err := unix.Renameat2(int(from.dir.Fd()), name, int(to.dir.Fd()), as, flag)
	if err == unix.EINVAL {
		return errors.ErrUnsupported
	}
	return err
}

// rename moves a file over whatever has the name.
func rename(from *folder, name string, to *folder, as string) error {
	return unix.Renameat(int(from.dir.Fd()), name, int(to.dir.Fd()), as)
}

// link gives a file a second name, which must be free.
func link(from *folder, name string, to *folder, as string) error {
	return unix.Linkat(int(from.dir.Fd()), name, int(to.dir.Fd()), as, 0)
}
