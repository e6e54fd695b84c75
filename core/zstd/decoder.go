package zstd

import (
	"encoding/binary"
	"math"
)

// Decoder decodes frames that are in memory. It keeps its tables from one to the next.
type Decoder struct{ d blocks }

// Decode appends the content of the frame that src begins with to dst, and returns how long the frame is. Content of
// more than limit bytes is ErrTooLong; at most that much memory is taken for it.
func (d *Decoder) Decode(dst, src []byte, limit int) (out []byte, used int, err error) {
	h, used, err := parseHeader(src)
	if err != nil {
		return nil, 0, err
	}
	if h.size > uint64(limit) && h.size != unknownSize {
		return nil, 0, ErrTooLong
	}
	if h.size == unknownSize && h.window > maxWindow { // as a Reader has it
		return nil, 0, ErrWindow
	}
	b := &d.d
	b.reset()
	b.out, b.base, b.limit = dst, len(dst), len(dst)+limit
	defer func() { b.out = nil }()
	for last := false; !last; {
		var kind, size, stored int
		if kind, size, stored, last, err = parseBlock(src[used:]); err != nil {
			return nil, 0, err
		}
		used += 3
		if len(src) < used+stored {
			return nil, 0, ErrTruncated
		}
		if err := b.block(kind, size, src[used:used+stored]); err != nil {
			return nil, 0, err
		}
		used += stored
	}
	content := b.out[b.base:]
	if h.size != unknownSize && h.size != uint64(len(content)) {
		return nil, 0, ErrCorrupt
	}
	if h.checksum {
		if len(src) < used+4 {
			return nil, 0, ErrTruncated
		}
		var x checksum
		x.reset()
		x.write(content)
		if binary.LittleEndian.Uint32(src[used:]) != x.sum() {
			return nil, 0, ErrChecksum
		}
		used += 4
	}
	return b.out, used, nil
}

// header is a frame header (§3.1.1.1).
type header struct {
	window   uint64
	size     uint64 // of the content
	checksum bool
}

const unknownSize = math.MaxUint64

// maxHeader is the length of the longest header.
const maxHeader = 18

func parseHeader(b []byte) (h header, used int, err error) {
	if len(b) < 5 {
		if len(b) >= 4 && binary.LittleEndian.Uint32(b) != magic {
			return h, 0, ErrCorrupt
		}
		return h, 0, ErrTruncated
	}
	flags := b[4]
	if binary.LittleEndian.Uint32(b) != magic || flags&8 != 0 {
		return h, 0, ErrCorrupt
	}
	single := flags>>5&1 != 0
	h.checksum = flags&4 != 0
	dict := [...]int{0, 1, 2, 4}[flags&3]
	size := [...]int{0, 2, 4, 8}[flags>>6]
	if single && size == 0 {
		size = 1
	}
	used = 5
	if !single {
		used++
	}
	if len(b) < used+dict+size {
		return h, 0, ErrTruncated
	}
	if !single {
		w := b[5]
		h.window = 1 << (10 + w>>3) / 8 * uint64(8+w&7)
	}
	for _, c := range b[used : used+dict] {
		if c != 0 { // we have no dictionary
			return h, 0, ErrCorrupt
		}
	}
	used += dict
	h.size = unknownSize
	if size > 0 {
		var v [8]byte
		copy(v[:], b[used:used+size])
		if h.size = binary.LittleEndian.Uint64(v[:]); size == 2 {
			h.size += 256
		}
	}
	if single {
		h.window = h.size
	}
	return h, used + size, nil
}

// parseBlock reads a block header (§3.1.1.2): size is that of the content where it is known, stored that of the block.
func parseBlock(b []byte) (kind, size, stored int, last bool, err error) {
	if len(b) < 3 {
		return 0, 0, 0, false, ErrTruncated
	}
	h := int(b[0]) | int(b[1])<<8 | int(b[2])<<16
	last, kind, size = h&1 != 0, h>>1&3, h>>3
	if stored = size; kind == blockRLE {
		stored = 1
	}
	if size > maxBlock || kind > blockCompressed {
		return 0, 0, 0, false, ErrCorrupt
	}
	return kind, size, stored, last, nil
}
