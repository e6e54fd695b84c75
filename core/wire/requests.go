package wire

import (
	"bytes"
	"math"

	"github.com/cardferry/cardferry/core/jsontext"
)

// The decoders of this file are a server's: of what clients send. They are as strict as the reference's server, but for the
// positions in a note that are not used (ParseChunk).

// ParseLoginRequest decodes the request hostKey.
func ParseLoginRequest(b []byte) (user, password string, err error) {
	o := readObject(b)
	user, password = required(o, "u", jsontext.String), required(o, "p", jsontext.String)
	if o.err != nil {
		return "", "", damaged("the request hostKey", o.err)
	}
	return user, password, nil
}

// ParseMetaRequest decodes the request meta: the protocol version, whatever it is, and the program's name.
func ParseMetaRequest(b []byte) (version int64, client string, err error) {
	o := readObject(b)
	version = required(o, "v", func(raw []byte) (int64, bool) { return jsontext.IntIn(raw, 0, math.MaxUint8) })
	client = required(o, "cv", jsontext.String)
	if o.err != nil {
		return 0, "", damaged("the request meta", o.err)
	}
	return version, client, nil
}

// Start is the request start (§7.3).
type Start struct {
	MinUSN     int32
	LocalNewer bool
	Graves     *Graves // of old clients, which send all at once; nil: none
}

// ParseStartRequest decodes the request start.
func ParseStartRequest(b []byte) (s Start, err error) {
	o := readObject(b)
	s.MinUSN = required(o, "minUsn", jsontext.Int32)
	s.LocalNewer = required(o, "lnewer", jsontext.Bool)
	if raw := o.raw("graves"); raw != nil && o.err == nil {
		g, err := parseAnyGraves(raw)
		if err != nil {
			o.fail(err)
		}
		s.Graves = &g
	}
	if o.err != nil {
		return Start{}, damaged("the request start", o.err)
	}
	return s, nil
}

// parseAnyGraves decodes graves whose ids are all integers or all strings.
func parseAnyGraves(raw []byte) (g Graves, err error) {
	if g, err = ParseGraves(raw); err == nil {
		return g, nil
	}
	o := readObject(raw)
	g = Graves{
		Cards: required(o, "cards", parseTextIDs), Notes: required(o, "notes", parseTextIDs), Decks: required(o, "decks", parseTextIDs),
	}
	return g, o.err
}

func parseTextIDs(raw []byte) ([]int64, bool) {
	list, ok := jsontext.Strings(raw)
	ids := make([]int64, len(list))
	for i := 0; i < len(list) && ok; i++ {
		ids[i], ok = jsontext.Int([]byte(list[i]))
	}
	return ids, ok
}

// inner returns the value of the one member that a request consists of.
func inner(b []byte, key, what string) ([]byte, error) {
	o := readObject(b)
	raw := required(o, key, func(raw []byte) ([]byte, bool) { return raw, true })
	if o.err != nil {
		return nil, damaged(what, o.err)
	}
	return raw, nil
}

// ParseApplyGraves decodes the request applyGraves.
func ParseApplyGraves(b []byte) (Graves, error) {
	raw, err := inner(b, "chunk", "the request applyGraves")
	if err != nil {
		return Graves{}, err
	}
	return ParseGraves(raw)
}

// ParseApplyChanges decodes the request applyChanges.
func ParseApplyChanges(b []byte) (*Changes, error) {
	raw, err := inner(b, "changes", "the request applyChanges")
	if err != nil {
		return nil, err
	}
	return ParseChanges(raw)
}

// ParseApplyChunk decodes the request applyChunk into c, as ParseChunk does.
func ParseApplyChunk(b []byte, c *Chunk) error {
	// Nearly all look like this; to look for the end of what is inside first takes as long as to read it.
	const begin, end = `{"chunk":`, "}"
	if raw, ok := bytes.CutPrefix(b, []byte(begin)); ok {
		if raw, ok = bytes.CutSuffix(raw, []byte(end)); ok && ParseChunk(raw, c) == nil {
			return nil
		}
	}
	raw, err := inner(b, "chunk", "the request applyChunk")
	if err != nil {
		return err
	}
	return ParseChunk(raw, c)
}

// ParseSanityRequest decodes the request sanityCheck2. The due counts before the others are not used (§11).
func ParseSanityRequest(b []byte) (c Counts, err error) {
	raw, err := inner(b, "client", "the request sanityCheck2")
	if err != nil {
		return c, err
	}
	list, ok := jsontext.Elements(raw)
	fields := c.fields()
	if ok = ok && len(list) == len(fields)+1; ok {
		var due [][]byte
		due, ok = jsontext.Elements(list[0])
		ok = ok && len(due) == 3
		for _, n := range due {
			if _, isCount := jsontext.IntIn(n, 0, math.MaxUint32); !isCount {
				ok = false
			}
		}
	}
	for i := 0; i < len(fields) && ok; i++ {
		*fields[i], ok = jsontext.IntIn(list[i+1], 0, math.MaxUint32)
	}
	if !ok {
		return Counts{}, damaged("the request sanityCheck2", errType)
	}
	return c, nil
}

// ParseChunkRequest decodes the request chunk and returns how many rows the client wants in a slice, 0 if it does not say: that
// is an extension of ours, which only our server understands (contract §5).
func ParseChunkRequest(b []byte) (slice int, err error) {
	members, err := parseNothing(b)
	if err != nil {
		return 0, damaged("the request chunk", err)
	}
	if n, ok := jsontext.IntIn(jsontext.Get(members, "slice"), 0, 1<<20); ok {
		slice = int(n)
	}
	return slice, nil
}

// ParseNoRequest checks the body of a request without arguments: any object, or an array with nothing in it but null (§3.3).
func ParseNoRequest(b []byte) error {
	if _, err := parseNothing(b); err != nil {
		return damaged("a request without arguments", err)
	}
	return nil
}

func parseNothing(b []byte) ([]jsontext.Member, error) {
	s := jsontext.Scanner{B: b}
	if s.Space(); s.Peek() != '[' {
		return jsontext.ParseObject(b)
	}
	if !jsontext.Valid(b) {
		return nil, jsontext.ErrSyntax
	}
	list, _ := jsontext.Elements(b[s.Pos:])
	if len(list) > 1 || len(list) == 1 && string(list[0]) != "null" {
		return nil, errType
	}
	return nil, nil
}
