package ankitest

import "syscall"

// memoryDir returns a folder in memory and its free bytes.
func memoryDir() (string, uint64) {
	const dir = "/dev/shm"
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil || syscall.Access(dir, 2) != nil {
		return "", 0
	}
	return dir, s.Bavail * uint64(s.Bsize)
}
