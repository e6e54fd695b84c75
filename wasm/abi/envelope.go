package abi

import (
	"encoding/json"
	"errors"

	"github.com/cardferry/cardferry/core/fault"
)

// Request is the envelope that starts a task.
type Request struct {
	Method string          `json:"method"`
	Params json.RawMessage `json:"params,omitempty"`
}

// Answer is the envelope that ends a task: exactly one of the two fields is set.
type Answer struct {
	Result json.RawMessage `json:"result,omitempty"`
	Error  *Failure        `json:"error,omitempty"`
}

// Failure is an error in an answer envelope.
type Failure struct {
	Kind    fault.Kind     `json:"kind"`
	Message string         `json:"message"`
	Hint    string         `json:"hint"`
	Changed bool           `json:"changed"`
	Details map[string]any `json:"details,omitempty"`
}

// EncodeRequest returns the request envelope; nil params stand for an empty object.
func EncodeRequest(method string, params []byte) ([]byte, error) {
	if len(params) == 0 {
		params = []byte("{}")
	}
	b, err := json.Marshal(Request{Method: method, Params: params})
	return b, fault.Wrap(fault.InvalidInput, err, "encode the call of %s", method)
}

// DecodeRequest decodes a request envelope. It refuses trailing bytes and an empty method.
func DecodeRequest(b []byte) (Request, error) {
	var r Request
	if err := json.Unmarshal(b, &r); err != nil {
		return Request{}, fault.Wrap(fault.InvalidInput, err, "decode the call")
	}
	if r.Method == "" {
		return Request{}, fault.New(fault.InvalidInput, "decode the call: no method")
	}
	return r, nil
}

// EncodeAnswer returns the answer envelope of a finished call.
func EncodeAnswer(result []byte, err error) []byte {
	a := Answer{Result: result}
	switch {
	case err != nil:
		a = Answer{Error: newFailure(err)}
	case len(result) == 0:
		a.Result = json.RawMessage("{}")
	}
	b, err := json.Marshal(a)
	if err != nil {
		// A result that is no JSON, or details that cannot be encoded: a defect of the service.
		b, _ = json.Marshal(Answer{Error: &Failure{Kind: fault.Internal, Message: "encode the answer: " + err.Error()}})
	}
	return b
}

func newFailure(err error) *Failure {
	f := &Failure{Kind: fault.KindOf(err), Message: err.Error()}
	if e, ok := errors.AsType[*fault.Error](err); ok {
		f.Hint, f.Changed, f.Details = e.Hint, e.Changed, e.Details
	}
	return f
}

// DecodeAnswer decodes an answer envelope into the result or the error that was encoded; the error is a *fault.Error.
// Anything else than exactly one of the two is fault.Internal.
func DecodeAnswer(b []byte) ([]byte, error) {
	var a Answer
	if err := json.Unmarshal(b, &a); err != nil {
		return nil, fault.Wrap(fault.Internal, err, "decode the answer")
	}
	if (a.Error == nil) == (a.Result == nil) {
		return nil, fault.New(fault.Internal, "decode the answer: neither result nor error, or both")
	}
	if f := a.Error; f != nil {
		kind := knownKind(int64(f.Kind))
		return nil, &fault.Error{Kind: kind, Message: f.Message, Hint: f.Hint, Changed: f.Changed, Details: f.Details}
	}
	return a.Result, nil
}
