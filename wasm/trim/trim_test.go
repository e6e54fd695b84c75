package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestTrim makes the edits in the release that go.mod names. That the guest works with them is shown by all tests of hostrunner.
func TestTrim(t *testing.T) {
	t.Parallel()
	source, err := find()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := copyModule(source, dir); err != nil {
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

// TestFreshMachine finds the library where no module was downloaded yet, as where the first thing built is the guest.
func TestFreshMachine(t *testing.T) {
	source, err := find()
	if err != nil {
		t.Fatal(err)
	}
	modules, err := output("env", "GOMODCACHE")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOPROXY", "file://"+modules+"/cache/download")
	t.Setenv("GOMODCACHE", t.TempDir())
	t.Setenv("GOFLAGS", "-modcacherw") // so that the folder can be removed
	t.Setenv("GOSUMDB", "off")         // go.sum has the sum
	fresh, err := find()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(fresh, "zstd", "encoder.go")); err != nil || fresh == source {
		t.Errorf("sources in %q: %v", fresh, err)
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
