// Package wire has the types and codecs of sync protocol 11: bytes in, values out, no I/O.
//
// Decoders are as strict as the reference's server (shared/spec/collection-sync.md §9): unknown keys are ignored, a
// wrong type, a value out of range or a wrong number of elements makes the whole message invalid. What fails to decode
// is fault.DamagedDownload, for it came from the network. A received usn of -1 is refused: it would look like a
// change of our own (design.md §3).
package wire

import (
	"errors"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/jsontext"
)

// damaged says which message could not be decoded.
func damaged(what string, err error) error {
	return fault.Wrap(fault.DamagedDownload, err, "decode %s", what).(*fault.Error).
		WithHint(Hint)
}

// Hint says what to do about an answer that cannot be right.
const Hint = "Try again; if it stays, the server or a proxy on the way has a problem."

var (
	errType     = errors.New("a value has a wrong type or is out of range")
	errMissing  = errors.New("a key is missing")
	errTwice    = errors.New("a key occurs twice")
	errEncoding = errors.New("not valid UTF-8")
	errPending  = errors.New("an object carries usn -1")
)

// object reads the members of one JSON object; the first problem is kept in err.
type object struct {
	members []jsontext.Member
	err     error
}

func readObject(b []byte) *object {
	o := &object{}
	o.members, o.err = jsontext.ParseObject(b)
	return o
}

func (o *object) fail(err error) {
	if o.err == nil {
		o.err = err
	}
}

// raw returns a member, nil if it is missing or null.
func (o *object) raw(key string) []byte {
	raw := jsontext.Get(o.members, key)
	if string(raw) == "null" {
		return nil
	}
	return raw
}

// required converts a member that must be there.
func required[T any](o *object, key string, parse func([]byte) (T, bool)) (v T) {
	raw := jsontext.Get(o.members, key)
	if raw == nil {
		o.fail(errMissing)
		return v
	}
	v, ok := parse(raw)
	if !ok {
		o.fail(errType)
	}
	return v
}

// optional converts a member that may be missing or null.
func optional[T any](o *object, key string, parse func([]byte) (T, bool)) (v T) {
	if raw := o.raw(key); raw != nil {
		var ok bool
		if v, ok = parse(raw); !ok {
			o.fail(errType)
		}
	}
	return v
}
