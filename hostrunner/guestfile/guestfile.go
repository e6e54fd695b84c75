// Package guestfile finds the guest, core.wasm. Built files are never committed, so the guest cannot be embedded by
// everyone: `make build` copies it into this folder and builds the program with the tag embedguest, which embeds it.
package guestfile

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/cardferry/cardferry/core/fault"
)

// Name is the name of the guest file.
const Name = "core.wasm"

// Env names the environment variable with the path of a guest file; it goes before the embedded one.
const Env = "CARDFERRY_GUEST"

// module is the first line of our go.mod.
const module = "module github.com/cardferry/cardferry"

// Load returns the guest: the file named by CARDFERRY_GUEST, else the embedded one, else core.wasm beside the program,
// else build/core.wasm of the source tree around the working directory. fault.NotFound if there is none.
func Load() ([]byte, error) {
	if path := os.Getenv(Env); path != "" {
		b, err := os.ReadFile(path)
		return b, fault.Wrap(fault.NotFound, err, "read the guest")
	}
	if len(embedded) > 0 {
		return embedded, nil
	}
	var places []string
	if exe, err := os.Executable(); err == nil {
		places = append(places, filepath.Join(filepath.Dir(exe), Name))
	}
	if root, err := sourceTree(); err == nil {
		places = append(places, filepath.Join(root, "build", Name))
	}
	for _, path := range places {
		b, err := os.ReadFile(path)
		if err == nil {
			return b, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, fault.Wrap(fault.NotFound, err, "read the guest")
		}
	}
	return nil, fault.New(fault.NotFound, "there is no guest file %s", Name).
		WithHint("Build it with `make build`, or set " + Env + " to its path.")
}

// Build compiles the guest of the source tree around the working directory and returns it. It is for tests, which must not
// run a stale file; with a warm build cache it takes well under a second.
func Build() ([]byte, error) {
	root, err := sourceTree()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "cardferry-guest-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, Name)
	out, err := exec.Command("sh", filepath.Join(root, "wasm", "build.sh"), "wasip1", path).CombinedOutput()
	if err != nil {
		return nil, fault.New(fault.Internal, "build the guest: %v\n%s", err, out)
	}
	return os.ReadFile(path)
}

// SourceFolder returns a folder of the source tree around the working directory, nil if there is none.
func SourceFolder(name string) fs.FS {
	root, err := sourceTree()
	if err != nil {
		return nil
	}
	dir := filepath.Join(root, filepath.FromSlash(name))
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil
	}
	return os.DirFS(dir)
}

// sourceTree returns the root of the source tree around the working directory.
func sourceTree() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		b, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if line, _, _ := strings.Cut(string(b), "\n"); err == nil && strings.TrimSpace(line) == module {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fault.New(fault.NotFound, "this is not the source tree of Cardferry")
		}
		dir = parent
	}
}
