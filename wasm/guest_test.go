package wasm_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/cardferry/cardferry/wasm/abi"
)

// built builds the guest once for each target.
var built = map[string]func() ([]byte, error){
	"wasip1": sync.OnceValues(func() ([]byte, error) { return buildGuest("wasip1") }),
	"js":     sync.OnceValues(func() ([]byte, error) { return buildGuest("js") }),
}

func buildGuest(target string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "guest")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "core.wasm")
	if out, err := exec.Command("sh", "build.sh", target, path).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, out)
	}
	return os.ReadFile(path)
}

// TestGuestBoundary: both builds export exactly what wasm/ABI.md lists, and import nothing else.
func TestGuestBoundary(t *testing.T) {
	t.Parallel()
	for target, build := range built {
		t.Run(target, func(t *testing.T) {
			t.Parallel()
			file, err := build()
			if err != nil {
				t.Fatal(err)
			}
			ctx := context.Background()
			r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
			defer r.Close(ctx)
			m, err := r.CompileModule(ctx, file)
			if err != nil {
				t.Fatal(err)
			}
			var imports, exports []string
			for _, f := range m.ImportedFunctions() {
				module, name, _ := f.Import()
				switch {
				case module == abi.Module:
					imports = append(imports, name)
				case target == "wasip1" && module != "wasi_snapshot_preview1", target == "js" && module != "gojs":
					t.Errorf("imports %s.%s", module, name)
				}
			}
			for name := range m.ExportedFunctions() {
				if strings.HasPrefix(name, "cf_") || name == abi.ExportInitialize {
					exports = append(exports, name)
				}
			}
			want := abi.Exports()
			if target == "js" {
				want = slices.DeleteFunc(want, func(name string) bool { return name == abi.ExportInitialize })
			}
			for _, name := range imports { // the linker leaves out what the core does not use yet
				if !slices.Contains(abi.ImportNames(), name) {
					t.Errorf("imports %s, which wasm/ABI.md does not have", name)
				}
			}
			same(t, "exports", exports, want)
		})
	}
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%s:\ngot  %q\nwant %q", what, got, want)
	}
}

// TestABIPage: wasm/ABI.md names every import and export.
func TestABIPage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("ABI.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Concat(abi.Exports(), abi.ImportNames()) {
		if !bytes.Contains(page, []byte("`"+name+"(")) {
			t.Errorf("ABI.md does not describe %s", name)
		}
	}
	if !bytes.Contains(page, fmt.Appendf(nil, "ABI version: **%d**", abi.Version)) {
		t.Errorf("ABI.md does not have version %d", abi.Version)
	}
}

// TestGuestSize runs wasm/size.sh, which has the budget.
func TestGuestSize(t *testing.T) {
	t.Parallel()
	file, err := built["wasip1"]()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "core.wasm")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("sh", "size.sh", path).CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Errorf("the guest is too large: %v", err)
	}
}

// TestNode runs the GOOS=js build under Node: a call, a port that fails, a panic.
func TestNode(t *testing.T) {
	t.Parallel()
	node, err := exec.LookPath("node")
	if err != nil {
		if os.Getenv("CARDFERRY_REQUIRE_NODE") != "" {
			t.Fatal(err)
		}
		t.Skip("there is no node")
	}
	file, err := built["js"]()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "core.js.wasm")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	exe := filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec.js")
	out, err := exec.Command(node, filepath.Join("testdata", "node.cjs"), exe, path).CombinedOutput()
	const want = `abi 1
collate -1 0
version result version
open error 28
network error 9
unknown task ignored
panic throws
`
	if err != nil || string(out) != want {
		t.Errorf("%v\n%s", err, out)
	}
}
