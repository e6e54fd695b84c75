//go:build unix

package profilelock

import (
	"os"
	"syscall"
)

var errHeld error = syscall.EWOULDBLOCK

// lock uses flock, which two open files of one process compete for; locks of fcntl belong to the process.
func lock(f *os.File) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err != syscall.EINTR {
			return err
		}
	}
}

// unlock ends the lock, where closing the file would not yet: a child that is being started has all open files, until it runs its own program.
func unlock(f *os.File) {
	if conn, err := f.SyscallConn(); err == nil {
		_ = conn.Control(func(fd uintptr) { _ = syscall.Flock(int(fd), syscall.LOCK_UN) })
	}
}
