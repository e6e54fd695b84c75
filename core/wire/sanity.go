package wire

import (
	"math"

	"github.com/cardferry/cardferry/core/jsontext"
)

// Counts are the row counts that both sides compare (§11). The due counts before them on the wire are always zero.
type Counts struct {
	Cards       int64 `json:"cards"`
	Notes       int64 `json:"notes"`
	Revlog      int64 `json:"revlog"`
	Graves      int64 `json:"graves"`
	Notetypes   int64 `json:"notetypes"`
	Decks       int64 `json:"decks"`
	DeckConfigs int64 `json:"deck_config"`
}

// AppendJSON appends c as an object, as its struct tags have it.
func (c Counts) AppendJSON(dst []byte) []byte {
	dst = jsontext.PutInt(append(dst, '{'), "cards", c.Cards)
	dst = jsontext.PutInt(dst, "notes", c.Notes)
	dst = jsontext.PutInt(dst, "revlog", c.Revlog)
	dst = jsontext.PutInt(dst, "graves", c.Graves)
	dst = jsontext.PutInt(dst, "notetypes", c.Notetypes)
	dst = jsontext.PutInt(dst, "decks", c.Decks)
	return append(jsontext.PutInt(dst, "deck_config", c.DeckConfigs), '}')
}

func (c *Counts) fields() []*int64 {
	return []*int64{&c.Cards, &c.Notes, &c.Revlog, &c.Graves, &c.Notetypes, &c.Decks, &c.DeckConfigs}
}

// SanityRequest returns the body of sanityCheck2.
func SanityRequest(c Counts) []byte {
	return append(appendCounts([]byte(`{"client":`), c), '}')
}

// SanityResult is the answer to sanityCheck2. The counts are for diagnostics; nil if they are missing or malformed.
type SanityResult struct {
	OK             bool
	Client, Server *Counts
}

// ParseSanity decodes the answer to sanityCheck2; a status other than "ok" and "bad" is an error.
func ParseSanity(b []byte) (SanityResult, error) {
	o := readObject(b)
	status := required(o, "status", jsontext.String)
	if o.err == nil && status != "ok" && status != "bad" {
		o.err = errType
	}
	if o.err != nil {
		return SanityResult{}, damaged("the sanity check", o.err)
	}
	return SanityResult{OK: status == "ok", Client: parseCounts(o.raw("c")), Server: parseCounts(o.raw("s"))}, nil
}

func parseCounts(raw []byte) *Counts {
	list, ok := jsontext.Elements(raw)
	var c Counts
	fields := c.fields()
	if !ok || len(list) != len(fields)+1 {
		return nil
	}
	for i, f := range fields {
		if *f, ok = jsontext.IntIn(list[i+1], 0, math.MaxInt64); !ok {
			return nil
		}
	}
	return &c
}
