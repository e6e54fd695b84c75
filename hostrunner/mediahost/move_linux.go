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
	return withBoth(from, to, func(from, to int) error {
		err := unix.Renameat2(from, name, to, as, flag)
		if err == unix.EINVAL {
			return errors.ErrUnsupported
		}
		return err
	})
}

// rename moves a file over whatever has the name.
func rename(from *folder, name string, to *folder, as string) error {
	return withBoth(from, to, func(from, to int) error { return unix.Renameat(from, name, to, as) })
}

// link gives a file a second name, which must be free.
func link(from *folder, name string, to *folder, as string) error {
	return withBoth(from, to, func(from, to int) error { return unix.Linkat(from, name, to, as, 0) })
}

// withBoth runs do with the handles of two folders.
func withBoth(from, to *folder, do func(from, to int) error) error {
	a, err := from.dir()
	if err != nil {
		return err
	}
	b, err := to.dir()
	if err != nil {
		return err
	}
	return do(int(a.Fd()), int(b.Fd()))
}
