package wire

import (
	"io"

	"github.com/cardferry/cardferry/core/zstd"
)

// NewWriter returns a writer that compresses a whole file to w; Close ends the frame and leaves w open. The frame has
// a checksum, since not every damage to a collection is one that a server would see.
func NewWriter(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w), nil }

// NewReader returns a reader of the payload of the frame that r begins with. Errors of the frame are
// fault.DamagedDownload, those of r come as they are. It reads from r in large blocks, past the frame's end.
func NewReader(r io.Reader) (io.ReadCloser, error) { return &reader{zstd.NewReader(r)}, nil }

type reader struct{ z *zstd.Reader }

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.z.Read(p)
	switch err {
	case zstd.ErrCorrupt, zstd.ErrTruncated, zstd.ErrTooLong, zstd.ErrWindow, zstd.ErrChecksum:
		err = damaged("the file", err)
	}
	return n, err
}

func (r *reader) Close() error { return nil }
