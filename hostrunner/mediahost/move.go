package mediahost

import (
	"errors"
	"io/fs"
	"syscall"
)

// move is a way to give a file another name in the same or another folder.
type move func(from *folder, name string, to *folder, as string) error

// moves are what a system and its disks can do. Tests put others in their place.
type moves struct {
	// renameNew moves a file to a name that must be free (else fs.ErrExist), in one step; errors.ErrUnsupported where the
	// disk cannot do that.
	renameNew move
	// exchange swaps two files in one step; errors.ErrUnsupported where the disk cannot do that.
	exchange move
	// rename moves a file over whatever has the name.
	rename move
	// link gives a file a second name, which must be free (else fs.ErrExist). Any error is possible on a disk without links.
	link move
}

// moveNew moves a file to a name that must be free; fs.ErrExist if it is not.
func (m *Media) moveNew(from *folder, name string, to *folder, as string) error {
	err := m.moves.renameNew(from, name, to, as)
	if !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	err = m.moves.link(from, name, to, as)
	switch {
	case err == nil:
		if err := from.root.Remove(name); err != nil {
			return errors.Join(err, to.root.Remove(as))
		}
		return nil
	case errors.Is(err, fs.ErrExist), errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.EXDEV):
		return err
	}
	// A disk that has neither: between the look and the move another program could take the name.
	if _, err := to.root.Lstat(as); err == nil {
		return fs.ErrExist
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return m.moves.rename(from, name, to, as)
}
