package abi

import (
	"fmt"
	"unsafe"
)

// keepBuffer is up to which size a buffer is used again. Larger ones (a collected body, say) go to the garbage
// collector when their reader is done with them.
const keepBuffer = 256 << 10

// Alloc returns memory for the next export that takes a buffer; it is never of size 0, so that it has an address.
func (g *Guest) Alloc(n int32) *byte {
	if n < 0 {
		panic(fmt.Sprintf("abi: cannot allocate %d bytes", n))
	}
	size := max(int(n), 1)
	if size > cap(g.buffer) {
		g.buffer = make([]byte, size)
	}
	g.buffer = g.buffer[:size]
	return &g.buffer[0]
}

// Take returns the buffer that Alloc gave. The host passes its address and length back; anything else is a defect
// of the host and panics.
//
// A large buffer now belongs to the caller; a small one is valid until the next Alloc.
func (g *Guest) Take(ptr unsafe.Pointer, n int32) []byte {
	if n == 0 {
		return nil
	}
	if n < 0 || int(n) > len(g.buffer) || ptr != unsafe.Pointer(unsafe.SliceData(g.buffer)) {
		panic("abi: the buffer was not allocated for this call")
	}
	b := g.buffer[:n:n]
	g.buffer = g.buffer[:0]
	if cap(g.buffer) > keepBuffer {
		g.buffer = nil
	}
	return b
}
