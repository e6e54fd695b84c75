// Command trim leaves out of the zstd library what the guest cannot use of it, a fourteenth of the transferred file (gzip,
// 1,361 to 1,265 kB). The guest compresses at the fastest level, on one thread, without dictionaries and padding; the
// library chooses all that at run time, so that the linker keeps everything.
//
//	go build -modfile "$(go run ./wasm/trim)" …
//
// It makes a copy of the library below .cache and a go.mod that uses it, once for each release and set of edits, and prints
// the name of the go.mod. Each edit names the text it replaces, and fails if a release of the library has another
// one, rather than guess.
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
	// The library's own debug output, which is off.
	{"zstd.go", 1, "\t\"log\"\n", ""},
	{"zstd.go", 1, "log.Println(a...)", ""},
	{"zstd.go", 1, "log.Printf(format, a...)", ""},
}

func main() {
	name, err := run()
	if err != nil {
		fmt.Fprintln(os.Stderr, "trim:", err)
		os.Exit(1)
	}
	fmt.Println(name)
}

// run is called in the root of the module. The copy has a name of its own and appears in one step, as several builds may run
// at once; the name is relative, as it gets into the guest.
func run() (modFile string, err error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", library).Output()
	if err != nil {
		return "", fmt.Errorf("find %s: %w", library, err)
	}
	source := strings.TrimSpace(string(out))
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		return "", err
	}
	sum, err := os.ReadFile("go.sum")
	if err != nil {
		return "", err
	}
	key := sha256.Sum256(fmt.Appendf(nil, "%q %v %q %q", filepath.Base(source), edits, mod, sum))
	dir := fmt.Sprintf(".cache/trimmed-%x", key[:8])
	modFile = dir + "/go.mod"
	if _, err := os.Stat(modFile); err == nil {
		return modFile, nil
	}
	if err := os.MkdirAll(".cache", 0o755); err != nil {
		return "", err
	}
	made, err := os.MkdirTemp(".cache", "trimming-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(made)
	if err := copyModule(source, filepath.Join(made, "compress")); err != nil {
		return "", err
	}
	if err := trim(filepath.Join(made, "compress", "zstd")); err != nil {
		return "", err
	}
	mod = fmt.Appendf(mod, "\nreplace %s => ./%s/compress\n", library, dir)
	err = errors.Join(os.WriteFile(filepath.Join(made, "go.mod"), mod, 0o644), os.WriteFile(filepath.Join(made, "go.sum"), sum, 0o644))
	if err != nil {
		return "", err
	}
	if err := os.Rename(made, dir); err != nil {
		if _, serr := os.Stat(modFile); serr != nil { // else another build was faster
			return "", err
		}
	}
	return modFile, nil
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
