package simtest

import "testing"

func TestOne(t *testing.T) {
	cover := NewCoverage()
	for seed := range uint64(20) {
		r := play(newScript(seed), nil, cover)
		if len(r.failures) > 0 {
			t.Errorf("seed %d: %d: %s", seed, len(r.failures), r.failures[0])
		}
	}
}
