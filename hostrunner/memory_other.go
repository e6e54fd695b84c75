//go:build !unix

package hostrunner

import "github.com/tetratelabs/wazero/experimental"

// allocate returns a memory on our heap: this system has no syscall.Mmap.
func allocate(_, _ uint64) experimental.LinearMemory { return new(grown) }
