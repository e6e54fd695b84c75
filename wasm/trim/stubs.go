package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// stubs are functions of the standard library that find out or print what nobody asks a guest for: tracing, profiles, the debugging aids
// behind GODEBUG, checks of what the linker has made, and dumps of memory before a throw. The body of each becomes the text given.
// What a panic says, with its stack, stays.
var stubs = []struct{ file, function, body string }{
	// The execution tracer.
	{"runtime/traceruntime.go", "func traceEnabled() bool {", "return false"},
	{"runtime/traceruntime.go", "func traceAllocFreeEnabled() bool {", "return false"},
	{"runtime/traceruntime.go", "func traceShuttingDown() bool {", "return false"},
	{"runtime/traceruntime.go", "func traceAcquire() traceLocker {", "return traceLocker{}"},
	{"runtime/traceruntime.go", "func (tl traceLocker) ok() bool {", "return false"},
	{"runtime/trace.go", "func traceAdvance(stopTrace bool) {", ""},
	// Profiles.
	{"runtime/mprof.go", "func mProf_Malloc(mp *m, p unsafe.Pointer, size uintptr) {", ""},
	{"runtime/mprof.go", "func saveblockevent(cycles, rate int64, skip int, which bucketType) {", ""},
	// GODEBUG and what it turns on.
	{"runtime/runtime1.go", "func parsegodebug(godebug string, seen map[string]bool) {", "_ = bytealg.MaxLen"},
	{"runtime/proc.go", "func schedtrace(detailed bool) {", ""},
	{"runtime/mcheckmark.go", "func checkFinalizersAndCleanups() {", ""},
	{"runtime/mgcscavenge.go", "func printScavTrace(releasedBg, releasedEager uintptr, forced bool) {", ""},
	// Checks of the compiler and linker.
	{"runtime/runtime1.go", "func check() {", ""},
	{"runtime/symtab.go", "func moduledataverify1(datap *moduledata) {", ""},
	{"runtime/type.go", "func typelinksinit() {", ""}, // there is one module
	// Dumps.
	{"runtime/mgcmark.go", "func gcDumpObject(label string, obj, off uintptr) {", ""},
	{"runtime/mgcsweep.go", "func (s *mspan) reportZombies() {", `throw("found pointer to free object")`},
	// Texts of times, and time zones described by rules.
	{"time/format.go", "func (t Time) String() string {", `return "?"`},
	{"time/zoneinfo.go", "func tzset(s string, lastTxSec, sec int64) (name string, offset int, start, end int64, isDST, ok bool) {", "return"},
	{"runtime/hexdump.go", "func hexdumpWords(p, len uintptr, mark func(uintptr, hexdumpMarker)) {", "_ = unsafe.Sizeof(p)"},
	{"runtime/traceback.go", "func goroutineheader(gp *g) {", `var _ label.Set; print("goroutine ", gp.goid, ":\n")`},
	{"runtime/error.go", "func printanycustomtype(i any) {", `print("a value of another type")`},
	// There is no environment; nil would be one that is not known yet, which the runtime does not start with.
	{"runtime/os_wasip1.go", "func goenvs() {", "envs = []string{}"},
	{"runtime/traceback.go", "func printArgs(f funcInfo, argp unsafe.Pointer, pc uintptr) {", `print("...")`},
}

// libraryEdits are texts of the standard library, and how often they stand in a file.
var libraryEdits = []edit{
	{"runtime/mgc.go", 1, "debug.gctrace > 0", "false"},
}

// stubLibrary returns the edited files of the standard library, whose sources are in the folder dir.
func stubLibrary(dir string) (files map[string]string, err error) {
	files = map[string]string{}
	load := func(name string) error {
		if files[name] != "" {
			return nil
		}
		b, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		files[name] = string(b)
		return err
	}
	for _, s := range stubs {
		if err := load(s.file); err != nil {
			return nil, err
		}
		before, rest, ok := strings.Cut(files[s.file], "\n"+s.function+"\n")
		_, after, ends := strings.Cut(rest, "\n}\n")
		if !ok || !ends {
			return nil, fmt.Errorf("%s has no %q: this Go release needs other stubs", s.file, s.function)
		}
		files[s.file] = before + "\n" + s.function + "\n\t" + s.body + "\n}\n" + after
	}
	for _, e := range libraryEdits {
		if err := load(e.file); err != nil {
			return nil, err
		}
		if n := strings.Count(files[e.file], e.old); n != e.n {
			return nil, fmt.Errorf("%s has %q %d times, not %d: this Go release needs other edits", e.file, e.old, n, e.n)
		}
		files[e.file] = strings.ReplaceAll(files[e.file], e.old, e.new)
	}
	return files, nil
}
