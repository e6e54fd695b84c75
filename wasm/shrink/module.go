package main

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// Ids of sections.
const (
	typeSection     = 1
	importSection   = 2
	functionSection = 3
	startSection    = 8
	elementSection  = 9
	codeSection     = 10
	dataSection     = 11
)

const (
	// joinGap: segments with a smaller gap of zeros between them are joined. Go's linker leaves every run of eight zeros
	// out, which makes tens of thousands of segments, whose heads compress badly; zeros compress well.
	joinGap = 256
	// maxMemory bounds the addresses that we believe.
	maxMemory = 1 << 28
)

var errTruncated = errors.New("the file is truncated")

// module is a Wasm file with its data section taken apart.
type module struct {
	sections []section
	memory   []byte // the initial memory
}

type section struct {
	id   byte
	body []byte // nil for the data, which encode makes of the memory
}

type segment struct {
	at      int
	content []byte
}

func parseModule(file []byte) (*module, error) {
	b, ok := bytes.CutPrefix(file, []byte(header))
	if !ok {
		return nil, errors.New("not a Wasm file")
	}
	m := &module{}
	for len(b) > 0 {
		id := b[0]
		body, rest, err := sized(b[1:])
		if err != nil {
			return nil, err
		}
		b = rest
		if id == dataSection {
			if err := m.parseData(body); err != nil {
				return nil, err
			}
			body = nil
		}
		m.sections = append(m.sections, section{id, body})
	}
	if m.section(dataSection) == nil {
		return nil, errors.New("there is no data section")
	}
	return m, nil
}

// header begins every file.
const header = "\x00asm\x01\x00\x00\x00"

// section returns the section with that id, nil if there is none.
func (m *module) section(id byte) *section {
	for i := range m.sections {
		if m.sections[i].id == id {
			return &m.sections[i]
		}
	}
	return nil
}

// parseData reads segments of the form 0, i32.const address, end, bytes.
func (m *module) parseData(b []byte) error {
	count, b, err := number(b)
	if err != nil {
		return err
	}
	var segments []segment
	for range count {
		if len(b) < 2 || b[0] != 0 || b[1] != 0x41 {
			return errors.New("a data segment has no constant address")
		}
		address, n := signed(b[2:])
		if n <= 0 || address < 0 || address > maxMemory || len(b) < 3+n || b[2+n] != 0x0b {
			return errors.New("a data segment has no constant address")
		}
		s := segment{at: int(address)}
		if s.content, b, err = sized(b[3+n:]); err != nil {
			return err
		}
		segments = append(segments, s)
	}
	if len(b) != 0 {
		return errors.New("bytes follow the last data segment")
	}
	slices.SortFunc(segments, func(a, b segment) int { return cmp.Compare(a.at, b.at) })
	for _, s := range segments {
		if s.at < len(m.memory) {
			return fmt.Errorf("the data segment at %#x overlaps another one", s.at)
		}
		m.memory = append(m.memory, make([]byte, s.at-len(m.memory))...)
		m.memory = append(m.memory, s.content...)
	}
	return nil
}

// segments divides the memory at its longer runs of zeros, which it leaves out.
func (m *module) segments() (list []segment) {
	end := 0 // of the last segment
	for at, c := range m.memory {
		if c == 0 {
			continue
		}
		if last := len(list) - 1; last < 0 || at-end >= joinGap {
			list = append(list, segment{at: at})
		}
		last := &list[len(list)-1]
		end = at + 1
		last.content = m.memory[last.at:end]
	}
	return list
}

func (m *module) encode() []byte {
	list := m.segments()
	data := binary.AppendUvarint(nil, uint64(len(list)))
	for _, s := range list {
		data = appendSigned(append(data, 0, 0x41), int64(s.at))
		data = appendSized(append(data, 0x0b), s.content)
	}
	out := []byte(header)
	for _, s := range m.sections {
		if s.id == dataSection {
			s.body = data
		}
		out = appendSized(append(out, s.id), s.body)
	}
	return out
}

// number decodes an unsigned LEB128 number.
func number(b []byte) (v uint64, rest []byte, err error) {
	v, n := binary.Uvarint(b)
	if n <= 0 {
		return 0, nil, errTruncated
	}
	return v, b[n:], nil
}

// sized decodes bytes with their number before them.
func sized(b []byte) (content, rest []byte, err error) {
	size, b, err := number(b)
	if err != nil || size > uint64(len(b)) {
		return nil, nil, errTruncated
	}
	return b[:size], b[size:], nil
}

func appendSized(b, content []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(content))), content...)
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
