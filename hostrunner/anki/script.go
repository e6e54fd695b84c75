package anki

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"testing"
)

// Script is a Python script that uses the real Anki and prints JSON.
type Script struct {
	Path string
	Zone string // of its clock, as in TZ; that of the test if empty
}

// Run runs the script, with input as JSON on its standard input, if that is not nil, and decodes what it prints into result.
// Without the real Anki the test is skipped, or fails (see Need).
func (s Script) Run(t testing.TB, result, input any, args ...string) {
	t.Helper()
	Need(t)
	python, err := Python()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), python, append([]string{s.Path}, args...)...)
	cmd.Stderr = &stderr
	if s.Zone != "" {
		cmd.Env = append(os.Environ(), "TZ="+s.Zone)
	}
	if input != nil {
		b, err := json.Marshal(input)
		if err != nil {
			t.Fatal(err)
		}
		cmd.Stdin = bytes.NewReader(b)
	}
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", s.Path, args, err, stderr.String())
	}
	if err := json.Unmarshal(out, result); err != nil {
		t.Fatalf("%s %q printed %.500q: %v", s.Path, args, out, err)
	}
}
