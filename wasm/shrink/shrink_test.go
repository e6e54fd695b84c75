package main

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestShrink shrinks a real, tiny program and its own output. That the guest still works is shown by all tests of hostrunner.
func TestShrink(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	src := filepath.Join(dir, "tiny.go")
	if err := os.WriteFile(src, []byte("package main\n\nfunc main() { println(\"hi\") }\n"), 0o600); err != nil {
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
	m, err := parseModule(after)
	if err != nil || len(m.spans) > 100 {
		t.Errorf("%d segments are left, %v", len(m.spans), err)
	}
	again, err := shrink(after)
	if err != nil || !bytes.Equal(again, after) {
		t.Errorf("a second time: %d bytes after %d, %v", len(again), len(after), err)
	}
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
