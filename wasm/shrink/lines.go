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

// ownNames begin the names that stay in stack traces.
var ownNames = []string{"github.com/cardferry/", "main."}

// table is the table of functions in the initial memory: a header with the places of its parts.
type table struct {
	memory                          []byte
	names, units, files, pcs, funcs int // addresses
	count                           int
	keep, drop                      map[int]bool // sequences of pcs that are needed, and that say lines or files
}

var errLayout = errors.New("the table of functions is not as Go 1.26 writes it")

// clearLines clears files and lines in the table of functions. A sequence of program counters may serve
// several purposes (the linker stores equal ones once); it is cleared if files and lines are the only ones.
func clearLines(memory []byte) error {
	at := bytes.Index(memory, magic)
	if at < 0 || bytes.Contains(memory[at+1:], magic) || len(memory) < at+72 {
		return errLayout
	}
	word := func(i int) int { return int(binary.LittleEndian.Uint64(memory[at+8+8*i:])) }
	t := &table{
		memory: memory, count: word(0), keep: map[int]bool{}, drop: map[int]bool{},
		names: at + word(3), units: at + word(4), files: at + word(5), pcs: at + word(6), funcs: at + word(7),
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
		if !t.keep[off] && !t.clearSequence(t.pcs+off) {
			return errLayout
		}
	}
	clear(memory[t.units:t.pcs])
	t.clearNames()
	return nil
}

// clearFunc takes files and lines from a function's entry; 0 means that there are none.
func (t *table) clearFunc(f int) bool {
	if f+entrySize > len(t.memory) {
		return false
	}
	get := func(off int) int { return int(binary.LittleEndian.Uint32(t.memory[f+off:])) }
	data := get(entryPCData)
	if data > 16 || f+entrySize+4*data > len(t.memory) || t.names+get(entryName) >= t.units || t.memory[f+entryFuncData] > 16 {
		return false
	}
	t.keep[get(entryPCSP)] = true
	for i := range data {
		t.keep[get(entrySize+4*i)] = true
	}
	for _, off := range []int{entryFile, entryLine} {
		if at := get(off); at != 0 {
			t.drop[at] = true
		}
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

// clearNames clears the names, ended by zeros, of functions that are not ours.
func (t *table) clearNames() {
	for at := t.names; at < t.units; {
		end := bytes.IndexByte(t.memory[at:t.units], 0)
		if end < 0 {
			return
		}
		if !ours(string(t.memory[at : at+end])) {
			clear(t.memory[at : at+end])
		}
		at += end + 1
	}
}

func ours(name string) bool {
	for _, prefix := range ownNames {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
