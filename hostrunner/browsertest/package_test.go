package browsertest_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/hostrunner/browsertest"
	"github.com/cardferry/cardferry/hostrunner/syncserver"
)

const bridge = "../../jsbridge"

// program runs a program in a folder. Without it, or if it fails for want of a network, the test is skipped, or fails if
// CARDFERRY_REQUIRE_NODE is set.
func program(t *testing.T, dir string, offline bool, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err == nil {
		return strings.TrimSpace(string(out))
	}
	_, found := exec.LookPath(name)
	if (found != nil || !offline) && os.Getenv("CARDFERRY_REQUIRE_NODE") == "" {
		t.Skipf("%s %v: %v: %s", name, args, err, out)
	}
	t.Fatalf("%s %v: %v: %s", name, args, err, out)
	return ""
}

// pack makes the package as it is published, and returns the file.
func pack(t *testing.T) string {
	t.Helper()
	if _, err := os.Stat(filepath.Join(bridge, "dist", "types", "index.d.ts")); err != nil {
		t.Skip("the bridge is not built: run make") // browsertest.NewServer fails where it must be
	}
	dir := t.TempDir()
	return filepath.Join(dir, program(t, bridge, true, "npm", "pack", "--silent", "--pack-destination", dir))
}

// useApp serves a folder beside a sync server and calls window.run of its page.
func useApp(t *testing.T, dir string) {
	t.Helper()
	sync := &syncserver.Server{}
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServer(http.Dir(dir)))
	mux.Handle("/sync/", sync)
	mux.Handle("/msync/", sync)
	mux.Handle("/api/", sync)
	server := httptest.NewServer(mux)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	page := browsertest.Start(t).Open(t, server.URL)
	var got struct {
		Notetypes, Pending int
		Refused, Required  string
	}
	page.Run(t, &got, `return window.run()`)
	if got.Notetypes == 0 || got.Refused != "invalid_input" || got.Required != "none" {
		t.Errorf("the app: %+v", got)
	}
}

// TestViteApp installs the package in a new app of Vite, checks its types, builds and runs it.
func TestViteApp(t *testing.T) {
	t.Parallel()
	archive := pack(t)
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/vite")); err != nil {
		t.Fatal(err)
	}
	program(t, dir, false, "npm", "install", "--no-audit", "--no-fund", "--silent", "--prefer-offline", archive)
	tsc, err := filepath.Abs(filepath.Join(bridge, "node_modules", ".bin", "tsc"))
	if err != nil {
		t.Fatal(err)
	}
	for _, module := range [][2]string{{"esnext", "bundler"}, {"node16", "node16"}} {
		program(t, dir, true, tsc, "--noEmit", "--strict", "--exactOptionalPropertyTypes", "--skipLibCheck", "false", "--target", "es2022", "--module", module[0],
			"--moduleResolution", module[1], "--lib", "es2023,dom,dom.iterable", "--types", "", "main.ts")
	}
	vite := filepath.Join(dir, "node_modules", ".bin", "vite")
	program(t, dir, true, vite, "build")
	useApp(t, filepath.Join(dir, "dist"))
	// As for a library, or an app in one file: all that can be is inside the script.
	program(t, dir, true, vite, "build", "--outDir", "inlined", "--assetsInlineLimit", "10000000")
	useApp(t, filepath.Join(dir, "inlined"))
}

// TestPlainPage uses the files of the package from a page without a bundler.
func TestPlainPage(t *testing.T) {
	t.Parallel()
	archive := pack(t)
	dir := t.TempDir()
	program(t, dir, true, "tar", "xzf", archive)
	if err := os.Rename(filepath.Join(dir, "package", "dist"), filepath.Join(dir, "lib")); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(dir, os.DirFS("testdata/plain")); err != nil {
		t.Fatal(err)
	}
	scripts, err := filepath.Glob(filepath.Join(dir, "lib", "*.js"))
	if err != nil || len(scripts) == 0 {
		t.Fatal(scripts, err)
	}
	for _, script := range scripts {
		text, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		// Servers of bundlers look for what is named, and tell at length that it is not there.
		for _, m := range regexp.MustCompile(`\n//# sourceMappingURL=(\S+)`).FindAllSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(dir, "lib", string(m[1]))); err != nil {
				t.Errorf("%s names a file that is not in the package: %s", filepath.Base(script), m[1])
			}
		}
	}
	useApp(t, dir)
}
