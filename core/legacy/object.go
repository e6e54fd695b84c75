package legacy

import (
	"slices"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/jsontext"
)

// object reads the members of a JSON object by the tolerance classes of collection-format.md §3.1. It keeps the
// first thing that is wrong as its error; what is read after that does not count.
type object struct {
	members []jsontext.Member
	known   []bool // by index into members: asked for, thus no part of other
	unique  bool   // a known key must not occur twice; otherwise its last occurrence counts
	what    string // for messages
	err     error
}

func newObject(what string, b []byte, unique bool) *object {
	o := &object{unique: unique, what: what}
	if o.members, o.err = jsontext.ParseObject(b); o.err != nil {
		o.err = fault.Wrap(fault.DamagedDownload, o.err, "%s", what)
	}
	o.known = make([]bool, len(o.members))
	return o
}

// get returns the value of a key, nil if it is missing.
func (o *object) get(key string) (raw []byte) {
	for i, m := range o.members {
		if m.Key != key {
			continue
		}
		if raw != nil && o.unique {
			o.fail(key, "occurs twice")
		}
		raw, o.known[i] = m.Raw, true
	}
	return raw
}

func (o *object) fail(key, problem string) {
	if o.err == nil {
		o.err = fault.New(fault.DamagedDownload, "%s: member %q %s", o.what, key, problem)
	}
}

// parser converts the JSON text of a value; ok is false if it is of another type or out of range.
type parser[T any] func(raw []byte) (v T, ok bool)

// strict is class S: the key must be there with a value of the type.
func strict[T any](o *object, key string, parse parser[T]) (v T) {
	raw := o.get(key)
	if raw == nil {
		o.fail(key, "is missing")
		return v
	}
	v, ok := parse(raw)
	if !ok {
		o.fail(key, "has a wrong value")
	}
	return v
}

// defaulted is class D: the key may be missing, but with another value than one of the type it is an error. Class O
// is this with a parser that takes null.
func defaulted[T any](o *object, key string, parse parser[T], def T) T {
	raw := o.get(key)
	if raw == nil {
		return def
	}
	v, ok := parse(raw)
	if !ok {
		o.fail(key, "has a wrong value")
	}
	return v
}

// lenient is class L: the key must be there; any other value than one of the type counts as zero.
func lenient[T any](o *object, key string, parse parser[T], zero T) T {
	raw := o.get(key)
	if raw == nil {
		o.fail(key, "is missing")
		return zero
	}
	if v, ok := parse(raw); ok {
		return v
	}
	return zero
}

// tolerant is class DL: a missing key and any other value than one of the type count as the default.
func tolerant[T any](o *object, key string, parse parser[T], def T) T {
	if raw := o.get(key); raw != nil {
		if v, ok := parse(raw); ok {
			return v
		}
	}
	return def
}

// rest returns the members that were not asked for: the members whose last occurrence that is, in order.
func (o *object) rest() []jsontext.Member {
	var out []jsontext.Member
	last := map[string]int{}
	for i, m := range o.members {
		if !o.known[i] {
			last[m.Key] = i
		}
	}
	for i, m := range o.members {
		if !o.known[i] && last[m.Key] == i {
			out = append(out, m)
		}
	}
	return out
}

// encodeOther returns members as they are stored in a field "other": the text of an object, or nothing.
func encodeOther(members []jsontext.Member) []byte {
	if len(members) == 0 {
		return nil
	}
	dst := []byte{'{'}
	for _, m := range members {
		dst = jsontext.AppendCompact(jsontext.AppendKey(dst, m.Key), m.Raw)
	}
	return append(dst, '}')
}

// decodeOther returns the members of a stored field "other" whose keys are not reserved, each key once. Bytes that
// are no JSON object count as none (collection-format.md §2.9).
func decodeOther(other []byte, reserved []string) []jsontext.Member {
	if len(other) == 0 {
		return nil
	}
	members, err := jsontext.ParseObject(other)
	if err != nil {
		return nil
	}
	o := object{members: members, known: make([]bool, len(members))}
	for i, m := range members {
		o.known[i] = slices.Contains(reserved, m.Key)
	}
	return o.rest()
}

func appendMembers(dst []byte, members []jsontext.Member) []byte {
	for _, m := range members {
		dst = jsontext.AppendCompact(jsontext.AppendKey(dst, m.Key), m.Raw)
	}
	return dst
}
