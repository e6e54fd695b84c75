// Package simtest attacks the core and the server with what can happen to them, in one process and from one seed: devices that
// edit, sync, are killed and run out of space, a network that loses, doubles, cuts and reorders, clocks that jump.
//
// A seed makes a script (script.go), a list of actions that each have a seed of their own, so that a shorter script does the
// same in what is left of it. A world (world.go) plays it with the real core and the real server: device.go has the ports of a
// device, network.go the network, disk.go the storage, learner.go what people do. At the end everything is repaired and synced
// until nothing moves; oracle.go, invariants.go and truth.go then say what must hold. README.md tells how to use it.
package simtest
