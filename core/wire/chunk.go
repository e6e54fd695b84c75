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

// ApplyChunkRequest returns the body of applyChunk.
func ApplyChunkRequest(c *Chunk) []byte {
	return append(AppendChunk([]byte(`{"chunk":`), c), '}')
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
		dst = strconv.AppendInt(dst, n, 10)
	}
	return dst
}
