package abi

import "github.com/cardferry/cardferry/core/fault"

// failure returns the error of an import that answered with a negative code.
func (g *Guest) failure(code int64) error {
	return &fault.Error{Kind: knownKind(-code), Message: g.imports.LastError()}
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
