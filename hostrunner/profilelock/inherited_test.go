//go:build unix

package profilelock_test

import (
	"syscall"
	"testing"

	"github.com/cardferry/cardferry/core/coretest"
)

// TestInherited: a lock ends when it is released, though a child that was started just then still has the file.
func TestInherited(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := acquire(t, dir)
	inherited, err := syscall.Dup(int(l.File().Fd()))
	coretest.Must(t, err)
	defer syscall.Close(inherited)
	l.Release()
	l.Release()
	acquire(t, dir)
}
