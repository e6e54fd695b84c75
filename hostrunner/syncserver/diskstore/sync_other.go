//go:build !linux

package diskstore

// syncDisk does nothing: only Linux flushes one disk by one call.
func syncDisk(string) (done bool, err error) { return false, nil }
