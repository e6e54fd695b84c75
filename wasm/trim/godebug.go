package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// debugFile is the file of the standard library that reads GODEBUG.
const debugFile = "src/internal/godebug/godebug.go"

// debugFuncs are what the rest of the library may call of it; all others in the file serve these.
var debugFuncs = []string{"New", "(s *Setting) Name", "(s *Setting) Undocumented", "(s *Setting) String", "(s *Setting) IncNonDefault", "(s *Setting) Value"}

// debugStub is the file for a program for which GODEBUG is never set.
const debugStub = `// Package godebug has all settings at their defaults.
package godebug

// A Setting is a setting in the $GODEBUG environment variable.
type Setting struct{ name string }

// New returns a new Setting.
func New(name string) *Setting { return &Setting{name} }

// Name returns the name of the setting.
func (s *Setting) Name() string {
	if s.name != "" && s.name[0] == '#' {
		return s.name[1:]
	}
	return s.name
}

// Undocumented reports whether this is an undocumented setting.
func (s *Setting) Undocumented() bool { return s.name != "" && s.name[0] == '#' }

// String returns name=value.
func (s *Setting) String() string { return s.Name() + "=" }

// IncNonDefault is never called.
func (s *Setting) IncNonDefault() {}

// Value returns "", the default.
func (s *Setting) Value() string { return "" }
`

// overlay writes overlay.json and the file that it puts in the place of debugFile into made, which will have the name dir.
func overlay(root, made, dir string) error {
	path := filepath.Join(root, filepath.FromSlash(debugFile))
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if got := exported(string(b)); !slices.Equal(got, debugFuncs) {
		return fmt.Errorf("%s has the functions %q: this Go release needs another file", debugFile, got)
	}
	if err := os.WriteFile(filepath.Join(made, "godebug.go"), []byte(debugStub), 0o644); err != nil {
		return err
	}
	json, err := json.Marshal(map[string]any{"Replace": map[string]string{path: dir + "/godebug.go"}})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(made, "overlay.json"), json, 0o644)
}

// exported lists the exported functions and methods of a Go file in their order.
func exported(source string) (names []string) {
	for line := range strings.Lines(source) {
		name, ok := strings.CutPrefix(line, "func ")
		if !ok {
			continue
		}
		if strings.HasPrefix(name, "(") {
			receiver, rest, _ := strings.Cut(name, ") ")
			rest, _, _ = strings.Cut(rest, "(")
			name = receiver + ") " + rest
			if rest[0] < 'A' || rest[0] > 'Z' || strings.Contains(receiver, "runtimeStderr") {
				continue
			}
		} else if name, _, _ = strings.Cut(name, "("); name[0] < 'A' || name[0] > 'Z' {
			continue
		}
		names = append(names, name)
	}
	return names
}
