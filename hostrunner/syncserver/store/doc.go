// Package store declares what the sync server keeps: accounts, media content, collection files, and which node serves
// an account. Nothing else in the server knows where bytes live (design.md §6).
//
// There are two implementations, memstore and diskstore. Every one passes the contract suites of storetest. Errors are
// *fault.Error where a kind is known (each method says which), ErrTaken or *Elsewhere; any other error counts as
// fault.Other. All methods may be called by many goroutines at once, unless they say otherwise.
package store

import (
	"errors"
	"fmt"
)

// ErrTaken is the error for a name that another account has.
var ErrTaken = errors.New("another account has this name")

// Elsewhere is the error for an account that another node serves.
type Elsewhere struct {
	URL string // base URL of that node, "" if it is not known
}

// Error says so.
func (e *Elsewhere) Error() string {
	return fmt.Sprintf("another node serves this account (%q)", e.URL)
}
