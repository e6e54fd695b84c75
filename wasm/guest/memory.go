//go:build wasm

package main

import "runtime/debug"

// The memory of a Wasm instance never shrinks, so the heap is kept small rather than the collector idle: guest and
// SQLite together have 64 MB. The heap may grow by a half between collections, and more are made near the limit.
const (
	memoryLimit = 24 << 20
	gcPercent   = 50
)

func limitMemory() {
	debug.SetMemoryLimit(memoryLimit)
	debug.SetGCPercent(gcPercent)
}
