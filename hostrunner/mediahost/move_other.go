//go:build !linux

package mediahost

import (
	"errors"
	"os"
	"path/filepath"
)

// Without calls that take the handles of folders, files are moved by their paths. A name is one part, so it leads nowhere.
// Moves that do not replace, and swaps, are missing: a link, and a second look, take their place.

func systemMoves() moves {
	unsupported := func(*folder, string, *folder, string) error { return errors.ErrUnsupported }
	return moves{renameNew: unsupported, exchange: unsupported, rename: byPaths(os.Rename), link: byPaths(os.Link)}
}

func byPaths(call func(from, to string) error) move {
	return func(from *folder, name string, to *folder, as string) error {
		return call(filepath.Join(from.path, name), filepath.Join(to.path, as))
	}
}
