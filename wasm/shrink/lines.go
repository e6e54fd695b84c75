package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
)

// magic begins the table of functions since Go 1.20 (internal/abi.Go120PCLnTabMagic, CurrentPCLnTabMagic), followed by two
// zeros, the size of the smallest instruction and the size of a pointer.
var magic = []byte{0xf1, 0xff, 0xff, 0xff, 0, 0, 1, 8}

// headerSize is the size of the table's header.
const headerSize = 72

// Offsets in the entry of a function (runtime._func).
const (
	entryName      = 4
	entryPCSP      = 16
	entryFile      = 20
	entryLine      = 24
	entryPCData    = 28 // how many
	entryUnit      = 32
	entryStartLine = 36
	entryFuncData  = 43 // how many
	entrySize      = 44
)

// What only serves to print inlined functions and arguments in stack traces (internal/abi).
var (
	printPCData   = []int{2, 3}    // InlTreeIndex, ArgLiveIndex
	printFuncData = []int{3, 5, 6} // InlTree, ArgInfo, ArgLiveInfo
)

// ownNames begin the names that stay in stack traces.
var ownNames = []string{"github.com/cardferry/cardferry/"}

// table is the table of functions in the initial memory: a header with the places of its parts.
type table struct {
	memory                          []byte
	names, units, files, pcs, funcs int // addresses
	count                           int
	keep, drop                      map[int]bool // sequences of pcs that are needed, and that are for printing
}

var errLayout = errors.New("the table of functions is not as Go 1.26 writes it")

// clearLines clears files, lines, inlined functions and arguments in the table of functions. A sequence of program
// counters may serve several purposes (the linker stores equal ones once); it is cleared if these are the only ones.
func clearLines(memory []byte) error {
	at := bytes.Index(memory, magic)
	if at < 0 || bytes.Contains(memory[at+1:], magic) || len(memory) < at+headerSize {
		return errLayout
	}
	field := func(i int) int { return word(memory, at+8+8*i) }
	t := &table{
		memory: memory, count: field(0), keep: map[int]bool{}, drop: map[int]bool{},
		names: at + field(3), units: at + field(4), files: at + field(5), pcs: at + field(6), funcs: at + field(7),
	}
	if !(at < t.names && t.names < t.units && t.units <= t.files && t.files < t.pcs && t.pcs < t.funcs && t.funcs+8*t.count < len(memory)) {
		return errLayout
	}
	for i := range t.count {
		if !t.clearFunc(t.funcs + int(binary.LittleEndian.Uint32(memory[t.funcs+8*i+4:]))) {
			return errLayout
		}
	}
	for off := range t.drop {
		if off != 0 && !t.keep[off] && !t.clearSequence(t.pcs+off) {
			return errLayout
		}
	}
	clear(memory[t.units:t.pcs])
	t.clearNames()
	return clearTypes(memory)
}

// clearFunc takes what is for printing only from a function's entry; a sequence 0 means that there is none.
func (t *table) clearFunc(f int) bool {
	if f+entrySize > len(t.memory) {
		return false
	}
	get := func(off int) int { return int(binary.LittleEndian.Uint32(t.memory[f+off:])) }
	pcData, funcData := get(entryPCData), int(t.memory[f+entryFuncData])
	if pcData > 16 || funcData > 16 || f+entrySize+4*(pcData+funcData) > len(t.memory) || t.names+get(entryName) >= t.units {
		return false
	}
	for _, i := range printPCData {
		if off := entrySize + 4*i; i < pcData {
			t.drop[get(off)] = true
			clear(t.memory[f+off : f+off+4])
		}
	}
	for _, i := range printFuncData {
		if off := entrySize + 4*(pcData+i); i < funcData {
			copy(t.memory[f+off:], "\xff\xff\xff\xff") // there is none
		}
	}
	t.keep[get(entryPCSP)] = true
	for i := range pcData {
		t.keep[get(entrySize+4*i)] = true
	}
	for _, off := range []int{entryFile, entryLine} {
		t.drop[get(off)] = true
	}
	for _, off := range []int{entryFile, entryLine, entryUnit, entryStartLine} {
		clear(t.memory[f+off : f+off+4])
	}
	return true
}

// clearSequence clears one sequence: pairs of varints, of which a first one of 0, after the first pair, is the end.
func (t *table) clearSequence(at int) bool {
	p := at
	for first := true; ; first = false {
		value, n := binary.Uvarint(t.memory[p:t.funcs])
		if n <= 0 {
			return false
		}
		p += n
		if value == 0 && !first {
			clear(t.memory[at:p])
			return true
		}
		if _, n = binary.Uvarint(t.memory[p:t.funcs]); n <= 0 {
			return false
		}
		p += n
	}
}

// clearNames clears the names, ended by zeros, of functions that are not ours, and lets their entries have the empty name that
// the names begin with.
func (t *table) clearNames() {
	for at := t.names; at < t.units; {
		end := bytes.IndexByte(t.memory[at:t.units], 0)
		if end < 0 {
			break
		}
		name := t.memory[at : at+end]
		n := copy(name, shorten(string(name)))
		clear(name[n:])
		at += end + 1
	}
	if t.memory[t.names] != 0 {
		return
	}
	for i := range t.count {
		name := t.memory[t.funcs+int(binary.LittleEndian.Uint32(t.memory[t.funcs+8*i+4:]))+entryName:][:4]
		if t.memory[t.names+int(binary.LittleEndian.Uint32(name))] == 0 {
			clear(name)
		}
	}
}

// shorten returns what stays of the name of a function: nothing of those that are not ours, else the name without the path of
// this module and the types of generic code.
func shorten(name string) string {
	for _, prefix := range ownNames {
		if own, ok := strings.CutPrefix(name, prefix); ok {
			own, _, _ = strings.Cut(own, "[")
			return own
		}
	}
	if strings.HasPrefix(name, "main.") || strings.HasPrefix(name, "core/") || strings.HasPrefix(name, "wasm/") {
		return name // "core/" and "wasm/" have been shortened before
	}
	return ""
}
