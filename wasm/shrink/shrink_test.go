package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// tiny says where it was called, and where from, which it finds by program counters.
const tiny = `package main

import "runtime"

func main() { say(0); say(1) }

//go:noinline
func say(skip int) {
	pc, _, _, _ := runtime.Caller(skip)
	println(runtime.FuncForPC(pc).Name())
	runtime.GC()
}
`

// TestShrink shrinks a real, tiny program and its own output. That the guest still works is shown by all tests of hostrunner.
func TestShrink(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	src := filepath.Join(dir, "tiny.go")
	if err := os.WriteFile(src, []byte(tiny), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "tiny.wasm")
	cmd := exec.Command("go", "build", "-ldflags=-s -w", "-o", out, src)
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	before, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if err := run([]string{out}); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(before, []byte("runtime.newproc1\x00")) || bytes.Contains(after, []byte("runtime.newproc1\x00")) || !bytes.Contains(after, []byte("main.main")) {
		t.Error("names: those of the runtime must go, ours stay")
	}
	want, err := parseModule(before)
	if err != nil {
		t.Fatal(err)
	}
	if err := clearLines(want.memory); err != nil {
		t.Fatal(err)
	}
	m, err := parseModule(after)
	if err != nil || len(m.segments()) > 100 {
		t.Errorf("%d segments are left, %v", len(m.segments()), err)
	}
	if got, want := output(t, after), "main.say\nmain.main\n"; got != want {
		t.Errorf("the program prints %q, not %q", got, want)
	}
	if got := initial(t, after); !bytes.Equal(got[:len(want.memory)], want.memory) || bytes.Equal(m.memory, want.memory) {
		t.Error("code must write the table that finds functions, as it was")
	}
	again, err := shrink(after)
	if err != nil || !bytes.Equal(again, after) {
		t.Errorf("a second time: %d bytes after %d, %v", len(again), len(after), err)
	}
}

// output runs a program and returns what it prints.
func output(t *testing.T, program []byte) string {
	t.Helper()
	var out bytes.Buffer
	instantiate(t, program, wazero.NewModuleConfig().WithStderr(&out))
	return out.String()
}

// initial returns the memory with which a program starts.
func initial(t *testing.T, program []byte) []byte {
	t.Helper()
	memory := instantiate(t, program, wazero.NewModuleConfig().WithStartFunctions()).Memory()
	b, _ := memory.Read(0, memory.Size())
	return b
}

func instantiate(t *testing.T, program []byte, c wazero.ModuleConfig) api.Module {
	t.Helper()
	r := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfigInterpreter())
	t.Cleanup(func() { _ = r.Close(context.Background()) })
	wasi_snapshot_preview1.MustInstantiate(t.Context(), r)
	m, err := r.InstantiateWithConfig(t.Context(), program, c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestRefused(t *testing.T) {
	t.Parallel()
	head := "\x00asm\x01\x00\x00\x00"
	for name, file := range map[string]string{
		"empty":             "",
		"not Wasm":          "\x7fELF",
		"no data":           head,
		"truncated":         head + "\x0b\x05\x01",
		"passive segment":   head + "\x0b\x03\x01\x01\x00",
		"global address":    head + "\x0b\x06\x01\x00\x23\x00\x0b\x00",
		"trailing bytes":    head + "\x0b\x07\x01\x00\x41\x00\x0b\x00\x00",
		"no function table": head + "\x0b\x07\x01\x00\x41\x00\x0b\x01x",
		"out of order":      head + "\x0b\x0d\x02\x00\x41\x05\x0b\x01x\x00\x41\x01\x0b\x01x",
	} {
		if _, err := shrink([]byte(file)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	table := append(bytes.Clone(magic), make([]byte, 64)...)
	binary.LittleEndian.PutUint64(table[8:], 1<<40)
	if err := clearLines(table); err == nil {
		t.Error("a table with an impossible size was changed")
	}
}

func TestSigned(t *testing.T) {
	t.Parallel()
	for _, v := range []int64{0, 1, 63, 64, 127, 128, 8191, 1 << 20, 1<<31 - 1, -1, -64, -65} {
		if got, n := signed(appendSigned(nil, v)); got != v || n == 0 {
			t.Errorf("%d: got %d", v, got)
		}
	}
}
