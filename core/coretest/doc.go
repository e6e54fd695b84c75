// Package coretest has what tests of the core and of its hosts share: the contract suites that every
// implementation of a port must pass, and in-memory or scripted implementations of the ports.
//
// It imports nothing that does not run in Wasm, so the suites also run inside a guest.
package coretest
