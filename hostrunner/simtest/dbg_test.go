package simtest

import (
	"os"
	"strconv"
	"testing"
)

func TestDbg(t *testing.T) {
	n, err := strconv.ParseUint(os.Getenv("SEED"), 10, 64)
	if err != nil {
		t.Skip()
	}
	r := play(newScript(n), nil, NewCoverage())
	for _, l := range r.log {
		t.Log(l)
	}
}
