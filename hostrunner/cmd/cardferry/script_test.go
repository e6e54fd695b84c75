package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/hostrunner/anki"
	"github.com/cardferry/cardferry/hostrunner/guestfile"
	"github.com/cardferry/cardferry/hostrunner/hosttest"
	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes the program available as the command cardferry, a process of its own.
func TestMain(m *testing.M) {
	if hosttest.IsChild() { // it may not read its own file, which Main copies
		os.Exit(m.Run())
	}
	testscript.Main(m, map[string]func(){"cardferry": main})
}

// fixtures has the collections that several packages test with.
const fixtures = "../../../core/collection/testdata/collections"

// guest builds the guest once for all tests and has a folder for its compiled form.
var guest = sync.OnceValues(func() (dir string, err error) {
	b, err := guestfile.Build()
	if err != nil {
		return "", err
	}
	if dir, err = os.MkdirTemp("", "cardferry-test-guest-"); err != nil {
		return "", err
	}
	return dir, os.WriteFile(filepath.Join(dir, guestfile.Name), b, 0o600)
})

// guestVars are the variables with which the program finds the guest of these tests.
func guestVars(t testing.TB) []string {
	t.Helper()
	dir, err := guest()
	if err != nil {
		t.Fatal(err)
	}
	return []string{guestfile.Env + "=" + filepath.Join(dir, guestfile.Name), "XDG_CACHE_HOME=" + dir}
}

func TestScript(t *testing.T) {
	t.Parallel()
	anki.Need(t)
	server, err := anki.NewServer(t.TempDir(), 30)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Kill)
	vars := guestVars(t)
	path, err := filepath.Abs(fixtures)
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Vars = append(env.Vars, vars...)
			env.Vars = append(env.Vars, "FIXTURES="+path, "TZ=UTC",
				"SERVER="+server.URL, "USER="+server.Account(t).User, "PASSWORD="+anki.Password)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"ferry": ferry, "has": has, "edit": edit, "rows": countRows, "login": login,
		},
	})
}

// login logs a new profile of the script's account in: login DIR
func login(ts *testscript.TestScript, _ bool, args []string) {
	ts.Setenv("CARDFERRY_PASSWORD", ts.Getenv("PASSWORD"))
	ferry(ts, false, []string{"0", "login", "--profile", args[0], "--endpoint", ts.Getenv("SERVER"), "--user", ts.Getenv("USER"), "--json"})
	ts.Setenv("CARDFERRY_PASSWORD", "")
}

// ferry runs the program and checks its exit code and, with --json, what holds for all output: ferry CODE ARGS...
func ferry(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	code := 0
	if err := ts.Exec("cardferry", args[1:]...); err != nil {
		e, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		code = e.ExitCode()
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
	if !strings.Contains(strings.Join(args, " ")+" ", "--json ") {
		return
	}
	if stderr := ts.ReadFile("stderr"); stderr != "" {
		ts.Fatalf("standard error with --json: %s", stderr)
	}
	if err := checkLines(ts.ReadFile("stdout"), code); err != nil {
		ts.Fatalf("%v", err)
	}
}

// checkLines checks the form of the program's JSON output (contract §3).
func checkLines(out string, code int) error {
	lines := strings.SplitAfter(out, "\n")
	if lines[len(lines)-1] != "" {
		return fmt.Errorf("the output does not end with a whole line: %q", out)
	}
	lines = lines[:len(lines)-1]
	for i, line := range lines {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			return fmt.Errorf("not a JSON object: %s", line)
		}
		last, need := i == len(lines)-1, []string{"stage", "done"}
		switch event := m["event"]; {
		case event == "progress" && !last:
		case event == "ready" && !last:
			need = []string{"url"}
		case event == "result" && last && code == 0:
			need = []string{"elapsed_ms"}
		case event == "error" && last && code != 0:
			need = []string{"kind", "message", "hint", "changed"}
		default:
			return fmt.Errorf("line %d of %d with exit code %d: %s", i+1, len(lines), code, line)
		}
		for _, key := range need {
			if _, ok := m[key]; !ok {
				return fmt.Errorf("%s is missing in %s", key, line)
			}
		}
	}
	if len(lines) == 0 {
		return errors.New("there is no result and no error")
	}
	return nil
}

// has checks fields of the last JSON line: has NAME=JSON NAME~REGEXP, with names like sent.notes and checks.0.ok
func has(ts *testscript.TestScript, neg bool, args []string) {
	lines := strings.Split(strings.TrimSpace(ts.ReadFile("stdout")), "\n")
	var m any
	ts.Check(json.Unmarshal([]byte(lines[len(lines)-1]), &m))
	for _, arg := range args {
		i := strings.IndexAny(arg, "=~")
		if i < 0 {
			ts.Fatalf("usage: has NAME=JSON or NAME~REGEXP, not %q", arg)
		}
		got, _ := json.Marshal(field(m, arg[:i]))
		ok := string(got) == arg[i+1:]
		if arg[i] == '~' {
			ok = regexp.MustCompile(arg[i+1:]).Match(got)
		}
		if ok == neg {
			ts.Fatalf("%s: got %s", arg, got)
		}
	}
}

// field finds a member by its path.
func field(v any, path string) any {
	for key := range strings.SplitSeq(path, ".") {
		switch t := v.(type) {
		case map[string]any:
			v = t[key]
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(t) {
				return nil
			}
			v = t[i]
		default:
			return nil
		}
	}
	return v
}

// edit changes a profile's collection as another program would: edit DIR SQL
func edit(ts *testscript.TestScript, _ bool, args []string) {
	db, err := sqlitehost.New(ts.MkAbs(args[0])).Open(context.Background(), host.Collection, host.ReadWrite)
	ts.Check(err)
	ts.Check(db.Exec(args[1]))
	ts.Check(db.Close())
}

// countRows checks the one number that a query gives: rows DIR SQL NUMBER
func countRows(ts *testscript.TestScript, _ bool, args []string) {
	db, err := sqlitehost.New(ts.MkAbs(args[0])).Open(context.Background(), host.Collection, host.ReadOnly)
	ts.Check(err)
	defer db.Close()
	_, rows, err := db.(*sqlitehost.DB).ReadOnlyQuery(args[1])
	ts.Check(err)
	if got := fmt.Sprint(rows[0][0]); got != args[2] {
		ts.Fatalf("%s: got %s, want %s", args[1], got, args[2])
	}
}
