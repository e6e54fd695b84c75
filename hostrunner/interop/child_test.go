package interop_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/cardferry/cardferry/core/colsync"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/hostrunner"
	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/guestfile"
)

// childEnv holds the job of a test process that is to be killed.
const childEnv = "CARDFERRY_INTEROP_CHILD"

// job is what a child process does: one operation on a profile folder.
type job struct {
	Dir, Operation, Cache string
	Engine                engine
	Account               colsync.Account
}

// runChild is the main function of a child process.
func runChild(text string) int {
	if err := do(text); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func do(text string) error {
	var j job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		return err
	}
	ctx := context.Background()
	rt, err := hostrunner.New(ctx, hostrunner.Options{CacheDir: j.Cache})
	if err != nil {
		return err
	}
	p, err := rt.Open(ctx, hostrunner.OpenOptions{Dir: j.Dir, Engine: j.Engine.runner()})
	if err != nil {
		return err
	}
	for _, op := range append(operations(), mediaOperations()...) {
		if op.name == j.Operation {
			return errors.Join(op.run(ctx, &ours{profile: p, engine: j.Engine, account: j.Account}), p.Close())
		}
	}
	return fmt.Errorf("no operation %q", j.Operation)
}

// child returns a process that runs the operation on a folder of ours.
func child(t *testing.T, o *ours, operation string) *exec.Cmd {
	t.Helper()
	text, err := json.Marshal(job{filepath.Dir(o.path), operation, cacheDir(), o.engine, o.account})
	if err != nil {
		t.Fatal(err)
	}
	get(t, shared.runtime) // has written the guest
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+string(text), guestfile.Env+"="+guestPath())
	cmd.Stderr = os.Stderr
	return cmd
}

// A process that is killed at any point of an operation leaves nothing behind that stops or confuses the next one.
func TestKilledProcess(t *testing.T) {
	t.Parallel()
	eachPoint(t, locals, 4, func(t *testing.T, e engine, op operation, p point) {
		s, a, before := op.start(t, e, p)
		if err := s.ours.profile.Close(); err != nil {
			t.Fatal(err)
		}
		cmd := child(t, s.ours, op.name)
		killed := make(chan struct{})
		s.proxy.Use(p.at(func(*anki.Exchange) anki.Verdict {
			close(killed)
			_ = cmd.Process.Kill()
			return anki.Drop
		}))
		if err := cmd.Run(); err == nil {
			t.Fatal("the process was not killed")
		}
		select {
		case <-killed:
		default:
			t.Fatal("the process has ended by itself")
		}
		s.ours = reopen(t, e, s.acc, s.proxy.URL, filepath.Dir(s.ours.path))
		op.resume(t, s, a, p, before)
		left(t, filepath.Dir(s.ours.path))
	})
}

// left fails if temporary files are left in a folder.
func left(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, host.Staging))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	for _, e := range entries {
		t.Errorf("left behind: %s", e.Name())
	}
	if _, err := os.Stat(filepath.Join(dir, "cardferry.offered.anki2")); err == nil {
		t.Error("the copy of an upload is left behind")
	}
}
