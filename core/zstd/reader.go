package zstd

import (
	"encoding/binary"
	"io"
)

// Reader decodes one frame while it is read, in memory for one and a half windows. It reads ahead, and never asks its source for less
// than it has room for: each read may cross to a host.
type Reader struct {
	src    io.Reader
	in     []byte // read, not decoded yet
	buf    []byte // memory of in
	srcErr error
	d      blocks
	at     int // in d.out: delivered up to here
	window int
	header header
	sum    checksum
	total  uint64
	last   bool // the last block is decoded
	err    error
}

// NewReader returns a reader of the frame that src begins with. A frame that asks for a window of more
// than 16 MiB is ErrWindow.
func NewReader(src io.Reader) *Reader {
	r := &Reader{src: src, buf: make([]byte, maxBlock+maxHeader)}
	r.sum.reset()
	r.d.reset()
	return r
}

// Read decodes up to len(p) bytes.
func (r *Reader) Read(p []byte) (int, error) {
	for r.at == len(r.d.out) {
		if r.err == nil {
			r.err = r.step()
		}
		if r.err != nil {
			return 0, r.err
		}
	}
	n := copy(p, r.d.out[r.at:])
	r.at += n
	return n, nil
}

// step decodes the header, a block, or the end of the frame.
func (r *Reader) step() error {
	switch {
	case r.d.limit == 0:
		return r.start()
	case r.last:
		return r.finish()
	}
	if err := r.fill(3); err != nil {
		return err
	}
	kind, size, stored, last, err := parseBlock(r.in)
	if err != nil {
		return err
	}
	if err := r.fill(3 + stored); err != nil {
		return err
	}
	r.makeRoom()
	if err := r.d.block(kind, size, r.in[3:3+stored]); err != nil {
		return err
	}
	r.in, r.last = r.in[3+stored:], last
	r.total += uint64(len(r.d.out) - r.at)
	if r.header.checksum {
		r.sum.write(r.d.out[r.at:])
	}
	if r.total > r.header.size {
		return ErrCorrupt
	}
	return nil
}

// makeRoom drops what is older than the window.
func (r *Reader) makeRoom() {
	if len(r.d.out)+maxBlock <= r.d.limit {
		return
	}
	n := copy(r.d.out, r.d.out[len(r.d.out)-r.window:])
	r.d.out = r.d.out[:n]
	r.at = n
}

func (r *Reader) start() error {
	if err := r.fill(maxHeader); err != nil && err != ErrTruncated {
		return err
	}
	h, used, err := parseHeader(r.in)
	if err != nil {
		return err
	}
	if h.window > maxWindow {
		return ErrWindow
	}
	r.header, r.window, r.in = h, int(h.window), r.in[used:]
	r.d.limit = r.window + r.window/2 + maxBlock
	return nil
}

func (r *Reader) finish() error {
	if r.header.size != unknownSize && r.total != r.header.size {
		return ErrCorrupt
	}
	if !r.header.checksum {
		return io.EOF
	}
	if err := r.fill(4); err != nil {
		return err
	}
	if binary.LittleEndian.Uint32(r.in) != r.sum.sum() {
		return ErrChecksum
	}
	return io.EOF
}

// fill makes in at least n bytes long.
func (r *Reader) fill(n int) error {
	if len(r.in) >= n {
		return nil
	}
	r.in = r.buf[:copy(r.buf, r.in)]
	for idle := 0; len(r.in) < n; {
		if r.srcErr == io.EOF {
			return ErrTruncated
		}
		if r.srcErr != nil {
			return r.srcErr
		}
		var k int
		k, r.srcErr = r.src.Read(r.buf[len(r.in):])
		r.in = r.buf[:len(r.in)+k]
		if idle++; k > 0 {
			idle = 0
		} else if r.srcErr == nil && idle > 100 {
			return io.ErrNoProgress
		}
	}
	return nil
}
