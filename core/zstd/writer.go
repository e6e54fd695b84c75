package zstd

import (
	"encoding/binary"
	"io"
)

// Writer compresses what is written to it into one frame with a checksum.
type Writer struct {
	dst  io.Writer
	e    Encoder
	buf  []byte // up to a window that is encoded, then what is to be
	done int    // encoded part of buf
	out  []byte
	sum  checksum
	err  error
}

// NewWriter returns a writer that must be closed.
func NewWriter(dst io.Writer) *Writer {
	w := &Writer{dst: dst, buf: make([]byte, 0, bufferSize), out: appendHeader(nil, -1, true)}
	w.e.begin()
	w.sum.reset()
	return w
}

// bufferSize makes room for half a window of new content before the old is moved.
const bufferSize = window + window/2

// outSize is how much is collected for one write, which may cross to a host.
const outSize = 128 << 10

// Write compresses p; it may be written later.
func (w *Writer) Write(p []byte) (n int, err error) {
	for len(p) > 0 && w.err == nil {
		if len(w.buf) == cap(w.buf) {
			w.slide()
		}
		k := min(len(p), cap(w.buf)-len(w.buf), w.done+maxBlock-len(w.buf))
		w.buf = append(w.buf, p[:k]...)
		p = p[k:]
		n += k
		// A full block may be the last one only if nothing follows: it is encoded when more comes.
		if len(p) > 0 && len(w.buf) == w.done+maxBlock {
			w.block(false)
		}
	}
	return n, w.err
}

// slide moves the window to the begin of the buffer.
func (w *Writer) slide() {
	if len(w.buf) == w.done+maxBlock {
		w.block(false)
	}
	drop := w.done - window
	w.buf = w.buf[:copy(w.buf, w.buf[drop:])]
	w.done -= drop
	for i, v := range w.e.table {
		w.e.table[i] = max(0, v-int32(drop))
	}
}

func (w *Writer) block(last bool) {
	b := w.buf[w.done:]
	w.sum.write(b)
	w.out = w.e.encode(w.out, w.buf, w.done, len(w.buf), last)
	w.done = len(w.buf)
	if last {
		w.out = binary.LittleEndian.AppendUint32(w.out, w.sum.sum())
	}
	if last || len(w.out) >= outSize {
		if _, err := w.dst.Write(w.out); err != nil && w.err == nil {
			w.err = err
		}
		w.out = w.out[:0]
	}
}

// Close ends the frame; it does not close the writer below.
func (w *Writer) Close() error {
	if w.err == nil {
		w.block(true)
	}
	return w.err
}
