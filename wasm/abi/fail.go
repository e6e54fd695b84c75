package abi

import (
	"errors"
	"strings"

	"github.com/cardferry/cardferry/core/fault"
)

// hintMark is between an error's message and its hint.
const hintMark = "\x1f"

// ErrorText is how a host tells an error, beside its kind: the message, and the hint if there is one.
func ErrorText(err error) string {
	text := err.Error()
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Hint != "" {
		text += hintMark + f.Hint
	}
	return text
}

// told is the error that a host has told.
func told(kind int64, text string) error {
	message, hint := text, ""
	if i := strings.LastIndex(text, hintMark); i >= 0 {
		message, hint = text[:i], text[i+len(hintMark):]
	}
	return &fault.Error{Kind: knownKind(kind), Message: message, Hint: hint}
}

// failure returns the error of an import that answered with a negative code.
func (g *Guest) failure(code int64) error {
	return told(-code, g.imports.LastError())
}

// check is failure for imports whose other results mean success.
func (g *Guest) check(code int32) error {
	if code < 0 {
		return g.failure(int64(code))
	}
	return nil
}

// knownKind turns a number from the other side into a kind; a host newer than this guest may know more of them.
func knownKind(n int64) fault.Kind {
	if n > 0 && n <= 255 && fault.Kind(n).String() != fault.Other.String() {
		return fault.Kind(n)
	}
	return fault.Other
}
