package wasm_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// forbidden are packages, with everything below them, that must not get into the guest.
var forbidden = map[string]string{
	"net":                         "the host has the network (and net/http adds 2.7 MB)",
	"database/sql":                "the host has SQLite",
	"github.com/ncruces":          "the host has SQLite",
	"github.com/mattn/go-sqlite3": "the host has SQLite",
	"modernc.org":                 "the host has SQLite",
	"google.golang.org/protobuf":  "core/legacy has the little protobuf that is needed, without reflection",
	"encoding/json":               "core/jsontext does it stricter, and is smaller by 180 kB",
	"encoding/gob":                "nothing uses it; too large",
	"encoding/xml":                "nothing uses it; too large",
	"regexp":                      "core/notetext does without; too large",
	"html":                        "core/notetext has the entities; too large",
	"text/template":               "it keeps every exported method of the program alive",
	"crypto/tls":                  "the host has the network",
	"crypto/x509":                 "the host has the network",
	"syscall/js":                  "the boundary is wasm/ABI.md, for every host the same",
	"golang.org/x/text":           "host.Text lends normalization; its tables would be a tenth of the guest",
	"os/exec":                     "a guest has no processes",
	"os/signal":                   "a guest has no processes",
	"log/slog":                    "the host logs",
	"flag":                        "a guest has no command line",
	"testing":                     "tests stay outside",
	"github.com/tetratelabs":      "a host's",
	"github.com/cardferry/cardferry/hostrunner":    "a host's",
	"github.com/cardferry/cardferry/core/coretest": "tests stay outside",
}

// TestGuestDependencies lists what is in both builds of the guest.
func TestGuestDependencies(t *testing.T) {
	t.Parallel()
	for _, target := range []string{"wasip1", "js"} {
		for _, dep := range goList(t, target, "-deps", "./guest") {
			for path := dep; path != ""; path = parent(path) {
				if why, ok := forbidden[path]; ok && !allowed(target, dep) {
					t.Errorf("the guest for %s contains %s: %s", target, dep, why)
				}
			}
		}
	}
}

// allowed: under js the runtime itself needs syscall/js.
func allowed(target, dep string) bool { return target == "js" && dep == "syscall/js" }

func parent(path string) string {
	i := strings.LastIndexByte(path, '/')
	return path[:max(i, 0)]
}

// goList runs go list for a GOOS ("" is this machine's) and returns its lines.
func goList(t *testing.T, target string, args ...string) []string {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list"}, args...)...)
	if target != "" {
		cmd.Env = append(os.Environ(), "GOOS="+target, "GOARCH=wasm")
	}
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))
}
