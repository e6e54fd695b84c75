package guestfile_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/guestfile"
)

func TestBuild(t *testing.T) {
	t.Parallel()
	file, err := guestfile.Build()
	if err != nil || !bytes.HasPrefix(file, []byte("\x00asm")) {
		t.Errorf("got %d bytes, %v", len(file), err)
	}
}

// TestLoad uses the environment and the working directory, so nothing runs beside it.
func TestLoad(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, guestfile.Name)
	if err := os.WriteFile(path, []byte("guest"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(guestfile.Env, path)
	if b, err := guestfile.Load(); err != nil || string(b) != "guest" {
		t.Errorf("named by the environment: %q, %v", b, err)
	}
	t.Setenv(guestfile.Env, filepath.Join(dir, "none"))
	if _, err := guestfile.Load(); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a named file that is missing: %v", err)
	}
	t.Setenv(guestfile.Env, "")
	t.Chdir(dir) // outside of the source tree
	if _, err := guestfile.Build(); fault.KindOf(err) != fault.NotFound {
		t.Errorf("build outside of the source tree: %v", err)
	}
}
