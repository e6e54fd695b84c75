package main

import "encoding/binary"

// Words of runtime.moduledata: where the table is that finds a function by its program counter, and the first and last counter.
const (
	moduleFindFunc = 19
	moduleMinPC    = 20
	moduleMaxPC    = 21
)

// That table has an entry for each 4,096 program counters: the number of the function, and for each 256th part how many more. In Wasm each
// function has 65,536 program counters, so it is a regular one.
const (
	bucketSize      = 20
	functionPCs     = 65536
	functionBuckets = functionPCs / 4096
)

// generateFindFunc takes this table, a fifth of the file and one and a half percent of what is loaded of it, from the memory, and adds a
// function that writes it when an instance is made.
func (m *module) generateFindFunc() error {
	if m.section(startSection) != nil {
		return nil // done before
	}
	module, err := moduleData(m.memory)
	if err != nil {
		return err
	}
	field := func(i int) int { return word(m.memory, module+8*i) }
	// What follows whole functions stays in the memory.
	from, buckets := field(moduleFindFunc), (field(moduleMaxPC)-field(moduleMinPC))/functionPCs*functionBuckets
	to := from + buckets*bucketSize
	if from <= 0 || buckets <= 0 || buckets > len(m.memory) || to > len(m.memory) {
		return errLayout
	}
	for i := range buckets {
		bucket := m.memory[from+i*bucketSize:][:bucketSize]
		var want [bucketSize]byte
		binary.LittleEndian.PutUint32(want[:], uint32(i/functionBuckets))
		if [bucketSize]byte(bucket) != want {
			return errLayout
		}
		clear(bucket)
	}
	return m.addStart(findFuncCode(from, to))
}

// findFuncCode is the code that writes the table:
//
//	for p := from; p < to; p += bucketSize { *p = (p - from) / (functionBuckets * bucketSize) }
func findFuncCode(from, to int) []byte {
	constant := func(b []byte, v int) []byte { return appendSigned(append(b, 0x41), int64(v)) }
	b := []byte{1, 1, 0x7f}                                   // a local i32: p
	b = append(constant(b, from), 0x21, 0)                    // local.set p
	b = append(b, 0x03, 0x40, 0x20, 0, 0x20, 0)               // loop, local.get p, local.get p
	b = append(constant(b, from), 0x6b)                       // i32.sub
	b = append(constant(b, functionBuckets*bucketSize), 0x6e) // i32.div_u
	b = append(b, 0x36, 2, 0, 0x20, 0)                        // i32.store, local.get p
	b = append(constant(b, bucketSize), 0x6a, 0x22, 0)        // i32.add, local.tee p
	b = append(constant(b, to), 0x49, 0x0d, 0)                // i32.lt_u, br_if the loop
	return append(b, 0x0b, 0x0b)                              // end of the loop, and of the function
}

// addStart adds a function that runs when an instance is made.
func (m *module) addStart(code []byte) error {
	types, imports, functions, codes := m.section(typeSection), m.section(importSection), m.section(functionSection), m.section(codeSection)
	if types == nil || imports == nil || functions == nil || codes == nil {
		return errLayout
	}
	imported, err := importedFunctions(imports.body)
	if err != nil {
		return err
	}
	kind, err := types.add([]byte{0x60, 0, 0}) // without parameters and results
	if err != nil {
		return err
	}
	own, err := functions.add(binary.AppendUvarint(nil, kind))
	if err != nil {
		return err
	}
	if _, err := codes.add(appendSized(nil, code)); err != nil {
		return err
	}
	start := section{startSection, binary.AppendUvarint(nil, imported+own)}
	for i, s := range m.sections {
		if s.id == elementSection || s.id == codeSection {
			m.sections = append(m.sections[:i:i], append([]section{start}, m.sections[i:]...)...)
			return nil
		}
	}
	return errLayout
}

// add appends an entry to a section that is a list, and returns its index.
func (s *section) add(entry []byte) (index uint64, err error) {
	count, list, err := number(s.body)
	if err != nil {
		return 0, err
	}
	body := binary.AppendUvarint(nil, count+1)
	s.body = append(append(body, list...), entry...)
	return count, nil
}

// importedFunctions counts the imports, which must all be functions: these have the first indexes.
func importedFunctions(b []byte) (count uint64, err error) {
	count, b, err = number(b)
	for range count {
		for range 2 { // names of the module and of the function
			if err == nil {
				_, b, err = sized(b)
			}
		}
		if err != nil {
			return 0, err
		}
		if len(b) == 0 || b[0] != 0 {
			return 0, errLayout
		}
		_, b, err = number(b[1:])
	}
	return count, err
}
