package profilelock_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/hosttest"
	"github.com/cardferry/cardferry/hostrunner/profilelock"
)

func acquire(t *testing.T, dir string) *profilelock.Lock {
	t.Helper()
	l, err := profilelock.Acquire(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Release)
	return l
}

func wantKind(t *testing.T, dir string, kind fault.Kind) {
	t.Helper()
	l, err := profilelock.Acquire(dir)
	if err == nil {
		l.Release()
	}
	if fault.KindOf(err) != kind {
		t.Fatalf("got %v, want %v", err, kind)
	}
}

func TestOneOpener(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := acquire(t, dir)
	wantKind(t, dir, fault.Busy)
	wantKind(t, dir, fault.Busy)
	l.Release()
	l.Release()
	l = acquire(t, dir)
	wantKind(t, dir, fault.Busy)
	acquire(t, t.TempDir()) // another profile
	if info, err := os.Stat(filepath.Join(dir, profilelock.Name)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("lock file: %v, %v", info, err)
	}
}

func TestMissingFolder(t *testing.T) {
	t.Parallel()
	wantKind(t, filepath.Join(t.TempDir(), "none"), fault.NotFound)
}

func TestFolderOfThatName(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, profilelock.Name), 0o700); err != nil {
		t.Fatal(err)
	}
	wantKind(t, dir, fault.UnsupportedFile)
}

func TestReadOnlyFolder(t *testing.T) {
	if !hosttest.Unprivileged(t) {
		return
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(dir, 0o700) })
	wantKind(t, dir, fault.NotWritable)
}

const holderVar = "CARDFERRY_TEST_HOLD_LOCK"

// TestEndsWithProcess starts a second process that holds the lock, and kills it.
func TestEndsWithProcess(t *testing.T) {
	if dir := os.Getenv(holderVar); dir != "" {
		acquire(t, dir)
		os.Stdout.WriteString("held\n")
		bufio.NewReader(os.Stdin).ReadString('\n') // until killed
		return
	}
	dir := t.TempDir()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), holderVar+"="+dir)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "held\n" {
		t.Fatalf("the other process said %q, %v", line, err)
	}
	wantKind(t, dir, fault.Busy)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	acquire(t, dir)
}
