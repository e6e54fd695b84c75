package legacy

import "github.com/cardferry/cardferry/core/jsontext"

// notetypeConfig is the message Notetype.Config.
type notetypeConfig struct {
	kind       int64
	sortField  int64
	css        string
	did        int64
	latexPre   string
	latexPost  string
	latexSVG   bool
	reqs       []requirement
	stockKind  int64
	originalID *int64
	other      []byte
}

// requirement is the message CardRequirement: which fields a card template needs. It is passed on, not used.
type requirement struct {
	ord    int64
	kind   int64
	fields []int64
}

// requirementKinds are the names of the kinds, by number.
var requirementKinds = [...]string{"none", "any", "all"}

func decodeNotetype(b []byte) (c notetypeConfig, err error) {
	for m := newMessage(b, &err); m.next(); {
		switch m.num {
		case 1:
			m.int32(&c.kind)
		case 2:
			m.uint32(&c.sortField)
		case 3:
			m.string(&c.css)
		case 4:
			m.int64(&c.did)
		case 5:
			m.string(&c.latexPre)
		case 6:
			m.string(&c.latexPost)
		case 7:
			m.bool(&c.latexSVG)
		case 8:
			var body []byte
			m.bytes(&body)
			c.reqs = append(c.reqs, decodeRequirement(body, &err))
		case 9:
			m.int32(&c.stockKind)
		case 10:
			c.originalID = new(int64)
			m.int64(c.originalID)
		case fieldOther:
			m.bytes(&c.other)
		}
	}
	return c, err
}

func decodeRequirement(b []byte, err *error) (r requirement) {
	for m := newMessage(b, err); m.next(); {
		switch m.num {
		case 1:
			m.uint32(&r.ord)
		case 2:
			m.int32(&r.kind)
		case 3:
			m.uint32s(&r.fields)
		}
	}
	return r
}

func (c *notetypeConfig) encode() []byte {
	dst := putInt([]byte{}, 1, c.kind)
	dst = putInt(dst, 2, c.sortField)
	dst = putBytes(dst, 3, c.css)
	dst = putInt(dst, 4, c.did)
	dst = putBytes(dst, 5, c.latexPre)
	dst = putBytes(dst, 6, c.latexPost)
	dst = putBool(dst, 7, c.latexSVG)
	for _, r := range c.reqs {
		body := putInt(nil, 1, r.ord)
		body = putInt(body, 2, r.kind)
		dst = putMessage(dst, 8, putInts(body, 3, r.fields))
	}
	dst = putInt(dst, 9, c.stockKind)
	dst = putSetInt(dst, 10, c.originalID)
	return putBytes(dst, fieldOther, c.other)
}

// parseRequirement takes [0, "any", [0, 1]].
func parseRequirement(raw []byte) (r requirement, ok bool) {
	parts, ok := jsontext.Elements(raw)
	if !ok || len(parts) != 3 {
		return r, false
	}
	ord, okOrd := u16(parts[0])
	name, okKind := text(parts[1])
	fields, okFields := listOf(u16)(parts[2])
	for kind, known := range requirementKinds {
		if known == name {
			return requirement{ord, int64(kind), fields}, okOrd && okKind && okFields
		}
	}
	return r, false
}

func appendRequirements(dst []byte, reqs []requirement) []byte {
	dst = append(jsontext.AppendKey(dst, "req"), '[')
	for _, r := range reqs {
		kind := requirementKinds[0]
		if 0 <= r.kind && r.kind < int64(len(requirementKinds)) {
			kind = requirementKinds[r.kind]
		}
		dst = appendElement(append(jsontext.Separate(dst), '['), r.ord)
		dst = jsontext.AppendString(jsontext.Separate(dst), kind)
		dst = append(jsontext.Separate(dst), '[')
		for _, f := range r.fields {
			dst = appendElement(dst, f)
		}
		dst = append(dst, "]]"...)
	}
	return append(dst, ']')
}
