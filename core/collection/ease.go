package collection

import (
	"encoding/binary"
	"math"

	"github.com/cardferry/cardferry/core/fault"
)

// The upgrade needs two values from inside the blobs of schema 15; everything else in them stays as it is.
const (
	easeField     = 11 // DeckConfig.Config.initial_ease, a float
	normalField   = 1  // Deck.KindContainer.normal, a message
	configIDField = 1  // Deck.Normal.config_id, an integer
)

// The wire types of protobuf.
const (
	wireVarint  = 0
	wireFixed64 = 1
	wireBytes   = 2
	wireFixed32 = 5
)

var errBlob = fault.New(fault.DamagedFile, "it does not decode")

// blobField is one field of a protobuf message.
type blobField struct {
	number uint64
	kind   uint64
	value  uint64 // of integers and floats
	bytes  []byte // of strings, bytes and messages
	whole  []byte // the field with its tag
}

// nextField splits the first field off a message.
func nextField(b []byte) (f blobField, rest []byte, err error) {
	tag, n := binary.Uvarint(b)
	if n <= 0 {
		return f, nil, errBlob
	}
	f.number, f.kind = tag>>3, tag&7
	body, used := b[n:], 0
	switch f.kind {
	case wireVarint:
		f.value, used = binary.Uvarint(body)
	case wireFixed64:
		used = 8
	case wireFixed32:
		if used = 4; len(body) >= used {
			f.value = uint64(binary.LittleEndian.Uint32(body))
		}
	case wireBytes:
		size, m := binary.Uvarint(body)
		if m <= 0 || size > uint64(len(body)-m) {
			return f, nil, errBlob
		}
		used = m + int(size)
		f.bytes = body[m:used]
	}
	if used <= 0 || used > len(body) {
		return f, nil, errBlob
	}
	f.whole = b[:n+used]
	return f, b[n+used:], nil
}

// initialEase reads the ease from the blob of a deck config.
func initialEase(config []byte) (ease float32, err error) {
	for len(config) > 0 {
		var f blobField
		if f, config, err = nextField(config); err != nil {
			return 0, err
		}
		if f.number == easeField && f.kind == wireFixed32 {
			ease = math.Float32frombits(uint32(f.value))
		}
	}
	return ease, nil
}

// withInitialEase returns the blob of a deck config, which must decode, with another ease.
func withInitialEase(config []byte, ease float32) []byte {
	out := make([]byte, 0, len(config)+5)
	written := ease == 0 // defaults are left out
	write := func() {
		out = binary.AppendUvarint(out, easeField<<3|wireFixed32)
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(ease))
		written = true
	}
	for len(config) > 0 {
		f, rest, err := nextField(config)
		if err != nil {
			return append(out, config...)
		}
		config = rest
		if f.number >= easeField && !written {
			write()
		}
		if f.number != easeField {
			out = append(out, f.whole...)
		}
	}
	if !written {
		write()
	}
	return out
}

// deckConfigOf reads the id of the deck config from the kind of a deck, 0 for a filtered deck.
func deckConfigOf(kind []byte) (id int64, err error) {
	for len(kind) > 0 {
		var f blobField
		if f, kind, err = nextField(kind); err != nil {
			return 0, err
		}
		if f.number != normalField || f.kind != wireBytes {
			continue
		}
		for body := f.bytes; len(body) > 0; {
			if f, body, err = nextField(body); err != nil {
				return 0, err
			}
			if f.number == configIDField && f.kind == wireVarint {
				id = int64(f.value)
			}
		}
	}
	return id, nil
}
