package wire

import (
	"encoding/binary"
	"errors"
)

var (
	errNoFrame   = errors.New("not a zstd frame")
	errTruncated = errors.New("the zstd frame is cut off")
)

// frameBounds finds the end of a zstd frame (RFC 8878 §3.1.1) without decoding it. The decoder alone would go on with
// whatever follows the frame, and takes some truncated frames for empty ones.
type frameBounds struct {
	head     [6]byte // a header that is being collected
	n        int     // bytes of head
	skip     int     // bytes to pass over before the next header
	begun    bool    // the frame header is read: block headers follow
	last     bool    // the last block header is read
	checksum bool
	window   int64 // what the frame asks for; 0 if it asks for its own size
	done     bool
	blocks   int // headers read; a block has up to maxBlock bytes
}

const (
	frameMagic = 0xFD2FB528
	maxBlock   = 128 << 10
)

// feed takes the next bytes and returns how many of them belong to the frame: all, unless it ends.
func (f *frameBounds) feed(b []byte) (used int, err error) {
	for !f.done {
		k := min(f.skip, len(b)-used)
		f.skip -= k
		used += k
		switch {
		case f.skip > 0:
			return used, nil
		case f.last:
			f.done = true
			return used, nil
		}
		size := 3
		if !f.begun {
			size = len(f.head) // what every frame has at least
		}
		k = copy(f.head[f.n:size], b[used:])
		f.n += k
		used += k
		if f.n < size {
			return used, nil
		}
		f.n = 0
		if err := f.header(); err != nil {
			return used, err
		}
	}
	return used, nil
}

// header reads a collected header and sets how much to skip.
func (f *frameBounds) header() error {
	if f.begun {
		f.blocks++
		h := int(f.head[0]) | int(f.head[1])<<8 | int(f.head[2])<<16
		f.last = h&1 != 0
		if f.skip = h >> 3; h>>1&3 == 1 { // one byte, repeated
			f.skip = 1
		}
		if f.last && f.checksum {
			f.skip += 4
		}
		return nil
	}
	if binary.LittleEndian.Uint32(f.head[:]) != frameMagic {
		return errNoFrame
	}
	d := f.head[4]
	f.begun, f.checksum = true, d&4 != 0
	f.skip = [...]int{0, 1, 2, 4}[d&3] + [...]int{0, 2, 4, 8}[d>>6] // dictionary, content size
	if single := d>>5&1 != 0; !single {
		w := f.head[5]
		f.window = 1 << (10 + w>>3) / 8 * int64(8+w&7)
	} else if d>>6 != 0 {
		f.skip-- // head[5] is part of the content size, else all of it
	}
	return nil
}
