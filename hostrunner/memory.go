package hostrunner

// grown is a guest's memory on our heap, copied when it grows.
type grown []byte

// Reallocate returns size bytes that begin with what was there.
func (g *grown) Reallocate(size uint64) []byte {
	if size > uint64(cap(*g)) {
		*g = append(make([]byte, 0, size+size/8), *g...)
	}
	*g = (*g)[:size]
	return *g
}

// Free leaves the memory to the garbage collector.
func (g *grown) Free() { *g = nil }
