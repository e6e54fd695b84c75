package mediahost

import (
	"errors"

	"golang.org/x/sys/unix"
)

// Files are moved by the handles of opened folders: os.Root moves within one folder only, and the media folder may be a
// link. A name is one part, so it leads nowhere, and none of these calls follows a link.

func systemMoves() moves {
	return moves{
		renameNew: byHandles(func(from int, name string, to int, as string) error {
			return flagged(from, name, to, as, unix.RENAME_NOREPLACE)
		}),
		exchange: byHandles(func(from int, name string, to int, as string) error {
			return flagged(from, name, to, as, unix.RENAME_EXCHANGE)
		}),
		rename: byHandles(unix.Renameat),
		link: byHandles(func(from int, name string, to int, as string) error {
			return unix.Linkat(from, name, to, as, 0)
		}),
	}
}

func flagged(from int, name string, to int, as string, flag uint) error {
	err := unix.Renameat2(from, name, to, as, flag)
	if err == unix.EINVAL {
		return errors.ErrUnsupported
	}
	return err
}

func byHandles(call func(from int, name string, to int, as string) error) move {
	return func(from *folder, name string, to *folder, as string) error {
		a, err := from.dir()
		if err != nil {
			return err
		}
		b, err := to.dir()
		if err != nil {
			return err
		}
		return call(int(a.Fd()), name, int(b.Fd()), as)
	}
}
