//go:build unix

package hostrunner

import (
	"syscall"

	"github.com/tetratelabs/wazero/experimental"
)

// mapped is a guest's memory as a reserved range of addresses: it grows in place, where a slice of our heap would be copied,
// leave garbage of its size, and delay the next collection.
type mapped []byte

// allocate reserves a guest's memory. The pages cost nothing before they are used.
func allocate(_, most uint64) experimental.LinearMemory {
	b, err := syscall.Mmap(-1, 0, int(most), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		return new(grown)
	}
	return mapped(b)
}

// Reallocate returns the first size bytes.
func (m mapped) Reallocate(size uint64) []byte {
	if size > uint64(len(m)) {
		return nil
	}
	return m[:size]
}

// Free gives the addresses back.
func (m mapped) Free() { _ = syscall.Munmap(m) } // fails only for ranges that are not mapped
