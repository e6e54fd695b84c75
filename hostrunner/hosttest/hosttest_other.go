//go:build !linux

package hosttest

import (
	"os/exec"
	"testing"
)

// Changing the user of one process, and mounting a small disk, are done on Linux only.

func asNobody(t *testing.T, _ *exec.Cmd) { t.Skip("root is bound by no permissions") }

// TinyDisk skips the test.
func TinyDisk(t *testing.T, _ int) string {
	t.Skip("small disks are mounted on Linux only")
	return ""
}
