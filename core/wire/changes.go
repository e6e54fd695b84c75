package wire

import "github.com/cardferry/cardferry/core/jsontext"

// Changes are the objects that travel in one message (§7.5). Objects and config values stay the JSON text they are.
type Changes struct {
	Notetypes, Decks, DeckConfigs [][]byte
	Tags                          []string
	Config                        []ConfigEntry // nil: not sent
	Crt                           *int64        // nil: not sent
}

// ConfigEntry is one config key with the JSON text of its value.
type ConfigEntry struct {
	Key   string
	Value []byte
}

// ParseChanges decodes the answer to applyChanges. Of a config key that occurs twice the last value counts.
func ParseChanges(b []byte) (*Changes, error) {
	o := readObject(b)
	c := &Changes{Notetypes: required(o, "models", parseObjects), Tags: required(o, "tags", jsontext.Strings)}
	pair := required(o, "decks", jsontext.Elements)
	if o.err == nil && len(pair) != 2 {
		o.fail(errType)
	}
	if o.err == nil {
		var ok1, ok2 bool
		c.Decks, ok1 = parseObjects(pair[0])
		c.DeckConfigs, ok2 = parseObjects(pair[1])
		if !ok1 || !ok2 {
			o.fail(errType)
		}
	}
	c.Config = optional(o, "conf", parseConfig)
	if o.raw("crt") != nil {
		crt := required(o, "crt", jsontext.Int)
		c.Crt = &crt
	}
	if o.err != nil {
		return nil, damaged("changes", o.err)
	}
	return c, nil
}

func parseObjects(raw []byte) ([][]byte, bool) {
	list, ok := jsontext.Elements(raw)
	if !ok {
		return nil, false
	}
	out := make([][]byte, len(list))
	for i, e := range list {
		if e[0] != '{' {
			return nil, false
		}
		out[i] = e
	}
	return out, true
}

func parseConfig(raw []byte) ([]ConfigEntry, bool) {
	members, err := jsontext.ParseObject(raw)
	if err != nil {
		return nil, false
	}
	last := make(map[string]int, len(members))
	for i, m := range members {
		last[m.Key] = i
	}
	out := make([]ConfigEntry, 0, len(last))
	for i, m := range members {
		if last[m.Key] == i {
			out = append(out, ConfigEntry{m.Key, m.Raw})
		}
	}
	return out, true
}

// AppendChanges appends the JSON of c.
func AppendChanges(dst []byte, c *Changes) []byte {
	dst = appendObjects(append(dst, `{"models":`...), c.Notetypes)
	dst = appendObjects(append(dst, `,"decks":[`...), c.Decks)
	dst = appendObjects(append(dst, ','), c.DeckConfigs)
	dst = jsontext.AppendStrings(append(dst, `],"tags":`...), c.Tags)
	if c.Config != nil {
		dst = append(dst, `,"conf":{`...)
		for _, e := range c.Config {
			dst = append(jsontext.AppendKey(dst, e.Key), e.Value...)
		}
		dst = append(dst, '}')
	}
	if c.Crt != nil {
		dst = jsontext.AppendInt(append(dst, `,"crt":`...), *c.Crt)
	}
	return append(dst, '}')
}

func appendObjects(dst []byte, list [][]byte) []byte {
	dst = append(dst, '[')
	for i, raw := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, raw...)
	}
	return append(dst, ']')
}

// ApplyChangesRequest returns the body of applyChanges.
func ApplyChangesRequest(c *Changes) []byte {
	return append(AppendChanges([]byte(`{"changes":`), c), '}')
}

// Empty reports whether nothing is sent.
func (c *Changes) Empty() bool {
	return len(c.Notetypes)+len(c.Decks)+len(c.DeckConfigs)+len(c.Tags) == 0 && c.Config == nil && c.Crt == nil
}
