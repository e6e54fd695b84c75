//go:build !linux

package ankitest

// memoryDir finds no folder in memory: only Linux has one at a known place.
func memoryDir() (string, uint64) { return "", 0 }
