package collection_test

import (
	"testing"

	"github.com/cardferry/cardferry/hostrunner/anki"
)

// realAnki runs testdata/realanki.py, which uses the real program.
func realAnki(t *testing.T, result any, args ...string) {
	t.Helper()
	anki.Script{Path: "testdata/realanki.py", Zone: "Etc/GMT+2"}.Run(t, result, nil, args...)
}
