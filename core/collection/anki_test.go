package collection_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"testing"
)

// realAnki runs testdata/realanki.py, which uses the real program, and decodes what it prints. Without the program
// (CARDFERRY_ANKI_PYTHON names a Python that has the package anki) the test is skipped, or fails where
// CARDFERRY_REQUIRE_ANKI is 1.
func realAnki(t *testing.T, result any, args ...string) {
	t.Helper()
	python := os.Getenv("CARDFERRY_ANKI_PYTHON")
	if python == "" {
		if os.Getenv("CARDFERRY_REQUIRE_ANKI") == "1" {
			t.Fatal("CARDFERRY_ANKI_PYTHON is not set")
		}
		t.Skip("CARDFERRY_ANKI_PYTHON is not set")
	}
	cmd := exec.CommandContext(t.Context(), python, append([]string{"testdata/realanki.py"}, args...)...)
	cmd.Env = append(os.Environ(), "TZ=Etc/GMT+2")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("realanki.py %q: %v\n%s", args, err, stderr.String())
	}
	if err := json.Unmarshal(out, result); err != nil {
		t.Fatalf("realanki.py %q printed %q: %v", args, out, err)
	}
}
