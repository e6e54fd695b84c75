//go:build !linux

package mediahost

import (
	"errors"
	"os"
	"path/filepath"
)

// Without calls that take the handles of folders, files are moved by their paths. A name is one part, so it leads nowhere.
// Moves that do not replace, and swaps, are missing: a link, and a second look, take their place.

func renameNew(*folder, string, *folder, string) error { return errors.ErrUnsupported }

func exchange(*folder, string, *folder, string) error { return errors.ErrUnsupported }

// rename moves a file over whatever has the name.
func rename(from *folder, name string, to *folder, as string) error {
	return os.Rename(filepath.Join(from.path, name), filepath.Join(to.path, as))
}

// link gives a file a second name, which must be free.
func link(from *folder, name string, to *folder, as string) error {
	return os.Link(filepath.Join(from.path, name), filepath.Join(to.path, as))
}
