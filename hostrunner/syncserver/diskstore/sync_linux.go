package diskstore

import (
	"os"

	"golang.org/x/sys/unix"
)

// syncDisk flushes the disk that a folder is on: one call instead of one for each file. done is false where the system has none.
func syncDisk(dir string) (done bool, err error) {
	f, err := os.Open(dir)
	if err != nil {
		return false, err
	}
	defer f.Close()
	return true, unix.Syncfs(int(f.Fd()))
}
