package coretest

import (
	"bufio"
	"encoding/json"
	"os"
	"testing"
)

// ReadLines decodes a file of JSON lines; there is at least one.
func ReadLines[T any](t testing.TB, path string) (list []T) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Buffer(nil, 1<<20); lines.Scan(); {
		var v T
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		list = append(list, v)
	}
	if len(list) == 0 {
		t.Fatalf("no vectors in %s", path)
	}
	return list
}
