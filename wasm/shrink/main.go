// Command shrink makes a guest file smaller, without a change to what it does: it clears the tables that only serve to print
// line numbers in stack traces, and the names of functions outside of this module, has code write the table that finds functions, and joins
// data segments.
//
//	go run ./wasm/shrink core.wasm
//
// The linker has no option for it (-s and -w leave these tables in). The layout is that of Go 1.20 to 1.26, which the
// program checks; the type and function tables of another Go release make it fail rather than guess.
package main

import (
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "shrink:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: shrink FILE")
	}
	file, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	if file, err = shrink(file); err != nil {
		return err
	}
	return os.WriteFile(args[0], file, 0o644)
}

// shrink returns the smaller file.
func shrink(file []byte) ([]byte, error) {
	m, err := parseModule(file)
	if err != nil {
		return nil, err
	}
	if err := clearLines(m.memory); err != nil {
		return nil, err
	}
	if err := m.generateFindFunc(); err != nil {
		return nil, err
	}
	return m.encode(), nil
}
