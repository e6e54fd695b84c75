package wire

import (
	"slices"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/klauspost/compress/zstd"
)

const (
	// maxWindow bounds a decoder's memory. The reference's encoder uses up to 8 MiB.
	maxWindow = 16 << 20
	// encodeWindow bounds the encoder's memory. On cards 1 MiB gains 0.1 %, and takes a sixth more time, as it is more than
	// what a processor has at hand.
	encodeWindow = 256 << 10
)

// Codec compresses and decompresses message bodies: one zstd frame each (§3.3). It reuses its tables; use one per task.
type Codec struct {
	enc    *zstd.Encoder
	dec    *zstd.Decoder
	memory int64 // limit of dec
}

// NewCodec returns a codec. Memory is taken when it is first used.
func NewCodec() *Codec { return &Codec{} }

// encoderOptions keep all work on the calling goroutine: the guest has no other thread.
func encoderOptions(checksum bool) []zstd.EOption {
	return []zstd.EOption{
		zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithWindowSize(encodeWindow), zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(checksum),
	}
}

func decoderOptions() []zstd.DOption {
	return []zstd.DOption{
		zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow),
	}
}

// maxRaw is the longest payload that is not worth the encoder's tables, 1 ms in the guest: all of a sync that has nothing to do.
// Its length fits into one byte.
const maxRaw = 255

// Compress appends the frame of src to dst. Short payloads are framed as they are: one segment with one raw block.
func (c *Codec) Compress(dst, src []byte) []byte {
	if n := len(src); n <= maxRaw {
		const singleSegment, last = 1 << 5, 1
		dst = append(dst, frameMagic&0xFF, frameMagic>>8&0xFF, frameMagic>>16&0xFF, frameMagic>>24, singleSegment, byte(n), last|byte(n<<3), byte(n>>5), 0)
		return append(dst, src...)
	}
	if c.enc == nil {
		c.enc, _ = zstd.NewWriter(nil, encoderOptions(false)...) // fails only on bad options
	}
	return c.enc.EncodeAll(src, dst)
}

// Decompress appends the payload of the frame that src begins with to dst; what follows the frame is ignored, as the
// reference does. A payload of more than limit bytes, of which no more than a window is decoded, a truncated
// frame or anything else that is no zstd is fault.DamagedDownload.
func (c *Codec) Decompress(dst, src []byte, limit int64) ([]byte, error) {
	var f frameBounds
	end, err := f.feed(src)
	if err == nil && !f.done {
		err = errTruncated
	}
	if err == nil {
		// Not below the window: the reference's frames declare one of megabytes for a payload of a few bytes.
		// The decoder counts what is in dst in one of its checks, and takes no window below the smallest.
		err = c.decoder(max(limit, f.window, zstd.MinWindowSize) + int64(len(dst)))
	}
	if err != nil {
		return nil, damaged("the answer", err)
	}
	before := len(dst)
	// limit is mostly the announced size, so this is all that is needed. Growing bit by bit would take several times as much. A short message
	// has one block, which is seldom as long as it may be.
	most := int64(f.blocks) * maxBlock
	if f.blocks == 1 {
		most = min(most, 64*int64(end))
	}
	dst = slices.Grow(dst, int(max(0, min(limit, most))))
	b, err := c.dec.DecodeAll(src[:end], dst)
	if err == zstd.ErrDecoderSizeExceeded || err == nil && int64(len(b)-before) > limit {
		return nil, TooLong(limit)
	}
	if err != nil {
		return nil, damaged("the answer", err)
	}
	return b, nil
}

// TooLong is the error for an answer of more than limit bytes.
func TooLong(limit int64) error {
	return fault.New(fault.DamagedDownload, "the answer is longer than %d bytes", limit).WithHint(Hint)
}

// decoder prepares dec for frames of up to memory bytes.
func (c *Codec) decoder(memory int64) (err error) {
	option := zstd.WithDecoderMaxMemory(uint64(memory))
	switch {
	case c.dec == nil:
		c.dec, err = zstd.NewReader(nil, append(decoderOptions(), option)...)
	case c.memory != memory:
		err = c.dec.ResetWithOptions(nil, option)
	}
	c.memory = memory
	return err
}
