// Package hosttest makes the places that tests of the native hosts need: folders that may not be written, and disks
// that are full.
package hosttest

import (
	"os"
	"os/exec"
	"testing"
)

// childVar names the test that a child process was started for.
const childVar = "CARDFERRY_UNPRIVILEGED_TEST"

// IsChild reports whether this process was started by Unprivileged, for a TestMain that does more than run the tests.
func IsChild() bool { return os.Getenv(childVar) != "" }

// Unprivileged reports whether the calling test runs as a user whom permissions bind. For root, whom they do not, it runs the
// test again in a process of the user nobody and returns false; the caller then returns. The test must not be a subtest
// and must not need its package's folder.
func Unprivileged(t *testing.T) bool {
	t.Helper()
	if os.Getuid() != 0 || os.Getenv(childVar) == t.Name() {
		return true
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v", "-test.paniconexit0")
	cmd.Dir = "/tmp"
	cmd.Env = []string{childVar + "=" + t.Name(), "TMPDIR=/tmp", "PATH=" + os.Getenv("PATH")}
	asNobody(t, cmd)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("as nobody: %v\n%s", err, out)
	}
	t.Logf("as nobody:\n%s", out)
	return false
}
