package wire

import (
	"strconv"

	"github.com/cardferry/cardferry/core/jsontext"
)

// Revlog is one review (§9.4).
type Revlog struct {
	ID, CardID             int64 // ms
	USN                    int32
	Ease                   uint8
	Interval, LastInterval int32 // days if > 0, seconds if < 0
	Factor, Time           uint32
	Type                   uint8
}

// Card is one card (§9.5).
type Card struct {
	ID, NoteID, DeckID int64
	Ord                uint16
	Mod                int64 // s
	USN                int32
	Type               uint8
	Queue              int8
	Due                int32
	Interval           uint32
	Factor             uint16
	Reps, Lapses, Left uint32
	ODue               int32
	ODeckID            int64
	Flags              uint8
	Data               string
}

// Note is one note (§9.6). Sort field and checksum do not travel: receivers compute them.
type Note struct {
	ID         int64
	GUID       string
	NotetypeID int64
	Mod        int64 // s
	USN        int32
	Tags       string
	Fields     string // joined by U+001F
}

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
		return damaged("a chunk at byte "+strconv.Itoa(s.Pos), err)
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

func appendRevlog(dst []byte, r *Revlog) []byte {
	return ints(dst, r.ID, r.CardID, int64(r.USN), int64(r.Ease), int64(r.Interval), int64(r.LastInterval),
		int64(r.Factor), int64(r.Time), int64(r.Type))
}

func appendCard(dst []byte, c *Card) []byte {
	dst = ints(dst, c.ID, c.NoteID, c.DeckID, int64(c.Ord), c.Mod, int64(c.USN), int64(c.Type), int64(c.Queue),
		int64(c.Due), int64(c.Interval), int64(c.Factor), int64(c.Reps), int64(c.Lapses), int64(c.Left),
		int64(c.ODue), c.ODeckID, int64(c.Flags))
	return jsontext.AppendString(append(dst, ','), c.Data)
}

func appendNote(dst []byte, n *Note) []byte {
	dst = strconv.AppendInt(dst, n.ID, 10)
	dst = jsontext.AppendString(append(dst, ','), n.GUID)
	dst = ints(append(dst, ','), n.NotetypeID, n.Mod, int64(n.USN))
	dst = jsontext.AppendString(append(dst, ','), n.Tags)
	dst = jsontext.AppendString(append(dst, ','), n.Fields)
	return append(dst, `,"","",0,""`...)
}
