package mediahost

import (
	"errors"
	"syscall"
)

// What tests need to reach: rules of systems that the tests do not run on.

// NewPlain is New as on a disk that can neither move without replacing nor swap, and that has links or not.
func NewPlain(dir string, links bool) *Media {
	m := New(dir)
	unsupported := func(*folder, string, *folder, string) error { return errors.ErrUnsupported }
	m.moves.renameNew, m.moves.exchange = unsupported, unsupported
	if !links {
		m.moves.link = func(*folder, string, *folder, string) error { return syscall.EPERM }
	}
	return m
}

// BeforeMoves makes another program act just before each step that moves a file.
func (m *Media) BeforeMoves(act func(step string)) {
	for name, step := range map[string]*move{
		"renameNew": &m.moves.renameNew, "exchange": &m.moves.exchange, "rename": &m.moves.rename, "link": &m.moves.link,
	} {
		do := *step
		*step = func(from *folder, file string, to *folder, as string) error {
			act(name)
			return do(from, file, to, as)
		}
	}
}

// WindowsRefuses is the rule for names on Windows.
var WindowsRefuses = windowsRefuses

// IsExact tells whether a folder's name is taken as exact if looking it up finds the file that has the name found, as on a
// disk that ignores case.
func IsExact(dir, name, found string) (bool, error) {
	f, err := openFolder(dir)
	if err != nil {
		return false, err
	}
	defer f.close()
	info, err := f.root.Lstat(found)
	if err != nil {
		return false, err
	}
	return f.isExact(name, info)
}
