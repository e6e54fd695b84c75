// Package nodetest runs the guest under Node for tests: the host modules of the bridge with databases and files in
// memory (jsbridge/test/nodehost.ts). It is where the GOOS=js build is run.
package nodetest

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/cardferry/cardferry/core/fault"
)

// The builds of the guest.
const (
	Reactor = "core.wasm"    // the shipped file, GOOS=wasip1
	Program = "core.js.wasm" // GOOS=js
)

// Host is one guest in a Node process. It is used by one goroutine at a time.
type Host struct {
	in   io.Writer
	out  *bufio.Reader
	last int
}

// Start starts a guest of the given build that ends with the test. Without Node or the built files the test is skipped,
// or fails if CARDFERRY_REQUIRE_NODE is set.
func Start(t testing.TB, build string) *Host {
	t.Helper()
	_, file, _, _ := runtime.Caller(0)
	root := filepath.Join(filepath.Dir(file), "..", "..")
	core, script := filepath.Join(root, "build", build), filepath.Join(root, "jsbridge", "dist", "test", "nodehost.js")
	node, err := exec.LookPath("node")
	for _, path := range []string{core, script} {
		if err == nil {
			_, err = os.Stat(path)
		}
	}
	if err != nil {
		missing(t, fmt.Sprintf("the guest under Node: %v; run make build build/core.js.wasm", err))
	}
	cmd := exec.Command(node, script, core)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	return &Host{in: in, out: bufio.NewReader(out)}
}

func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CARDFERRY_REQUIRE_NODE") != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// Call runs a method of the guest (core/service/methods.go), or one of exec, query, export and import of the script, and
// decodes its result into result (nil: dropped). Errors of the guest are *fault.Error.
func (h *Host) Call(method string, params, result any) error {
	h.last++
	line, err := json.Marshal(map[string]any{"id": h.last, "method": method, "params": params})
	if err != nil {
		return err
	}
	if _, err := h.in.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("node: %w", err)
	}
	for {
		line, err := h.out.ReadBytes('\n')
		if err != nil {
			return fmt.Errorf("node: %w", errors.Join(err, errors.New("the process has ended")))
		}
		var a answer
		if err := json.Unmarshal(line, &a); err != nil {
			return fmt.Errorf("node: %q: %w", line, err)
		}
		if a.Progress == nil && a.ID == h.last {
			return a.decode(result)
		}
	}
}

type answer struct {
	ID       int
	Result   json.RawMessage
	Progress json.RawMessage
	Error    *struct {
		Kind, Message, Hint string
		Changed             bool
		Details             map[string]any
	}
}

func (a *answer) decode(result any) error {
	if f := a.Error; f != nil {
		return &fault.Error{Kind: fault.ParseKind(f.Kind), Message: f.Message, Hint: f.Hint, Changed: f.Changed, Details: f.Details}
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(a.Result, result)
}
