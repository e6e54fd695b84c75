// Package anki is a harness with the real Anki for tests and benchmarks: its sync server, its client library in a Python
// process, proxies between a client and a server, the comparison of collection files, and a generator of them.
//
// The real Anki is the Python package of requirements.txt in a virtual environment made by venv.sh. Tests
// that need it are skipped without it, or fail if CARDFERRY_REQUIRE_ANKI is set.
package anki

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The environment variables of the harness.
const (
	EnvPython  = "CARDFERRY_ANKI_PYTHON"  // an interpreter that has the package anki
	EnvRequire = "CARDFERRY_REQUIRE_ANKI" // not empty: fail instead of skipping
)

var errNoAnki = errors.New("the real Anki is not installed: run hostrunner/anki/venv.sh, or set " + EnvPython)

// Python returns the interpreter that has the real Anki: the one named by CARDFERRY_ANKI_PYTHON, else that of .cache/venv
// at the root of the repository.
func Python() (string, error) {
	if path := os.Getenv(EnvPython); path != "" {
		return exec.LookPath(path)
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			path := filepath.Join(dir, ".cache", "venv", "bin", "python")
			if _, err := os.Stat(path); err != nil {
				return "", errNoAnki
			}
			return path, nil
		}
		if parent := filepath.Dir(dir); parent != dir {
			dir = parent
			continue
		}
		return "", errNoAnki
	}
}

// Need skips the test if the real Anki is not there, or fails it if it must be.
func Need(t testing.TB) {
	t.Helper()
	if _, err := Python(); err != nil {
		if os.Getenv(EnvRequire) != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}
