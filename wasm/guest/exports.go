//go:build wasm

package main

import (
	"unsafe"

	"github.com/cardferry/cardferry/core/unicase"
	"github.com/cardferry/cardferry/wasm/abi"
)

//go:wasmexport cf_abi
func version() int32 { return abi.Version }

//go:wasmexport cf_alloc
func alloc(n int32) unsafe.Pointer { return unsafe.Pointer(guest.Alloc(n)) }

//go:wasmexport cf_call
func call(task int32, ptr unsafe.Pointer, n int32) { guest.Call(task, guest.Take(ptr, n)) }

//go:wasmexport cf_event
func event(call, kind int32, ptr unsafe.Pointer, n int32) {
	guest.Event(call, abi.EventKind(kind), guest.Take(ptr, n))
}

//go:wasmexport cf_tick
func tick(task int32) { guest.Tick(task) }

//go:wasmexport cf_cancel
func cancel(task int32) { guest.Cancel(task) }

// collation is the memory of both texts of cf_collate. It is apart from the buffer of the other exports, because the
// collation is called while one of these runs.
var collation = make([]byte, 4096)

//go:wasmexport cf_collate_buffer
func collateBuffer(n int32) unsafe.Pointer {
	if int(n) > len(collation) {
		collation = make([]byte, n)
	}
	return unsafe.Pointer(&collation[0])
}

//go:wasmexport cf_collate
func collate(a unsafe.Pointer, alen int32, b unsafe.Pointer, blen int32) int32 {
	return int32(unicase.Compare(text(a, alen), text(b, blen)))
}

// text returns the part of the collation buffer at p; anything outside panics.
func text(p unsafe.Pointer, n int32) []byte {
	off := uintptr(p) - uintptr(unsafe.Pointer(&collation[0]))
	return collation[off : off+uintptr(n)]
}
