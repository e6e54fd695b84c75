package wasm_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/cardferry/cardferry/"

// source is one Go file of the module.
type source struct {
	path    string // relative to the module, with slashes
	pkg     string // folder and name of the package
	test    bool
	comment bool
	imports []string
}

// sources parses all Go files of the module up to their imports, for every GOOS.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	for _, top := range []string{"core", "wasm", "hostrunner"} {
		err := filepath.WalkDir(filepath.Join("..", top), func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && (d.Name() == "testdata" || d.Name() == "node_modules"):
				return fs.SkipDir
			case d.IsDir() || filepath.Ext(path) != ".go":
				return nil
			}
			s, err := parse(path)
			all = append(all, s)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func parse(path string) (source, error) {
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		return source{}, err
	}
	s := source{path: strings.TrimPrefix(filepath.ToSlash(path), "../"), test: strings.HasSuffix(path, "_test.go"), comment: f.Doc != nil}
	s.pkg = filepath.ToSlash(filepath.Dir(s.path)) + " " + f.Name.Name
	for _, i := range f.Imports {
		p, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			return s, err
		}
		s.imports = append(s.imports, p)
	}
	return s, nil
}

// TestPackageComments: every package has exactly one package comment. One that has only tests may do without.
func TestPackageComments(t *testing.T) {
	t.Parallel()
	comments, real := map[string][]string{}, map[string]bool{}
	for _, s := range sources(t) {
		if s.comment {
			comments[s.pkg] = append(comments[s.pkg], s.path)
		}
		real[s.pkg] = real[s.pkg] || !s.test
	}
	for pkg, isReal := range real {
		if n := len(comments[pkg]); n > 1 || n == 0 && isReal {
			t.Errorf("package %s has %d package comments: %q", pkg, n, comments[pkg])
		}
	}
}

// TestBorders: imports point inward, core ← wasm ← hostrunner, and the core uses no operating system.
// core/coretest counts as a test: it may read files, and nothing but tests imports it.
func TestBorders(t *testing.T) {
	t.Parallel()
	rules := []struct{ in, not, why string }{
		{"core/", module + "wasm", "the core does not know how it is run"},
		{"core/", module + "hostrunner", "hosts import the core"},
		{"core/", module + "core/coretest", "it is for tests"},
		{"core/", "os", "ports of core/host lend files and time"},
		{"core/", "net/http", "host.HTTP lends the network"},
		{"core/", "database/sql", "host.SQL lends SQLite"},
		{"core/", "github.com/ncruces/go-sqlite3", "host.SQL lends SQLite"},
		{"core/", "syscall/js", "wasm/ABI.md is the boundary"},
		{"core/", "google.golang.org/protobuf", "core/legacy has its own"},
		{"wasm/abi/", module + "hostrunner", "hosts import the boundary"},
		{"wasm/guest/", module + "hostrunner", "hosts run the guest"},
	}
	for _, s := range sources(t) {
		for _, r := range rules {
			if s.test || strings.HasPrefix(s.path, "core/coretest/") || !strings.HasPrefix(s.path, r.in) {
				continue
			}
			for _, i := range s.imports {
				if i == r.not || strings.HasPrefix(i, r.not+"/") {
					t.Errorf("%s imports %s: %s", s.path, i, r.why)
				}
			}
		}
	}
}

// TestGuestHasNoLogic: nothing runs natively in wasm/guest, so it must stay glue.
func TestGuestHasNoLogic(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if !strings.HasPrefix(s.path, "wasm/guest/") {
			continue
		}
		for _, i := range s.imports {
			switch i {
			case "unsafe", "runtime/debug", module + "core/host", module + "core/service", module + "core/unicase", module + "wasm/abi":
			default:
				t.Errorf("%s imports %s: logic belongs into wasm/abi, which is tested natively", s.path, i)
			}
		}
	}
}
