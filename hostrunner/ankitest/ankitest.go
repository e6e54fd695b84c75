// Package ankitest lets tests and benchmarks use the real Anki: its sync server, its client, and its check of a
// collection file. It also has what such tests need around them: proxies that delay requests or make them fail, dumps
// of collection files and their comparison, and a generator of collections.
//
// The real Anki is the PyPI package of requirements.txt in a virtual environment made by venv.sh. Only its public
// interface is used.
package ankitest

import (
	"errors"
	"os"
	"path/filepath"
)

// The environment variables that say which Anki is used.
const (
	// EnvPython is the path of a Python that has the package.
	EnvPython = "CARDFERRY_ANKI_PYTHON"
	// EnvRequire makes tests fail instead of being skipped where there is none.
	EnvRequire = "CARDFERRY_REQUIRE_ANKI"
)

// ErrNoAnki says that the real Anki is not installed.
var ErrNoAnki = errors.New("the real Anki is not installed: run hostrunner/ankitest/venv.sh or set " + EnvPython)

// TB is what this package needs of a test. *testing.T and *testing.B have it.
type TB interface {
	Helper()
	Cleanup(func())
	TempDir() string
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
	Logf(format string, args ...any)
	Skip(args ...any)
}

// Python returns the path of the interpreter: that of EnvPython, else .cache/venv of the source tree around the working
// directory; ErrNoAnki if there is neither.
func Python() (string, error) {
	if path := os.Getenv(EnvPython); path != "" {
		return path, nil
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		path := filepath.Join(dir, ".cache", "venv", "bin", "python")
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil || filepath.Dir(dir) == dir {
			return "", ErrNoAnki
		}
		dir = filepath.Dir(dir)
	}
}

// Require ends the test if there is no real Anki: as skipped, or as failed if EnvRequire is set.
func Require(t TB) {
	t.Helper()
	_, err := Python()
	if err == nil {
		return
	}
	if os.Getenv(EnvRequire) != "" {
		t.Fatal(err)
	}
	t.Skip(err)
}

// Fixture returns the path of a collection file of core/collection/testdata.
func Fixture(t TB, name string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		path := filepath.Join(dir, "core", "collection", "testdata", "collections", name)
		if _, err := os.Stat(path); err == nil {
			return path
		}
		if filepath.Dir(dir) == dir {
			t.Fatalf("there is no fixture %s", name)
		}
		dir = filepath.Dir(dir)
	}
}
