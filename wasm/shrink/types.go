package main

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"
)

// Words of runtime.moduledata, which begins with the address of the table of functions.
const (
	moduleTypes    = 37
	moduleTypesEnd = 38
	moduleFuncData = 40 // the last one looked at
)

// clearTypes clears the texts of types, which only serve to print them: closures and generic code have long ones. A name in the
// memory of types is a byte of flags, its length as a varint, and its bytes; the text of a type begins with a star
// (abi.TFlagExtraStar), which no name of a method, field or package does. Method names are needed to look methods up.
func clearTypes(memory []byte) error {
	from, to, err := typesOf(memory)
	if err != nil {
		return err
	}
	const maxFlags = 1<<4 - 1
	for at := from; at < to; at++ {
		if memory[at] > maxFlags {
			continue
		}
		size, n := binary.Uvarint(memory[at+1 : to])
		text := at + 1 + n
		if n <= 0 || size < 2 || size > uint64(to-text) || memory[text] != '*' || !printable(memory[text:text+int(size)]) {
			continue
		}
		clear(memory[text : text+int(size)])
		at = text + int(size) - 1
	}
	return nil
}

// typesOf finds the memory of types.
func typesOf(memory []byte) (from, to int, err error) {
	at, err := moduleData(memory)
	if err != nil {
		return 0, 0, err
	}
	if from, to = word(memory, at+8*moduleTypes), word(memory, at+8*moduleTypesEnd); from <= 0 || from >= to || to > len(memory) {
		return 0, 0, errLayout
	}
	return from, to, nil
}

// moduleData finds runtime.moduledata, the one place with the address of the table of functions.
func moduleData(memory []byte) (at int, err error) {
	table := bytes.Index(memory, magic)
	if table < 0 || len(memory) < table+headerSize {
		return 0, errLayout
	}
	for at := 0; at+8*moduleFuncData < len(memory); at += 8 {
		// The slice of function names begins where the table says.
		if word(memory, at) == table && word(memory, at+8) == table+word(memory, table+8+8*3) {
			return at, nil
		}
	}
	return 0, errLayout
}

// word returns the number of 64 bits at an address.
func word(memory []byte, at int) int { return int(binary.LittleEndian.Uint64(memory[at:])) }

func printable(b []byte) bool {
	if !utf8.Valid(b) {
		return false
	}
	for _, c := range b {
		if c < ' ' || c == 0x7f {
			return false
		}
	}
	return true
}
