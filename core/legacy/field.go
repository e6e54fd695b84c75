package legacy

import (
	"math"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/jsontext"
)

// fieldConfig is the message Notetype.Field.Config.
type fieldConfig struct {
	sticky            bool
	rtl               bool
	font              string
	size              int64
	description       string
	plainText         bool
	collapsed         bool
	excludeFromSearch bool
	id                *int64
	tag               *int64
	preventDeletion   bool
	other             []byte
}

var fieldKeys = []string{
	"name", "ord", "sticky", "rtl", "font", "size", "description", "plainText", "collapsed", "excludeFromSearch",
	"id", "tag", "preventDeletion",
}

func parseField(raw []byte) (Field, error) {
	o := newObject("field", raw, true)
	name := strict(o, "name", text)
	// Only the order in the list counts.
	defaulted(o, "ord", orNull(u16), nil)
	c := fieldConfig{
		sticky:            strict(o, "sticky", looseBool),
		rtl:               strict(o, "rtl", looseBool),
		font:              strict(o, "font", text),
		size:              strict(o, "size", u16),
		description:       tolerant(o, "description", text, ""),
		plainText:         tolerant(o, "plainText", boolean, false),
		collapsed:         tolerant(o, "collapsed", boolean, false),
		excludeFromSearch: tolerant(o, "excludeFromSearch", boolean, false),
		id:                tolerant(o, "id", set(i64), nil),
		tag:               tolerant(o, "tag", set(u32), nil),
		preventDeletion:   tolerant(o, "preventDeletion", boolean, false),
	}
	c.other = encodeOther(o.rest())
	if o.err != nil {
		return Field{}, o.err
	}
	return Field{Name: name, Config: c.encode()}, nil
}

func (n *Notetype) appendFields(dst []byte) ([]byte, error) {
	dst = append(jsontext.AppendKey(dst, "flds"), '[')
	for ord, f := range n.Fields {
		c, err := decodeField(f.Config)
		if err == nil && !validText(f.Name) {
			err = errName
		}
		if err != nil {
			return nil, fault.Wrap(fault.DamagedFile, err, "field %d of notetype %d", ord, n.ID)
		}
		dst = c.append(append(jsontext.Separate(dst), '{'), f.Name, ord)
		dst = append(dst, '}')
	}
	return append(dst, ']'), nil
}

func (c *fieldConfig) append(dst []byte, name string, ord int) []byte {
	dst = jsontext.PutText(dst, "name", name)
	dst = jsontext.PutInt(dst, "ord", int64(ord))
	dst = jsontext.PutBool(dst, "sticky", c.sticky)
	dst = jsontext.PutBool(dst, "rtl", c.rtl)
	dst = jsontext.PutText(dst, "font", c.font)
	dst = jsontext.PutInt(dst, "size", c.size&math.MaxUint16)
	dst = jsontext.PutText(dst, "description", c.description)
	dst = jsontext.PutBool(dst, "plainText", c.plainText)
	dst = jsontext.PutBool(dst, "collapsed", c.collapsed)
	dst = jsontext.PutBool(dst, "excludeFromSearch", c.excludeFromSearch)
	dst = appendOptional(dst, "id", c.id)
	dst = appendOptional(dst, "tag", c.tag)
	dst = jsontext.PutBool(dst, "preventDeletion", c.preventDeletion)
	return appendMembers(dst, decodeOther(c.other, fieldKeys))
}

func decodeField(b []byte) (c fieldConfig, err error) {
	for m := newMessage(b, &err); m.next(); {
		switch m.num {
		case 1:
			m.bool(&c.sticky)
		case 2:
			m.bool(&c.rtl)
		case 3:
			m.string(&c.font)
		case 4:
			m.uint32(&c.size)
		case 5:
			m.string(&c.description)
		case 6:
			m.bool(&c.plainText)
		case 7:
			m.bool(&c.collapsed)
		case 8:
			m.bool(&c.excludeFromSearch)
		case 9:
			c.id = new(int64)
			m.int64(c.id)
		case 10:
			c.tag = new(int64)
			m.uint32(c.tag)
		case 11:
			m.bool(&c.preventDeletion)
		case fieldOther:
			m.bytes(&c.other)
		}
	}
	return c, err
}

func (c *fieldConfig) encode() []byte {
	dst := putBool([]byte{}, 1, c.sticky)
	dst = putBool(dst, 2, c.rtl)
	dst = putBytes(dst, 3, c.font)
	dst = putInt(dst, 4, c.size)
	dst = putBytes(dst, 5, c.description)
	dst = putBool(dst, 6, c.plainText)
	dst = putBool(dst, 7, c.collapsed)
	dst = putBool(dst, 8, c.excludeFromSearch)
	dst = putSetInt(dst, 9, c.id)
	dst = putSetInt(dst, 10, c.tag)
	dst = putBool(dst, 11, c.preventDeletion)
	return putBytes(dst, fieldOther, c.other)
}
