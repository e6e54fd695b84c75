package abi

import (
	"errors"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/jsontext"
)

// Request is the envelope that starts a task.
type Request struct {
	Method string
	Params []byte // JSON; nil: none
}

// EncodeRequest returns the request envelope; nil params stand for an empty object.
func EncodeRequest(method string, params []byte) ([]byte, error) {
	if len(params) == 0 {
		params = []byte("{}")
	}
	if !jsontext.Valid(params) {
		return nil, fault.New(fault.InvalidInput, "the parameters of %s are not JSON", method)
	}
	b := jsontext.PutText([]byte("{"), "method", method)
	return append(append(jsontext.AppendKey(b, "params"), params...), '}'), nil
}

// DecodeRequest decodes a request envelope. It refuses trailing bytes and an empty method.
func DecodeRequest(b []byte) (Request, error) {
	members, err := jsontext.ParseObject(b)
	if err != nil {
		return Request{}, fault.Wrap(fault.InvalidInput, err, "decode the call")
	}
	method, _ := jsontext.String(jsontext.Get(members, "method"))
	if method == "" {
		return Request{}, fault.New(fault.InvalidInput, "decode the call: no method")
	}
	return Request{Method: method, Params: jsontext.Get(members, "params")}, nil
}

// EncodeAnswer returns the answer envelope of a finished call: of result, which is JSON or nil for an empty object, or
// of err.
func EncodeAnswer(result []byte, err error) []byte {
	if len(result) == 0 {
		result = []byte("{}")
	}
	if err == nil && !jsontext.Valid(result) {
		err = fault.New(fault.Internal, "the result is not JSON") // a defect of the service
	}
	if err != nil {
		return append(appendFailure([]byte(`{"error":`), err), '}')
	}
	return append(append([]byte(`{"result":`), result...), '}')
}

func appendFailure(dst []byte, err error) []byte {
	dst = jsontext.PutInt(append(dst, '{'), "kind", int64(fault.KindOf(err)))
	dst = jsontext.PutText(dst, "message", err.Error())
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		f = &fault.Error{}
	}
	dst = jsontext.PutText(dst, "hint", f.Hint)
	dst = jsontext.PutBool(dst, "changed", f.Changed)
	if len(f.Details) > 0 {
		dst = jsontext.Put(dst, "details", f.Details)
	}
	return append(dst, '}')
}

// DecodeAnswer decodes an answer envelope into the result or the error that was encoded; the error is a *fault.Error.
// Anything else than exactly one of the two is fault.Internal.
func DecodeAnswer(b []byte) ([]byte, error) {
	members, err := jsontext.ParseObject(b)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "decode the answer")
	}
	result, failure := jsontext.Get(members, "result"), jsontext.Get(members, "error")
	if (failure == nil) == (result == nil) {
		return nil, fault.New(fault.Internal, "decode the answer: neither result nor error, or both")
	}
	if failure != nil {
		return nil, decodeFailure(failure)
	}
	return result, nil
}

func decodeFailure(raw []byte) *fault.Error {
	members, err := jsontext.ParseObject(raw)
	kind, ok := jsontext.Int(jsontext.Get(members, "kind"))
	if err != nil || !ok {
		return fault.New(fault.Internal, "decode the answer: an error without a kind")
	}
	f := &fault.Error{Kind: knownKind(kind)}
	f.Message, _ = jsontext.String(jsontext.Get(members, "message"))
	f.Hint, _ = jsontext.String(jsontext.Get(members, "hint"))
	f.Changed, _ = jsontext.Bool(jsontext.Get(members, "changed"))
	if details := jsontext.Get(members, "details"); details != nil {
		v, _ := jsontext.Any(details)
		f.Details, _ = v.(map[string]any)
	}
	return f
}
