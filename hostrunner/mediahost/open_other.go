//go:build !unix

package mediahost

// dontWait: Windows has no pipes in folders.
const dontWait = 0
