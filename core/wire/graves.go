package wire

import (
	"strconv"

	"github.com/cardferry/cardferry/core/jsontext"
)

// Graves are the ids of deleted objects (§7.4).
type Graves struct {
	Cards, Notes, Decks []int64
}

// Len returns the number of ids.
func (g Graves) Len() int { return len(g.Cards) + len(g.Notes) + len(g.Decks) }

// ParseGraves decodes the answer to start. All three arrays must be there and hold integers.
func ParseGraves(b []byte) (Graves, error) {
	o := readObject(b)
	g := Graves{
		Cards: required(o, "cards", parseIDs), Notes: required(o, "notes", parseIDs), Decks: required(o, "decks", parseIDs),
	}
	if o.err != nil {
		return Graves{}, damaged("graves", o.err)
	}
	return g, nil
}

func parseIDs(raw []byte) ([]int64, bool) {
	list, ok := jsontext.Elements(raw)
	if !ok {
		return nil, false
	}
	ids := make([]int64, len(list))
	for i, e := range list {
		if ids[i], ok = jsontext.Int(e); !ok {
			return nil, false
		}
	}
	return ids, true
}

// AppendGraves appends the JSON of g.
func AppendGraves(dst []byte, g Graves) []byte {
	dst = appendIDs(append(dst, `{"cards":`...), g.Cards)
	dst = appendIDs(append(dst, `,"decks":`...), g.Decks)
	dst = appendIDs(append(dst, `,"notes":`...), g.Notes)
	return append(dst, '}')
}

func appendIDs(dst []byte, ids []int64) []byte {
	dst = append(dst, '[')
	for i, id := range ids {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendInt(dst, id, 10)
	}
	return append(dst, ']')
}

// StartRequest returns the body of start (§7.3).
func StartRequest(minUSN int32, localNewer bool) []byte {
	b := jsontext.AppendInt(jsontext.AppendKey([]byte("{"), "minUsn"), int64(minUSN))
	b = jsontext.AppendBool(jsontext.AppendKey(b, "lnewer"), localNewer)
	return append(b, `,"graves":null}`...)
}

// ApplyGravesRequest returns the body of applyGraves.
func ApplyGravesRequest(g Graves) []byte {
	return append(AppendGraves([]byte(`{"chunk":`), g), '}')
}
