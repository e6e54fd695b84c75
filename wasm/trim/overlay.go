package main

import (
	_ "embed"
	"encoding/json"
	"errors"
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

// replaced are packages of the standard library with the files they have; those named in with are put in the places of
// files, the others are left out.
var replaced = []struct {
	dir   string
	files []string
	with  map[string]string
}{
	{"src/internal/godebug", []string{"godebug.go"}, map[string]string{"godebug.go": debugStub}},
	// Messages are all that the guest formats.
	{"src/fmt", []string{"doc.go", "errors.go", "format.go", "print.go", "scan.go"}, map[string]string{"doc.go": "package fmt\n", "print.go": plainfmt}},
	// Nobody compresses with flate here: the media archives that are sent are stored.
	{
		"src/compress/flate",
		[]string{"deflate.go", "deflatefast.go", "dict_decoder.go", "huffman_bit_writer.go", "huffman_code.go", "inflate.go", "token.go"},
		map[string]string{"dict_decoder.go": "", "inflate.go": "", "token.go": flateConstants},
	},
	// What knows of files and modules.
	{"src/runtime/debug", []string{"garbage.go", "mod.go", "stack.go", "stubs.go"}, map[string]string{"garbage.go": "", "stubs.go": ""}},
}

// flateConstants are those that decompressing shares with compressing; both are the format's (RFC 1951).
const flateConstants = `package flate

const (
	endBlockMarker = 256
	maxMatchOffset = 1 << 15
)
`

//go:embed plainfmt/plainfmt.go
var plainfmtSource string

// plainfmt is the package under the name that it replaces.
var plainfmt = strings.Replace(plainfmtSource, "\npackage plainfmt\n", "\npackage fmt\n", 1)

// overlay writes overlay.json and the files that it puts into the standard library into made, which will have the name dir.
func overlay(root, made, dir string) error {
	source, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(debugFile)))
	if err != nil {
		return err
	}
	if got := exported(string(source)); !slices.Equal(got, debugFuncs) {
		return fmt.Errorf("%s has the functions %q: this Go release needs another file", debugFile, got)
	}
	replace := map[string]string{}
	for i, r := range replaced {
		path := filepath.Join(root, filepath.FromSlash(r.dir))
		if got, err := goFiles(path); err != nil || !slices.Equal(got, r.files) {
			return errors.Join(err, fmt.Errorf("%s has the files %q: this Go release needs other ones", r.dir, got))
		}
		for _, file := range r.files {
			content, kept := r.with[file]
			switch {
			case !kept:
				replace[filepath.Join(path, file)] = "" // as if it did not exist
			case content != "":
				name := fmt.Sprintf("%d-%s", i, file)
				if err := os.WriteFile(filepath.Join(made, name), []byte(content), 0o644); err != nil {
					return err
				}
				replace[filepath.Join(path, file)] = dir + "/" + name
			}
		}
	}
	library := filepath.Join(root, "src")
	files, err := stubLibrary(library)
	if err != nil {
		return err
	}
	for file, content := range files {
		name := strings.ReplaceAll(file, "/", "-")
		if err := os.WriteFile(filepath.Join(made, name), []byte(content), 0o644); err != nil {
			return err
		}
		replace[filepath.Join(library, filepath.FromSlash(file))] = dir + "/" + name
	}
	json, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(made, "overlay.json"), json, 0o644)
}

// goFiles lists the Go files of a folder that are not tests.
func goFiles(dir string) (names []string, err error) {
	all, err := os.ReadDir(dir)
	for _, e := range all {
		if n := e.Name(); strings.HasSuffix(n, ".go") && !strings.HasSuffix(n, "_test.go") {
			names = append(names, n)
		}
	}
	return names, err
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
