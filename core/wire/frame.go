package wire

import (
	"bufio"
	"io"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/klauspost/compress/zstd"
)

const (
	// maxWindow bounds a decoder's memory. The reference's encoder uses up to 8 MiB.
	maxWindow = 16 << 20
	// maxDecoded bounds what Decompress returns whatever its limit.
	maxDecoded = 128 << 20
	// readBlock is how much is read ahead of a streaming decoder.
	readBlock = 256 << 10
	// encodeWindow bounds the encoder's memory; larger windows gain little on cards.
	encodeWindow = 1 << 20
)

// Codec compresses and decompresses message bodies: one zstd frame each (§3.3). It reuses its tables; use one per task.
type Codec struct {
	enc *zstd.Encoder
	dec *zstd.Decoder
}

// NewCodec returns a codec. Memory is taken when it is first used.
func NewCodec() *Codec { return &Codec{} }

func encoderOptions() []zstd.EOption {
	return []zstd.EOption{
		zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithWindowSize(encodeWindow), zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(false),
	}
}

func decoderOptions() []zstd.DOption {
	return []zstd.DOption{
		zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderMaxMemory(maxDecoded),
	}
}

// Compress appends the frame of src to dst.
func (c *Codec) Compress(dst, src []byte) []byte {
	if c.enc == nil {
		c.enc, _ = zstd.NewWriter(nil, encoderOptions()...) // fails only on bad options
	}
	return c.enc.EncodeAll(src, dst)
}

// Decompress appends the payload of the frame src to dst. A payload of more than limit bytes, a truncated frame or
// anything else that is no zstd is fault.DamagedDownload.
func (c *Codec) Decompress(dst, src []byte, limit int64) ([]byte, error) {
	if c.dec == nil {
		c.dec, _ = zstd.NewReader(nil, decoderOptions()...) // fails only on bad options
	}
	if len(src) == 0 {
		return nil, damaged("the answer", io.ErrUnexpectedEOF)
	}
	before := len(dst)
	b, err := c.dec.DecodeAll(src, dst)
	if err != nil {
		return nil, damaged("the answer", err)
	}
	if int64(len(b)-before) > limit {
		return nil, fault.New(fault.DamagedDownload, "the answer is longer than %d bytes", limit)
	}
	return b, nil
}

// NewWriter returns a writer that compresses to w; Close ends the frame.
func NewWriter(w io.Writer) (io.WriteCloser, error) {
	return zstd.NewWriter(w, encoderOptions()...)
}

// NewReader returns a reader of the payload of the frame in r. Errors of the frame are fault.DamagedDownload, those of r
// come as they are.
func NewReader(r io.Reader) (io.ReadCloser, error) {
	src := &source{r: r}
	// The decoder asks for three bytes at a time; each read of r may be a trip through the host.
	z, err := zstd.NewReader(bufio.NewReaderSize(src, readBlock), decoderOptions()...)
	if err != nil {
		return nil, src.explain(err)
	}
	return &reader{src, z}, nil
}

// source remembers the error of the underlying reader, to tell it from one of the frame.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

func (s *source) explain(err error) error {
	switch {
	case err == nil || err == io.EOF:
		return err
	case s.err != nil:
		return s.err
	}
	return damaged("the file", err)
}

type reader struct {
	src *source
	z   *zstd.Decoder
}

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.z.Read(p)
	return n, r.src.explain(err)
}

func (r *reader) Close() error {
	r.z.Close()
	return nil
}
