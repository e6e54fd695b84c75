package wire

import (
	"strconv"

	"github.com/cardferry/cardferry/core/jsontext"
)

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

func (s *tupleScanner) note() (n Note) {
	n.ID = s.integer()
	s.expect(',')
	n.GUID = s.string()
	s.expect(',')
	var v [3]int64
	if s.integers(v[:]) != 0 {
		s.fail(errType)
	}
	n.NotetypeID, n.Mod, n.USN = v[0], v[1], s.usn(v[2])
	s.expect(',')
	n.Tags = s.string()
	s.expect(',')
	n.Fields = s.string()
	s.expect(',')
	s.other() // sort field and checksum are recomputed; some servers send numbers
	s.expect(',')
	s.other()
	s.expect(',')
	s.uint32(s.integer()) // flags: ignored, as is data
	s.expect(',')
	s.string()
	return n
}

func appendNote(dst []byte, n *Note) []byte {
	dst = strconv.AppendInt(dst, n.ID, 10)
	dst = jsontext.AppendString(append(dst, ','), n.GUID)
	dst = ints(append(dst, ','), n.NotetypeID, n.Mod, int64(n.USN))
	dst = jsontext.AppendString(append(dst, ','), n.Tags)
	dst = jsontext.AppendString(append(dst, ','), n.Fields)
	return append(dst, `,"","",0,""`...)
}
