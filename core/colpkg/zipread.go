package colpkg

import (
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
	"io"

	"github.com/cardferry/cardferry/core/host"
)

// entry is what the directory says of a member.
type entry struct {
	method     uint16
	crc        uint32
	compressed int64
	size       int64
	offset     int64
}

// archive is the directory of a zip archive, read from its end.
type archive struct {
	file    host.File
	size    int64
	entries map[string]entry
}

func openArchive(f host.File) (*archive, error) {
	size, err := f.Size()
	if err != nil {
		return nil, err
	}
	a := &archive{file: f, size: size, entries: map[string]entry{}}
	n, start, length, err := a.end()
	if err != nil {
		return nil, err
	}
	if n < 0 || n > maxEntries || length < 0 || length > maxDirectory || start < 0 || start > size-length {
		return nil, damaged("its directory does not fit")
	}
	return a, a.directory(n, newBlocks(&section{f, start, start + length}))
}

// end finds the end record and returns the number of members and where the directory is.
func (a *archive) end() (n, start, length int64, err error) {
	tail := make([]byte, min(a.size, 22+1<<16))
	if err := a.readAt(tail, a.size-int64(len(tail))); err != nil {
		return 0, 0, 0, err
	}
	at := len(tail) - 22
	for ; at >= 0; at-- {
		if le32(tail[at:]) == sigEnd && at+22+int(le16(tail[at+20:])) == len(tail) {
			break
		}
	}
	if at < 0 {
		return 0, 0, 0, damaged("it is no zip archive, or was cut off")
	}
	e := tail[at:]
	n, length, start = int64(le16(e[10:])), int64(le32(e[12:])), int64(le32(e[16:]))
	if n != 1<<16-1 && length != 1<<32-1 && start != 1<<32-1 || at < 20 || le32(tail[at-20:]) != sigLocate64 {
		return n, start, length, nil
	}
	wide := make([]byte, 56)
	if err := a.readAt(wide, le64(tail[at-12:])); err != nil {
		return 0, 0, 0, err
	}
	if le32(wide) != sigEnd64 {
		return 0, 0, 0, damaged("its directory cannot be found")
	}
	return le64(wide[32:]), le64(wide[48:]), le64(wide[40:]), nil
}

func (a *archive) directory(n int64, src io.Reader) error {
	for ; n > 0; n-- {
		var h [46]byte
		if _, err := io.ReadFull(src, h[:]); err != nil {
			return cutOff(err)
		}
		if le32(h[:]) != sigCentral {
			return damaged("its directory does not fit")
		}
		nameLen, extraLen := int(le16(h[28:])), int(le16(h[30:]))
		rest := make([]byte, nameLen+extraLen+int(le16(h[32:])))
		if _, err := io.ReadFull(src, rest); err != nil {
			return cutOff(err)
		}
		e := entry{
			method: le16(h[10:]), crc: le32(h[16:]), compressed: int64(le32(h[20:])), size: int64(le32(h[24:])), offset: int64(le32(h[42:])),
		}
		if !e.widen(rest[nameLen : nameLen+extraLen]) {
			return damaged("its directory does not fit")
		}
		// The last of equal names counts, as for the real program.
		a.entries[string(rest[:nameLen])] = e
	}
	return nil
}

// widen takes the values that did not fit into 32 bits from the extra field.
func (e *entry) widen(extra []byte) bool {
	for len(extra) >= 4 {
		id, n := le16(extra), int(le16(extra[2:]))
		if extra = extra[4:]; n > len(extra) {
			return false
		}
		field := extra[:n]
		extra = extra[n:]
		if id != 1 {
			continue
		}
		for _, p := range []*int64{&e.size, &e.compressed, &e.offset} {
			if *p != 1<<32-1 {
				continue
			}
			if len(field) < 8 {
				return false
			}
			*p, field = le64(field), field[8:]
		}
	}
	return e.size >= 0 && e.compressed >= 0 && e.offset >= 0
}

// open returns the content of a member, of at most limit bytes; nil if there is none of that name. Its end is io.EOF only if
// size and checksum are right.
func (a *archive) open(name string, limit int64) (io.Reader, error) {
	e, ok := a.entries[name]
	if !ok {
		return nil, nil
	}
	var h [30]byte
	if err := a.readAt(h[:], e.offset); err != nil {
		return nil, err
	}
	start := e.offset + 30 + int64(le16(h[26:])) + int64(le16(h[28:]))
	if le32(h[:]) != sigLocal || le16(h[6:])&1 != 0 || start > a.size || e.compressed > a.size-start {
		return nil, damaged("its member %q cannot be read", name)
	}
	if e.size > limit {
		return nil, damaged("its member %q is too large", name)
	}
	src := io.Reader(newBlocks(&section{a.file, start, start + e.compressed}))
	switch e.method {
	case 0:
	case 8:
		src = flate.NewReader(src)
	default:
		return nil, damaged("its member %q is compressed in an unknown way", name)
	}
	return &checked{src: src, name: name, left: e.size, want: e.crc}, nil
}

func (a *archive) readAt(p []byte, off int64) error {
	if off < 0 || off > a.size-int64(len(p)) {
		return damaged("it was cut off")
	}
	for n := 0; n < len(p); {
		k, err := a.file.ReadAt(p[n:], off+int64(n))
		if n += k; n < len(p) && err != nil {
			return cutOff(err)
		}
	}
	return nil
}

// checked reads a member and compares it with what the directory says.
type checked struct {
	src  io.Reader
	name string
	left int64
	crc  uint32
	want uint32
}

func (c *checked) Read(p []byte) (int, error) {
	n, err := c.src.Read(p)
	c.left -= int64(n)
	c.crc = crc32.Update(c.crc, crc32.IEEETable, p[:n])
	switch {
	case c.left < 0 || err == io.EOF && (c.left != 0 || c.crc != c.want):
		return n, damaged("its member %q is not what its directory says", c.name)
	case err != nil && err != io.EOF:
		return n, flateError(err, c.name)
	}
	return n, err
}

// flateError tells an error of the compression from one of the file.
func flateError(err error, name string) error {
	switch err.(type) {
	case flate.CorruptInputError, flate.InternalError:
		return damaged("its member %q cannot be decompressed", name)
	}
	return cutOff(err)
}

func cutOff(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return damaged("it was cut off")
	}
	return err
}

// section reads a part of a file.
type section struct {
	f       host.File
	at, end int64
}

func (s *section) Read(p []byte) (int, error) {
	if s.at >= s.end {
		return 0, io.EOF
	}
	n, err := s.f.ReadAt(p[:min(int64(len(p)), s.end-s.at)], s.at)
	s.at += int64(n)
	if n > 0 {
		return n, nil
	}
	return 0, err
}

// blocks reads in large blocks, since each read may cross to the host. It is an io.ByteReader, so that decompressing does not
// read past a member.
type blocks struct {
	r    *section
	buf  []byte
	rest []byte
}

// newBlocks takes no more memory than the section has bytes: most members are small, and there may be very many.
func newBlocks(r *section) *blocks { return &blocks{r: r, buf: make([]byte, min(64<<10, r.end-r.at))} }

func (b *blocks) Read(p []byte) (int, error) {
	if err := b.fill(); err != nil {
		return 0, err
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

func (b *blocks) ReadByte() (byte, error) {
	if err := b.fill(); err != nil {
		return 0, err
	}
	c := b.rest[0]
	b.rest = b.rest[1:]
	return c, nil
}

func (b *blocks) fill() error {
	for len(b.rest) == 0 {
		n, err := b.r.Read(b.buf)
		if b.rest = b.buf[:n]; n == 0 && err != nil {
			return err
		}
	}
	return nil
}

func le16(b []byte) uint16 { return binary.LittleEndian.Uint16(b) }
func le32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }
func le64(b []byte) int64  { return int64(binary.LittleEndian.Uint64(b)) }

// has reports whether there is a member of that name.
func (a *archive) has(name string) bool {
	_, ok := a.entries[name]
	return ok
}
