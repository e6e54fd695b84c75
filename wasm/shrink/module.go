package main

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

const (
	dataSection = 11
	// joinGap: segments with a smaller gap of zeros between them are joined. Go's linker leaves every run of eight zeros
	// out, which makes tens of thousands of segments, whose heads compress badly; zeros compress well.
	joinGap = 256
	// maxMemory bounds the addresses that we believe.
	maxMemory = 1 << 28
)

var errTruncated = errors.New("the file is truncated")

// module is a Wasm file with its data section taken apart.
type module struct {
	before, after []byte // the file up to the data section, and from its end
	memory        []byte // the initial memory
	spans         []span // of memory that segments fill, in rising order
}

type span struct{ from, to int }

type segment struct {
	at      int
	content []byte
}

func parseModule(file []byte) (*module, error) {
	if !bytes.HasPrefix(file, []byte("\x00asm\x01\x00\x00\x00")) {
		return nil, errors.New("not a Wasm file")
	}
	for p := 8; p < len(file); {
		id, start := file[p], p
		size, n := binary.Uvarint(file[p+1:])
		body := p + 1 + n
		if n <= 0 || size > uint64(len(file)-body) {
			return nil, errTruncated
		}
		p = body + int(size)
		if id == dataSection {
			m := &module{before: file[:start], after: file[p:]}
			return m, m.parseData(file[body:p])
		}
	}
	return nil, errors.New("there is no data section")
}

// parseData reads segments of the form 0, i32.const address, end, bytes.
func (m *module) parseData(b []byte) error {
	count, n := binary.Uvarint(b)
	if n <= 0 {
		return errTruncated
	}
	b = b[n:]
	var segments []segment
	for range count {
		if len(b) < 2 || b[0] != 0 || b[1] != 0x41 {
			return errors.New("a data segment has no constant address")
		}
		address, n := signed(b[2:])
		if n <= 0 || address < 0 || address > maxMemory || len(b) < 3+n || b[2+n] != 0x0b {
			return errors.New("a data segment has no constant address")
		}
		b = b[3+n:]
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)-n) {
			return errTruncated
		}
		segments = append(segments, segment{int(address), b[n : n+int(size)]})
		b = b[n+int(size):]
	}
	if len(b) != 0 {
		return errors.New("bytes follow the last data segment")
	}
	slices.SortFunc(segments, func(a, b segment) int { return cmp.Compare(a.at, b.at) })
	for _, s := range segments {
		if err := m.fill(s); err != nil {
			return err
		}
	}
	return nil
}

// fill puts the next segment, by address, into the memory.
func (m *module) fill(s segment) error {
	at, b := s.at, s.content
	if at < len(m.memory) {
		return fmt.Errorf("the data segment at %#x overlaps another one", at)
	}
	if last := len(m.spans) - 1; last >= 0 && at-m.spans[last].to < joinGap {
		m.spans[last].to = at + len(b)
	} else {
		m.spans = append(m.spans, span{at, at + len(b)})
	}
	m.memory = append(m.memory, make([]byte, at-len(m.memory))...)
	m.memory = append(m.memory, b...)
	return nil
}

func (m *module) encode() []byte {
	b := binary.AppendUvarint(nil, uint64(len(m.spans)))
	for _, s := range m.spans {
		b = appendSigned(append(b, 0, 0x41), int64(s.from))
		b = binary.AppendUvarint(append(b, 0x0b), uint64(s.to-s.from))
		b = append(b, m.memory[s.from:s.to]...)
	}
	out := append(bytes.Clone(m.before), dataSection)
	out = append(binary.AppendUvarint(out, uint64(len(b))), b...)
	return append(out, m.after...)
}

// signed decodes a signed LEB128 number; n is 0 if it is truncated.
func signed(b []byte) (v int64, n int) {
	for shift := uint(0); n < len(b) && shift < 64; n++ {
		v |= int64(b[n]&0x7f) << shift
		shift += 7
		if b[n] < 0x80 {
			if b[n]&0x40 != 0 && shift < 64 {
				v |= -1 << shift
			}
			return v, n + 1
		}
	}
	return 0, 0
}

func appendSigned(b []byte, v int64) []byte {
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if v == 0 && c&0x40 == 0 || v == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}
