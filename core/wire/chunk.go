package wire

import (
	"strconv"

	"github.com/cardferry/cardferry/core/jsontext"
)

// Chunk is one slice of the rows to transfer (§7.6).
type Chunk struct {
	Done   bool
	Revlog []Revlog
	Cards  []Card
	Notes  []Note
}

// Len returns the number of rows.
func (c *Chunk) Len() int { return len(c.Revlog) + len(c.Cards) + len(c.Notes) }

// ParseChunk decodes the answer to chunk into c, reusing its slices. The strings do not alias b. After an error c is empty.
func ParseChunk(b []byte, c *Chunk) error {
	*c = Chunk{Revlog: c.Revlog[:0], Cards: c.Cards[:0], Notes: c.Notes[:0]}
	s := newTupleScanner(b)
	err := s.chunk(c)
	if err != nil {
		*c = Chunk{Revlog: c.Revlog[:0], Cards: c.Cards[:0], Notes: c.Notes[:0]}
		return damaged("a chunk at byte "+strconv.Itoa(s.at), err)
	}
	return nil
}

// AppendChunk appends the JSON of c. Empty arrays are left out, as the reference does.
func AppendChunk(dst []byte, c *Chunk) []byte {
	dst = jsontext.AppendBool(append(dst, `{"done":`...), c.Done)
	if len(c.Revlog) > 0 {
		dst = appendTuples(append(dst, `,"revlog":`...), c.Revlog, appendRevlog)
	}
	if len(c.Cards) > 0 {
		dst = appendTuples(append(dst, `,"cards":`...), c.Cards, appendCard)
	}
	if len(c.Notes) > 0 {
		dst = appendTuples(append(dst, `,"notes":`...), c.Notes, appendNote)
	}
	return append(dst, '}')
}

// ApplyChunkRequest appends the body of applyChunk.
func ApplyChunkRequest(dst []byte, c *Chunk) []byte {
	return append(AppendChunk(append(dst, `{"chunk":`...), c), '}')
}

// ChunkRequest returns the body of chunk; slice is the number of rows that are wanted in the answer, if the server is one
// of ours, else 0: nothing may be added for others (§3.3).
func ChunkRequest(slice int) []byte {
	if slice == 0 {
		return []byte("{}")
	}
	return append(jsontext.PutInt([]byte{'{'}, "slice", int64(slice)), '}')
}

func appendTuples[T any](dst []byte, list []T, one func([]byte, *T) []byte) []byte {
	for i := range list {
		sep := byte(',')
		if i == 0 {
			sep = '['
		}
		dst = append(one(append(dst, sep, '['), &list[i]), ']')
	}
	return append(dst, ']')
}

// ints appends numbers with commas between.
func ints(dst []byte, list ...int64) []byte {
	for i, n := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		if uint64(n) < 10 {
			dst = append(dst, '0'+byte(n))
		} else {
			dst = appendInt(dst, n)
		}
	}
	return dst
}

// appendInt is strconv.AppendInt for the numbers of a sync, mostly with 32-bit divisions: in Wasm each is one
// multiplication, where Go makes four of a 64-bit one.
func appendInt(dst []byte, n int64) []byte {
	const billion = 1_000_000_000
	if n <= -billion || n >= billion*billion {
		return strconv.AppendInt(dst, n, 10)
	}
	if n < 0 {
		dst, n = append(dst, '-'), -n
	}
	if n < billion {
		return appendDigits(dst, uint32(n), 0)
	}
	high := n / billion
	dst = appendDigits(dst, uint32(high), 0)
	return appendDigits(dst, uint32(n-high*billion), 9)
}

// appendDigits appends n, below 10^9, with at least width digits.
func appendDigits(dst []byte, n uint32, width int) []byte {
	var b [9]byte
	i := len(b)
	for n >= 10 || i > len(b)-width+1 {
		q := n / 10
		i--
		b[i] = '0' + byte(n-q*10)
		n = q
	}
	i--
	b[i] = '0' + byte(n)
	return append(dst, b[i:]...)
}
