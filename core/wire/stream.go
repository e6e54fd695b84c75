package wire

import (
	"io"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// NewWriter returns a writer that compresses a whole file to w; Close ends the frame and leaves w open. The frame has
// a checksum, since not every damage to a collection is one that a server would see.
func NewWriter(w io.Writer) (io.WriteCloser, error) {
	return zstd.NewWriter(w, encoderOptions(true)...)
}

// decoding is what a reader needs, which is worth keeping: a decoder's window is megabytes, and a media sync would ask for it and
// clear it with each request.
type decoding struct {
	src source
	z   *zstd.Decoder
}

// decodings are those of closed readers.
var decodings sync.Pool

// NewReader returns a reader of the payload of the frame that r begins with. Errors of the frame are
// fault.DamagedDownload, those of r come as they are. It reads from r in large blocks, past the frame's end.
// Close must not be called beside a Read.
func NewReader(r io.Reader) (io.ReadCloser, error) {
	d, _ := decodings.Get().(*decoding)
	if d == nil {
		z, err := zstd.NewReader(nil, decoderOptions()...)
		if err != nil {
			return nil, err
		}
		d = &decoding{source{buf: make([]byte, sourceBlock)}, z}
	}
	d.src = source{r: r, buf: d.src.buf}
	if err := d.z.Reset(&d.src); err != nil {
		return nil, d.src.explain(err)
	}
	return &reader{d}, nil
}

// sourceBlock is how much is read at a time: the decoder alone would ask for three bytes, then a block, and each time
// that may cross to the host.
const sourceBlock = 64 << 10

// source gives a decoder the bytes of one frame. It remembers the error of the underlying reader, to tell it from one
// of the frame.
type source struct {
	r      io.Reader
	err    error
	buf    []byte
	rest   []byte // of buf
	bounds frameBounds
}

func (s *source) Read(p []byte) (int, error) {
	if len(s.rest) == 0 {
		if s.err != nil {
			return 0, s.err
		}
		if s.bounds.done {
			return 0, io.EOF
		}
		s.fill()
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

func (s *source) fill() {
	n, err := s.r.Read(s.buf)
	used, berr := s.bounds.feed(s.buf[:n])
	s.rest = s.buf[:used]
	switch {
	case s.bounds.done:
	case berr != nil:
		s.err = damaged("the file", berr)
	case err == io.EOF:
		s.err = damaged("the file", errTruncated)
	case err != nil:
		s.err = err
	}
}

// explain returns the error behind err, which the decoder reports.
func (s *source) explain(err error) error {
	switch {
	case err == nil || err == io.EOF && s.err == nil:
		return err
	case s.err != nil:
		return s.err
	}
	return damaged("the file", err)
}

// reader has what it decodes with until it is closed.
type reader struct{ *decoding }

func (r *reader) Read(p []byte) (int, error) {
	if r.decoding == nil {
		return 0, io.ErrClosedPipe
	}
	n, err := r.z.Read(p)
	return n, r.src.explain(err)
}

func (r *reader) Close() error {
	if d := r.decoding; d != nil {
		r.decoding = nil
		d.src = source{buf: d.src.buf}
		if d.z.Reset(nil) == nil {
			decodings.Put(d)
		}
	}
	return nil
}
