package legacy

import (
	"math"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/jsontext"
)

// templateConfig is the message Notetype.Template.Config.
type templateConfig struct {
	question        string
	answer          string
	browserQuestion string
	browserAnswer   string
	did             int64
	browserFont     string
	browserSize     int64
	id              *int64
	other           []byte
}

var templateKeys = []string{"name", "ord", "qfmt", "afmt", "bqfmt", "bafmt", "did", "bfont", "bsize", "id"}

func parseTemplate(raw []byte) (Template, error) {
	o := newObject("template", raw, true)
	name := strict(o, "name", text)
	// Only the order in the list counts.
	defaulted(o, "ord", orNull(u16), nil)
	c := templateConfig{
		question:        strict(o, "qfmt", text),
		answer:          defaulted(o, "afmt", text, ""),
		browserQuestion: defaulted(o, "bqfmt", text, ""),
		browserAnswer:   defaulted(o, "bafmt", text, ""),
		did:             tolerant(o, "did", i64, 0),
		browserFont:     tolerant(o, "bfont", text, ""),
		browserSize:     tolerant(o, "bsize", u8, 0),
		id:              tolerant(o, "id", set(i64), nil),
	}
	c.other = encodeOther(o.rest())
	if o.err != nil {
		return Template{}, o.err
	}
	return Template{Name: name, Config: c.encode()}, nil
}

func (n *Notetype) appendTemplates(dst []byte) ([]byte, error) {
	dst = append(jsontext.AppendKey(dst, "tmpls"), '[')
	for ord, t := range n.Templates {
		c, err := decodeTemplate(t.Config)
		if err == nil && !validText(t.Name) {
			err = errName
		}
		if err != nil {
			return nil, fault.Wrap(fault.DamagedFile, err, "template %d of notetype %d", ord, n.ID)
		}
		dst = c.append(append(jsontext.Separate(dst), '{'), t.Name, ord)
		dst = append(dst, '}')
	}
	return append(dst, ']'), nil
}

func (c *templateConfig) append(dst []byte, name string, ord int) []byte {
	dst = jsontext.PutText(dst, "name", name)
	dst = jsontext.PutInt(dst, "ord", int64(ord))
	dst = jsontext.PutText(dst, "qfmt", c.question)
	dst = jsontext.PutText(dst, "afmt", c.answer)
	dst = jsontext.PutText(dst, "bqfmt", c.browserQuestion)
	dst = jsontext.PutText(dst, "bafmt", c.browserAnswer)
	dst = appendOptional(dst, "did", unless(0, max(0, c.did)))
	dst = jsontext.PutText(dst, "bfont", c.browserFont)
	dst = jsontext.PutInt(dst, "bsize", c.browserSize&math.MaxUint8)
	dst = appendOptional(dst, "id", c.id)
	return appendMembers(dst, decodeOther(c.other, templateKeys))
}

func decodeTemplate(b []byte) (c templateConfig, err error) {
	for m := newMessage(b, &err); m.next(); {
		switch m.num {
		case 1:
			m.string(&c.question)
		case 2:
			m.string(&c.answer)
		case 3:
			m.string(&c.browserQuestion)
		case 4:
			m.string(&c.browserAnswer)
		case 5:
			m.int64(&c.did)
		case 6:
			m.string(&c.browserFont)
		case 7:
			m.uint32(&c.browserSize)
		case 8:
			c.id = new(int64)
			m.int64(c.id)
		case fieldOther:
			m.bytes(&c.other)
		}
	}
	return c, err
}

func (c *templateConfig) encode() []byte {
	dst := putBytes([]byte{}, 1, c.question)
	dst = putBytes(dst, 2, c.answer)
	dst = putBytes(dst, 3, c.browserQuestion)
	dst = putBytes(dst, 4, c.browserAnswer)
	dst = putInt(dst, 5, c.did)
	dst = putBytes(dst, 6, c.browserFont)
	dst = putInt(dst, 7, c.browserSize)
	dst = putSetInt(dst, 8, c.id)
	return putBytes(dst, fieldOther, c.other)
}
