package mediahost

import (
	"errors"
	"io/fs"
	"syscall"
)

// moveNew moves a file to a name that must be free; fs.ErrExist if it is not.
func moveNew(from *folder, name string, to *folder, as string) error {
	err := renameNew(from, name, to, as)
	if !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	err = link(from, name, to, as)
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
	return rename(from, name, to, as)
}
