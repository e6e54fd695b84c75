// Package fault has the one error type that crosses every border of Cardferry: a kind with a stable number, a
// message, and what a user can do about it.
//
// The kinds are part of the public contract (program, JSON, TypeScript). Numbers are only ever appended.
package fault

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Kind says what went wrong, as far as a caller can act on it. A Kind is itself an error, so that
// errors.Is(err, fault.Auth) works on anything that wraps an *Error of that kind.
type Kind uint8

// The kinds. A number is never reused or changed; append only.
const (
	Other              Kind = 1  // nothing more specific is known
	Busy               Kind = 2  // another process or connection has the file
	StorageFull        Kind = 3  // no space left on the device
	NotFound           Kind = 4  // the named thing does not exist
	InvalidInput       Kind = 5  // an argument is wrong
	OneWayNeeded       Kind = 6  // the sides cannot be merged; one must replace the other
	Auth               Kind = 7  // not logged in, or the server refuses user, password or key
	Offline            Kind = 8  // no route to the server
	Timeout            Kind = 9  // nothing moved for the stall time
	ProxyAuth          Kind = 10 // 407
	ServerError        Kind = 11 // 500, 502, 503, 504
	Network            Kind = 12 // any other transport failure or status
	ServerMessage      Kind = 13 // the server has a text for the user
	Clock              Kind = 14 // the clocks differ by more than 300 s
	ClientTooOld       Kind = 15 // 501
	TooLarge           Kind = 16 // the collection exceeds what the server takes
	Sanity             Kind = 17 // the row counts of both sides differ after a sync
	Resync             Kind = 18 // a notetype has changed shape on the way; sync again
	DatabaseCheck      Kind = 19 // 400: the server cannot apply what it was sent
	Conflict           Kind = 20 // 409: another device's session took over
	DamagedFile        Kind = 21 // the local file is damaged; it was left as it was
	UnsupportedFile    Kind = 22 // the local file has a schema that we do not open
	DamagedDownload    Kind = 23 // what arrived does not decode or check
	NeedsDecision      Kind = 24 // media deletions are held back until the user decides
	Cancelled          Kind = 25 // the user cancelled
	NotWritable        Kind = 26 // the profile folder or a file in it cannot be written
	Closed             Kind = 27 // the profile was closed
	Internal           Kind = 28 // a defect of ours: a panic in the guest, a broken invariant
	UnsupportedBrowser Kind = 29 // the page lacks something that the bridge needs
)

// names is indexed by Kind; the names are those of JSON and TypeScript.
var names = [...]string{
	Other: "other", Busy: "busy", StorageFull: "storage_full", NotFound: "not_found",
	InvalidInput: "invalid_input", OneWayNeeded: "one_way_needed", Auth: "auth", Offline: "offline",
	Timeout: "timeout", ProxyAuth: "proxy_auth", ServerError: "server_error", Network: "network",
	ServerMessage: "server_message", Clock: "clock", ClientTooOld: "client_too_old", TooLarge: "too_large",
	Sanity: "sanity", Resync: "resync", DatabaseCheck: "database_check", Conflict: "conflict",
	DamagedFile: "damaged_file", UnsupportedFile: "unsupported_file", DamagedDownload: "damaged_download",
	NeedsDecision: "needs_decision", Cancelled: "cancelled", NotWritable: "not_writable", Closed: "closed",
	Internal: "internal", UnsupportedBrowser: "unsupported_browser",
}

// String returns the kind's stable name.
func (k Kind) String() string {
	if int(k) < len(names) && names[k] != "" {
		return names[k]
	}
	return "other"
}

// Error makes a Kind usable as the target of errors.Is.
func (k Kind) Error() string { return k.String() }

// Kinds returns all kinds in the order of their numbers.
func Kinds() []Kind {
	var ks []Kind
	for i, n := range names {
		if n != "" {
			ks = append(ks, Kind(i))
		}
	}
	return ks
}

// ParseKind returns the kind with the given stable name, Other if there is none.
func ParseKind(name string) Kind {
	for i, n := range names {
		if n == name && n != "" {
			return Kind(i)
		}
	}
	return Other
}

// Error is a failure of a known kind.
type Error struct {
	Kind    Kind
	Message string // one sentence, lower case, without the kind
	Hint    string // what the user can do; may be empty
	// Details are further fields of the JSON error line (contract §3), e.g. upload_ok of one_way_needed.
	Details map[string]any
	// Changed says that the local profile was changed before the failure (contract §3).
	Changed bool
	Err     error // cause; may be nil
}

// Error returns the message and its cause.
func (e *Error) Error() string {
	switch {
	case e.Err == nil:
		return e.Message
	case e.Message == "":
		return e.Err.Error()
	}
	return e.Message + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is e's kind.
func (e *Error) Is(target error) bool { return target == error(e.Kind) }

// New returns an error of the given kind; format and args as in fmt.Sprintf.
func New(k Kind, format string, args ...any) *Error {
	return &Error{Kind: k, Message: fmt.Sprintf(format, args...)}
}

// Wrap returns err with a kind and a message in front; nil stays nil.
func Wrap(k Kind, err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return &Error{Kind: k, Message: fmt.Sprintf(format, args...), Err: err}
}

// Step puts the step that failed in front of an error and keeps its kind, hint and details; nil stays nil.
func Step(step string, err error) error {
	e, ok := err.(*Error)
	if !ok {
		return Wrap(KindOf(err), err, "%s", step)
	}
	c := *e
	c.Message = strings.TrimSuffix(step+": "+e.Message, ": ")
	return &c
}

// WithHint returns e with a hint.
func (e *Error) WithHint(hint string) *Error {
	e.Hint = hint
	return e
}

// With returns e with one more detail.
func (e *Error) With(key string, value any) *Error {
	if e.Details == nil {
		e.Details = map[string]any{}
	}
	e.Details[key] = value
	return e
}

// KindOf returns the kind of the outermost *Error in err's chain. A context's end counts as Cancelled, anything
// else as Other; nil gives 0.
func KindOf(err error) Kind {
	if err == nil {
		return 0
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	if k, ok := errors.AsType[Kind](err); ok {
		return k
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return Cancelled
	}
	return Other
}
