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
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cardferry/cardferry/core/fault"
)

// The builds of the guest.
const (
	Reactor = "core.wasm"    // the shipped file, GOOS=wasip1
	Program = "core.js.wasm" // GOOS=js
)

// Host is one guest in a Node process. It is used by one goroutine at a time, apart from Cancel.
type Host struct {
	process
	last    atomic.Int64
	sending sync.Mutex
}

// Start starts a guest of the given build that ends with the test. Without Node or the built files the test is skipped,
// or fails if CARDFERRY_REQUIRE_NODE is set.
func Start(t testing.TB, build string) *Host {
	t.Helper()
	return &Host{process: start(t, "nodehost.js", filepath.Join(root(), "build", build))}
}

func root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}

// process is a script of jsbridge/test that answers lines.
type process struct {
	in  io.Writer
	out *bufio.Reader
}

// start starts a script, with files as its arguments, that ends with the test.
func start(t testing.TB, script string, files ...string) process {
	t.Helper()
	args := append([]string{filepath.Join(root(), "jsbridge", "dist", "test", script)}, files...)
	node, err := exec.LookPath("node")
	for _, path := range args {
		if err == nil {
			_, err = os.Stat(path)
		}
	}
	if err != nil {
		missing(t, fmt.Sprintf("the guest under Node: %v; run make build build/core.js.wasm", err))
	}
	cmd := exec.Command(node, args...)
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
	return process{in, bufio.NewReader(out)}
}

// send writes v as a line.
func (p process) send(v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if _, err := p.in.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("node: %w", err)
	}
	return nil
}

// receive reads the next line into v.
func (p process) receive(v any) error {
	line, err := p.out.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("node: %w", errors.Join(err, errors.New("the process has ended")))
	}
	if err := json.Unmarshal(line, v); err != nil {
		return fmt.Errorf("node: %.200q: %w", line, err)
	}
	return nil
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
	id := h.last.Add(1)
	if err := h.send(map[string]any{"id": id, "method": method, "params": params}); err != nil {
		return err
	}
	for {
		var a answer
		if err := h.receive(&a); err != nil {
			return err
		}
		if a.Progress == nil && a.ID == id {
			return a.decode(result)
		}
	}
}

// Cancel cancels the call that is running, if there is one.
func (h *Host) Cancel() {
	// Its own answer, without an id that is waited for, is passed over.
	_ = h.send(map[string]any{"id": -1, "method": "cancel", "params": map[string]any{"id": h.last.Load()}})
}

func (h *Host) send(v any) error {
	h.sending.Lock()
	defer h.sending.Unlock()
	return h.process.send(v)
}

type answer struct {
	ID       int64
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

// PutMedia writes a media file, as another program would.
func (h *Host) PutMedia(name string, data []byte) error {
	return h.Call("putFile", map[string]any{"name": name, "data": data}, nil)
}

// Media returns the content of a media file; fault.NotFound if there is none.
func (h *Host) Media(name string) (data []byte, err error) {
	return data, h.Call("getFile", map[string]any{"name": name}, &data)
}

// RemoveMedia deletes a media file, as another program would.
func (h *Host) RemoveMedia(name string) error {
	return h.Call("removeFile", map[string]any{"name": name}, nil)
}

// MediaNames returns the names of all media files, sorted.
func (h *Host) MediaNames() (names []string, err error) {
	return names, h.Call("listFiles", nil, &names)
}
