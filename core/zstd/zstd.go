// Package zstd compresses and decompresses Zstandard frames (RFC 8878): what sync bodies need and no more. There is one
// compression level, comparable to zstd's fastest, no dictionary, no concurrency, no skippable frame, and whatever comes
// after a frame is left alone.
//
// It exists because of the guest's size. The usual package brings four encoders, crypto/rand, log and fmt with it, which is
// a third of the whole guest. Tests compare both in both directions.
package zstd

import "errors"

// The errors of a frame. Those of a reader come as they are.
var (
	ErrCorrupt   = errors.New("not a valid zstd frame")
	ErrTruncated = errors.New("the zstd frame is cut off")
	ErrTooLong   = errors.New("the zstd frame has too much content")
	ErrWindow    = errors.New("the zstd frame asks for too large a window")
	ErrChecksum  = errors.New("the content of the zstd frame does not match its checksum")
)

const (
	magic    = 0xFD2FB528
	maxBlock = 128 << 10
	// maxWindow bounds a Reader's memory. The reference's encoder uses up to 8 MiB.
	maxWindow = 16 << 20

	blockRaw        = 0
	blockRLE        = 1
	blockCompressed = 2

	literalsRaw        = 0
	literalsRLE        = 1
	literalsCompressed = 2
	literalsTreeless   = 3

	modePredefined = 0
	modeRLE        = 1
	modeFSE        = 2
	modeRepeat     = 3
)

// code is what a symbol of a sequence table stands for: base plus a number of extra bits.
type code struct {
	base uint32
	bits uint8
}

// The codes of literal lengths and match lengths (§3.1.1.3.2.1.1). Offset code n is 1<<n with n bits.
var (
	lengthCodes = codes(0, 16, 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)
	matchCodes  = codes(3, 32, 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)
	offsetCodes = powers()
)

// codes returns single values from base on, then codes with the given extra bits.
func codes(base uint32, single int, extra ...uint8) []code {
	var list []code
	for range single {
		list = append(list, code{base, 0})
		base++
	}
	for _, bits := range extra {
		list = append(list, code{base, bits})
		base += 1 << bits
	}
	return list
}

func powers() []code {
	list := make([]code, 32)
	for i := range list {
		list[i] = code{1 << i, uint8(i)}
	}
	return list
}

// tableKind describes one of the three tables of a sequences section.
type tableKind struct {
	codes  []code
	maxLog uint
	// norm and log are the predefined distribution (§3.1.1.3.2.2).
	norm []int16
	log  uint
}

var (
	lengthKind = &tableKind{lengthCodes, 9, []int16{4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1,
		-1, -1, -1, -1}, 6}
	offsetKind = &tableKind{offsetCodes, 8, []int16{1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1}, 5}
	matchKind  = &tableKind{matchCodes, 9, []int16{1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
		1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1}, 6}
)

// repeats are the three latest offsets (§3.1.1.5).
type repeats [3]int

func newRepeats() repeats { return repeats{1, 4, 8} }

// resolve returns the offset that a value stands for and moves it to the front; 0 if there is none.
func (r *repeats) resolve(value, literals int) int {
	if value > 3 {
		*r = repeats{value - 3, r[0], r[1]}
		return r[0]
	}
	if literals == 0 {
		value++
	}
	switch value {
	case 1:
	case 2:
		r[0], r[1] = r[1], r[0]
	case 3:
		*r = repeats{r[2], r[0], r[1]}
	default:
		*r = repeats{r[0] - 1, r[0], r[1]}
	}
	return r[0]
}

// value is the opposite of resolve.
func (r *repeats) value(offset, literals int) int {
	v := offset + 3
	for i, o := range r {
		if o == offset && (literals > 0 || i > 0) {
			v = i + 1
			if literals == 0 {
				v = i
			}
			break
		}
	}
	r.resolve(v, literals)
	return v
}
