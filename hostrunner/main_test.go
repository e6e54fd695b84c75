package hostrunner_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/cardferry/cardferry/hostrunner/guestfile"
)

// TestMain lets the tests and the example use the guest of this source tree, not one that lies in the build folder.
func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "guest")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	file, err := guestfile.Build()
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, guestfile.Name), file, 0o600)
	}
	if err == nil {
		err = os.Setenv(guestfile.Env, filepath.Join(dir, guestfile.Name))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}
