// Package profilelock keeps a profile to one process at a time, and to one opener within a process.
//
// The lock is one of the operating system on the file cardferry.lock, which ends with the process that holds it,
// however it ends. The file itself stays: removing it would let two processes lock two files of that name.
package profilelock

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/filehost"
)

// Name is the name of the lock file in a profile folder.
const Name = "cardferry.lock"

// Lock is a held lock.
type Lock struct{ f *os.File }

// Acquire locks the profile folder dir, which must exist, without waiting. Errors: fault.Busy if it is locked already,
// fault.NotFound, fault.NotWritable, fault.UnsupportedFile if something other than a file has its name.
func Acquire(dir string) (*Lock, error) {
	path := filepath.Join(dir, Name)
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fault.New(fault.UnsupportedFile, "%s is not a file", Name).WithHint("Move it away.")
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, filehost.Convert(err, "open "+Name)
	}
	if err := lock(f); err != nil {
		f.Close()
		if errors.Is(err, errHeld) {
			return nil, fault.New(fault.Busy, "another cardferry is using this profile").
				WithHint("Wait until it has finished, or end it.")
		}
		return nil, filehost.Convert(err, "lock "+Name)
	}
	return &Lock{f: f}, nil
}

// Release ends the lock. It may be called more than once.
func (l *Lock) Release() {
	unlock(l.f)
	l.f.Close()
}
