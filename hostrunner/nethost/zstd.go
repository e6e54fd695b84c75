package nethost

import (
	"runtime"

	"github.com/cardferry/cardferry/core/wire"
)

// maxDecoded is up to which size an answer is decompressed here. The core knows how long a longer one may be.
const maxDecoded = 4 << 20

// codecs are lent to the calls, one for each processor: a codec has more than a megabyte of tables.
type codecs chan *wire.Codec

func newCodecs() codecs {
	c := make(codecs, runtime.GOMAXPROCS(0))
	for range cap(c) {
		c <- wire.NewCodec()
	}
	return c
}

// compress returns the frame of body.
func (c codecs) compress(body []byte) []byte {
	codec := <-c
	defer func() { c <- codec }()
	return codec.Compress(nil, body)
}

// decompress returns the payload of the frame body, or body itself and false if it is no frame or too long.
func (c codecs) decompress(body []byte, limit int64) (_ []byte, ok bool) {
	if limit <= 0 || limit > maxDecoded {
		limit = maxDecoded
	}
	codec := <-c
	defer func() { c <- codec }()
	payload, err := codec.Decompress(nil, body, limit)
	if err != nil {
		return body, false
	}
	return payload, true
}
