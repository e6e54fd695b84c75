package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestTrim makes the edits in the release that go.mod names. That the guest works with them is shown by all tests of hostrunner.
func TestTrim(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", library).Output()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := copyModule(strings.TrimSpace(string(out)), dir); err != nil {
		t.Fatal(err)
	}
	zstd := filepath.Join(dir, "zstd")
	if err := trim(zstd); err != nil {
		t.Fatal(err)
	}
	if err := trim(zstd); err == nil || !strings.Contains(err.Error(), "needs other edits") {
		t.Errorf("another release is accepted: %v", err)
	}
	for _, name := range []string{"go.mod", "zstd/encoder.go", "huff0/compress.go"} {
		if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(name))); err != nil {
			t.Error(err)
		}
	}
}

// TestOverlay looks whether the standard library is the one that the overlay is for.
func TestOverlay(t *testing.T) {
	t.Parallel()
	root, err := output("env", "GOROOT")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := overlay(root, dir, dir); err != nil {
		t.Fatal(err)
	}
	if got := exported(debugStub); !slices.Equal(got, debugFuncs) {
		t.Errorf("the stub has %q", got)
	}
}
