package wire

import (
	"slices"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/zstd"
)

// Codec compresses and decompresses message bodies: one zstd frame each (§3.3). It reuses its tables; use one per task.
type Codec struct {
	enc zstd.Encoder
	dec zstd.Decoder
}

// NewCodec returns a codec. Memory is taken when it is first used.
func NewCodec() *Codec { return &Codec{} }

// Compress appends the frame of src to dst.
func (c *Codec) Compress(dst, src []byte) []byte { return c.enc.Append(dst, src) }

// Decompress appends the payload of the frame that src begins with to dst; what follows the frame is ignored, as the
// reference does. A payload of more than limit bytes, of which no more than that is decoded, a truncated frame or
// anything else that is no zstd is fault.DamagedDownload.
func (c *Codec) Decompress(dst, src []byte, limit int64) ([]byte, error) {
	if cap(dst) == len(dst) { // limit is mostly the announced size, so this is all that is needed
		dst = slices.Grow(dst, int(max(0, min(limit, 1<<20, 64*int64(len(src))))))
	}
	b, _, err := c.dec.Decode(dst, src, int(max(0, limit)))
	if err == zstd.ErrTooLong {
		return nil, fault.New(fault.DamagedDownload, "the answer is longer than %d bytes", limit)
	}
	if err != nil {
		return nil, damaged("the answer", err)
	}
	return b, nil
}
