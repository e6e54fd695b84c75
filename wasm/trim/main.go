// Command trim leaves out of the libraries what the guest cannot use of them.
//
// Of the zstd library that is a fourteenth of the transferred file (gzip, 1,361 to 1,265 kB): the guest compresses at the
// fastest level, on one thread, without dictionaries and padding; the library chooses all that at run time, so that the
// linker keeps everything. Of the standard library it is the machinery behind the variable GODEBUG, which no guest has (20 kB), and package fmt with
// reflection and files behind it, in whose place comes plainfmt (99 kB, with compressing by flate and reading of module data).
//
//	dir=$(go run ./wasm/trim)
//	go build -modfile "$dir/go.mod" -overlay "$dir/overlay.json" …
//
// It makes a copy of the zstd library below .cache, a go.mod that uses it, and an overlay of the standard library, once for each
// release and set of edits, and prints where. Each edit names the text it replaces, and fails if a release has
// another one, rather than guess.
package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// library is the module that is trimmed, in its package zstd.
const library = "github.com/klauspost/compress"

// edit replaces a text that occurs n times in a file.
type edit struct {
	file string
	n    int
	old  string
	new  string
}

// absent is what code does that the guest does not have; core/wire never gets there (frame.go has all the options).
const absent = `panic("zstd: left out of this build")`

var edits = []edit{
	// Levels other than the fastest, and dictionaries.
	{"encoder_options.go", 1, "\tcase SpeedDefault:\n\t\tif o.dict != nil {\n\t\t\treturn &", "\tcase SpeedDefault:\n\t\t" + absent + "\n\t\t/*"},
	{"encoder_options.go", 1, "return &bestFastEncoder{fastBase: fastBase{maxMatchOff: int32(o.windowSize), bufferReset: math.MaxInt32 - int32(o.windowSize*2), lowMem: o.lowMem}}\n", "*/\n"},
	{"encoder_options.go", 1, "return &fastEncoderDict{fastEncoder: fastEncoder{fastBase: fastBase{maxMatchOff: int32(o.windowSize), bufferReset: math.MaxInt32 - int32(o.windowSize*2), lowMem: o.lowMem}}}", absent},
	// Padding, which is random and would bring in crypto/rand.
	{"encoder.go", 1, "\t\"crypto/rand\"\n", ""},
	{"encoder.go", 3, "add, rand.Reader)", "add, nil)"},
	// Several threads.
	{"encoder.go", 1, "return e.writeJobs(p)", absent},
	{"encoder.go", 1, "return e.readFromJobs(r)", absent},
	{"encoder.go", 1, "return e.flushJobs()", absent},
	{"encoder.go", 1, "return e.closeJobs()", absent},
	// The stack of a panic, which no console shows.
	{"encoder.go", 1, "\trdebug \"runtime/debug\"\n", ""},
	{"encoder.go", 2, "rdebug.PrintStack()", ""},
	{"enc_jobs.go", 1, "\trdebug \"runtime/debug\"\n", ""},
	{"enc_jobs.go", 1, "rdebug.PrintStack()", ""},
	// The library's own debug output, which is off.
	{"zstd.go", 1, "\t\"log\"\n", ""},
	{"zstd.go", 1, "log.Println(a...)", ""},
	{"zstd.go", 1, "log.Printf(format, a...)", ""},
}

func main() {
	dir, err := run()
	if err != nil {
		fmt.Fprintln(os.Stderr, "trim:", err)
		os.Exit(1)
	}
	fmt.Println(dir)
}

// run is called in the root of the module.
func run() (dir string, err error) {
	source, err := find()
	if err != nil {
		return "", err
	}
	root, err := output("env", "GOROOT")
	if err != nil {
		return "", err
	}
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		return "", err
	}
	sum, err := os.ReadFile("go.sum")
	if err != nil {
		return "", err
	}
	key := sha256.Sum256(fmt.Appendf(nil, "%q %q %v %q %v %v %q %q", source, root, edits, replaced, stubs, libraryEdits, mod, sum))
	dir = fmt.Sprintf(".cache/trimmed-%x", key[:8])
	return dir, once(dir, func(made string) error {
		return errors.Join(
			copyModule(source, filepath.Join(made, "compress")),
			trim(filepath.Join(made, "compress", "zstd")),
			overlay(root, made, dir),
			os.WriteFile(filepath.Join(made, "go.mod"), fmt.Appendf(mod, "\nreplace %s => ./%s/compress\n", library, dir), 0o644),
			os.WriteFile(filepath.Join(made, "go.sum"), sum, 0o644))
	})
}

// find says where the library's sources are.
func find() (string, error) {
	// On a machine where nothing was built yet, list would say that they are nowhere.
	if _, err := output("mod", "download", library); err != nil {
		return "", err
	}
	return output("list", "-m", "-f", "{{.Dir}}", library)
}

// output runs the go command.
func output(args ...string) (string, error) {
	out, err := exec.Command("go", args...).Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w", strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out)), nil
}

// once makes the folder dir if it is not there. It appears in one step, as several builds may run at once; its name is
// relative, as it gets into the guest.
func once(dir string, fill func(made string) error) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	made, err := os.MkdirTemp(filepath.Dir(dir), "trimming-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(made)
	if err := fill(made); err != nil {
		return err
	}
	if err := os.Rename(made, dir); err != nil {
		if _, serr := os.Stat(dir); serr != nil { // else another build was faster
			return err
		}
	}
	return nil
}

// copyModule copies the files that a build needs.
func copyModule(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if entry.Name() == "testdata" {
				return fs.SkipDir
			}
			return os.MkdirAll(filepath.Join(to, name), 0o755)
		}
		if name != "go.mod" && (!strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go")) {
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, name), b, 0o644)
	})
}

// trim makes the edits in the package zstd in dir.
func trim(dir string) error {
	for _, e := range edits {
		path := filepath.Join(dir, e.file)
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if n := strings.Count(string(b), e.old); n != e.n {
			return fmt.Errorf("%s has %q %d times, not %d: this release of %s needs other edits", e.file, e.old, n, e.n, library)
		}
		if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(b), e.old, e.new)), 0o644); err != nil {
			return err
		}
	}
	return nil
}
