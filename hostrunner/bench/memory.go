package main

import (
	"os"
	"strconv"
	"strings"
)

// kilobytes returns a line of this process's status, 0 where there is none (Linux only).
func kilobytes(field string) int64 { return kilobytesOf("/proc/self/status", field) }

// kilobytesOf returns a line of a process's status.
func kilobytesOf(status, field string) int64 {
	b, err := os.ReadFile(status)
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if name, value, ok := strings.Cut(line, ":"); ok && name == field {
			n, _ := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			return n
		}
	}
	return 0
}

// resetPeak makes the kernel count the peak anew. Where it cannot, the peak includes the start of the process.
func resetPeak() { _ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) }
