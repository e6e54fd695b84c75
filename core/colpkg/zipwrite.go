package colpkg

import (
	"encoding/binary"
	"hash/crc32"
	"io"
)

const (
	sigLocal    = 0x04034b50
	sigData     = 0x08074b50
	sigCentral  = 0x02014b50
	sigEnd      = 0x06054b50
	sigEnd64    = 0x06064b50
	sigLocate64 = 0x07064b50

	// Sizes and checksum follow the content; names are UTF-8.
	flagsOpen = 1<<3 | 1<<11
	dosDate   = 1<<5 | 1 // the first day of DOS time: packages of equal collections are equal
)

// zipWriter writes a zip archive of stored members in one pass. The sizes of a member follow it, and the directory at the end
// has them again, with 64-bit fields where it needs them.
type zipWriter struct {
	w       io.Writer
	offset  int64
	members []member
	crc     uint32
	size    int64 // of the member being written
	err     error
}

// member is what the directory says of a member.
type member struct {
	name         string
	crc          uint32
	size, offset int64
}

// begin begins a member; what is written until end is its content.
func (z *zipWriter) begin(name string) {
	z.members = append(z.members, member{name: name, offset: z.offset})
	z.crc, z.size = 0, 0
	b := binary.LittleEndian.AppendUint32(nil, sigLocal)
	b = append16(b, 45, flagsOpen, 0, 0, dosDate)
	b = append(b, make([]byte, 12)...) // checksum and sizes follow
	b = append16(b, uint16(len(name)), 0)
	z.put(append(b, name...))
}

// Write appends to the content of the member.
func (z *zipWriter) Write(p []byte) (int, error) {
	z.crc = crc32.Update(z.crc, crc32.IEEETable, p)
	z.size += int64(len(p))
	z.put(p)
	return len(p), z.err
}

func (z *zipWriter) end() {
	m := &z.members[len(z.members)-1]
	m.crc, m.size = z.crc, z.size
	b := binary.LittleEndian.AppendUint32(nil, sigData)
	b = binary.LittleEndian.AppendUint32(b, m.crc)
	if m.size >= 1<<32-1 {
		b = append64(b, m.size, m.size)
	} else {
		b = append32(b, m.size, m.size)
	}
	z.put(b)
}

// drop takes the last member out of the directory; its bytes stay, as nobody's.
func (z *zipWriter) drop() { z.members = z.members[:len(z.members)-1] }

// whole writes a member at once.
func (z *zipWriter) whole(name string, content []byte) {
	z.begin(name)
	_, _ = z.Write(content) // put keeps the error
	z.end()
}

// close writes the directory.
func (z *zipWriter) close() error {
	start := z.offset
	for _, m := range z.members {
		z.put(m.appendCentral(nil))
	}
	size, n := z.offset-start, int64(len(z.members))
	var b []byte
	if n >= 1<<16-1 || start >= 1<<32-1 || size >= 1<<32-1 {
		at := z.offset
		b = binary.LittleEndian.AppendUint32(b, sigEnd64)
		b = append64(b, 44)
		b = append16(b, 45, 45)
		b = append32(b, 0, 0)
		b = append64(b, n, n, size, start)
		b = binary.LittleEndian.AppendUint32(b, sigLocate64)
		b = append32(b, 0)
		b = append64(b, at)
		b = append32(b, 1)
	}
	b = binary.LittleEndian.AppendUint32(b, sigEnd)
	few := uint16(min(n, 1<<16-1))
	b = append16(b, 0, 0, few, few)
	b = append32(b, min(size, 1<<32-1), min(start, 1<<32-1))
	z.put(append16(b, 0))
	return z.err
}

func (m *member) appendCentral(b []byte) []byte {
	var extra []byte
	size, offset := m.size, m.offset
	if size >= 1<<32-1 {
		extra, size = append64(extra, size, size), 1<<32-1
	}
	if offset >= 1<<32-1 {
		extra, offset = append64(extra, offset), 1<<32-1
	}
	if extra != nil {
		extra = append(append16(nil, 1, uint16(len(extra))), extra...)
	}
	b = binary.LittleEndian.AppendUint32(b, sigCentral)
	b = append16(b, 45, 45, flagsOpen, 0, 0, dosDate)
	b = binary.LittleEndian.AppendUint32(b, m.crc)
	b = append32(b, size, size)
	b = append16(b, uint16(len(m.name)), uint16(len(extra)), 0, 0, 0)
	b = append32(b, 0, offset)
	return append(append(b, m.name...), extra...)
}

// put writes, and keeps the first error.
func (z *zipWriter) put(p []byte) {
	if z.err != nil {
		return
	}
	n, err := z.w.Write(p)
	z.offset += int64(n)
	if z.err = err; err == nil && n < len(p) {
		z.err = io.ErrShortWrite
	}
}

func append16(b []byte, v ...uint16) []byte {
	for _, x := range v {
		b = binary.LittleEndian.AppendUint16(b, x)
	}
	return b
}

func append32(b []byte, v ...int64) []byte {
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, uint32(x))
	}
	return b
}

func append64(b []byte, v ...int64) []byte {
	for _, x := range v {
		b = binary.LittleEndian.AppendUint64(b, uint64(x))
	}
	return b
}
