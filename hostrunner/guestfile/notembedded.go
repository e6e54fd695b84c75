//go:build !embedguest

package guestfile

// embedded is empty in programs that are built without the guest.
var embedded []byte
