package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/hostrunner/anki"
)

// process is a run of the program of its own, with --json.
type process struct {
	*exec.Cmd
	out, err bytes.Buffer
}

func newProcess(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command("cardferry", append(args, "--json")...)}
	p.Env = append(os.Environ(), guestVars(t)...)
	p.Stdout, p.Stderr = &p.out, &p.err
	return p
}

// start starts the program and makes sure that it ends with the test.
func (p *process) start(t *testing.T) {
	t.Helper()
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if p.ProcessState == nil {
			p.Process.Kill()
			p.Wait()
		}
	})
}

// code is the exit code of the ended program; -1 if a signal ended it.
func (p *process) code(t *testing.T) int {
	t.Helper()
	err := p.Wait()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		t.Fatal(err)
	}
	return p.ProcessState.ExitCode()
}

// hangAt is a proxy that passes requests on until the first one to path comes: that one and all later ones it never
// answers, the abort of the session among them.
func hangAt(t *testing.T, server, path string) (proxy *httptest.Server, hanging chan struct{}) {
	t.Helper()
	target, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	pass := anki.Reverse(httputil.NewSingleHostReverseProxy(target))
	hanging = make(chan struct{}, 64)
	var stuck atomic.Bool
	proxy = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == path {
			stuck.Store(true)
		}
		if !stuck.Load() {
			pass.ServeHTTP(w, r)
			return
		}
		io.Copy(io.Discard, r.Body)
		hanging <- struct{}{}
		<-r.Context().Done()
	}))
	t.Cleanup(proxy.Close)
	return proxy, hanging
}

// ready makes a profile that is in sync with an account of the real server and has changes to send.
func ready(t *testing.T, server *anki.Server) (dir string) {
	t.Helper()
	acc := server.Account(t)
	dir = t.TempDir()
	if err := writeAccount(dir, &account{User: acc.User, Endpoint: server.URL, Key: acc.Key}); err != nil {
		t.Fatal(err)
	}
	copyFixture(t, "stock.anki2", dir)
	if o := try(t, "upload", "--profile", dir, "--no-backup"); o.code != 0 {
		t.Fatal(o.stdout)
	}
	editNote(t, dir)
	return dir
}

// redirect points a profile to another address of its server.
func redirect(t *testing.T, dir, endpoint string) {
	t.Helper()
	acc, err := readAccount(dir)
	if err != nil {
		t.Fatal(err)
	}
	acc.Endpoint = endpoint
	if err := writeAccount(dir, acc); err != nil {
		t.Fatal(err)
	}
}

// A signal ends the program within a second at each request, with 130; the next sync does the whole work.
func TestSignal(t *testing.T) {
	t.Parallel()
	server := anki.StartServer(t)
	hangup := syscall.SIGHUP
	if signal.Ignored(hangup) { // under nohup, and so in our children
		hangup = syscall.SIGTERM
	}
	for _, test := range []struct {
		at      string
		signal  os.Signal
		command string
	}{
		{"meta", os.Interrupt, "sync"}, {"start", syscall.SIGTERM, "sync"}, {"applyChanges", os.Interrupt, "sync"},
		{"chunk", hangup, "sync"}, {"applyChunk", os.Interrupt, "sync"}, {"sanityCheck2", os.Interrupt, "sync"},
		{"finish", os.Interrupt, "sync"}, {"upload", os.Interrupt, "upload --no-backup"}, {"download", os.Interrupt, "download"},
	} {
		t.Run(test.at, func(t *testing.T) {
			t.Parallel()
			dir := ready(t, server)
			proxy, hanging := hangAt(t, server.URL, "/sync/"+test.at)
			redirect(t, dir, proxy.URL)
			p := newProcess(t, append(strings.Fields(test.command), "--profile", dir)...)
			p.start(t)
			<-hanging
			try(t, "status", "--profile", dir).want(t, 1, fault.Busy) // while the other process runs
			begin := time.Now()
			p.Process.Signal(test.signal)
			if code := p.code(t); code != 130 {
				t.Fatalf("exit code %d: %s %s", code, &p.out, &p.err)
			}
			if d := time.Since(begin); d > 10*time.Second {
				t.Errorf("it took %v", d)
			}
			if err := checkLines(p.out.String(), 130); err != nil || !strings.Contains(p.out.String(), `"kind":"cancelled"`) {
				t.Errorf("%v: %s", err, &p.out)
			}
			redirect(t, dir, server.URL)
			o := try(t, "sync", "--profile", dir)
			if sent, _ := o.last["sent"].(map[string]any); o.code != 0 || sent["notes"] != 1.0 {
				t.Errorf("the next sync: %s", o.stdout)
			}
		})
	}
}

// A second signal does not wait.
func TestSecondSignal(t *testing.T) {
	t.Parallel()
	server := anki.StartServer(t)
	dir := ready(t, server)
	proxy, hanging := hangAt(t, server.URL, "/sync/start")
	redirect(t, dir, proxy.URL)
	p := newProcess(t, "sync", "--profile", dir)
	p.start(t)
	<-hanging
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.Wait()
	}()
	for tick := time.NewTicker(10 * time.Millisecond); p.Process.Signal(os.Interrupt) == nil; {
		select {
		case <-ended:
		case <-tick.C:
		}
	}
	<-ended
	status, ok := p.ProcessState.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() {
		t.Errorf("it ended with %v", p.ProcessState)
	}
	redirect(t, dir, server.URL)
	if o := try(t, "sync", "--profile", dir); o.code != 0 {
		t.Errorf("the next sync: %s", o.stdout)
	}
}

// A signal ends the wait for a password.
func TestSignalAtPassword(t *testing.T) {
	t.Parallel()
	in, w := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	code := make(chan int)
	var out bytes.Buffer
	go func() {
		code <- run(ctx, []string{"login", "--profile", filepath.Join(t.TempDir(), "p"), "--endpoint", "http://127.0.0.1:1/",
			"--user", "u", "--json"}, in, &out, io.Discard)
	}()
	if _, err := w.Write([]byte("pa")); err != nil { // returns when the program has read it
		t.Fatal(err)
	}
	cancel()
	if got := <-code; got != 130 || checkLines(out.String(), 130) != nil {
		t.Errorf("exit code %d: %s", got, &out)
	}
}

// A command that does not end by itself after a signal is abandoned within a second, with one error line.
func TestAbandon(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	o := newOutput(true, &out, io.Discard)
	o.begin()
	if code := o.abandon(); code != 130 || !strings.Contains(out.String(), `"changed":true`) {
		t.Errorf("exit code %d: %s", code, &out)
	}
	o.result(nil, "late")
	o.progress(host.Progress{Stage: host.StageChunks})
	o.fail(fault.New(fault.Other, "late"))
	if err := checkLines(out.String(), 130); err != nil {
		t.Error(err)
	}
}

// TestOutputNotRead: whoever takes none of what the program writes, such as a pager, does not keep a cancelled command from its end.
func TestOutputNotRead(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"version", "--json"}, {"version"}} {
		nobody, out := io.Pipe()
		defer nobody.Close()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan int, 1)
		go func() { ended <- run(ctx, args, strings.NewReader(""), out, io.Discard) }()
		time.AfterFunc(100*time.Millisecond, cancel)
		select {
		case code := <-ended:
			if code != 130 {
				t.Errorf("exit code %d", code)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("it waits for the reader")
		}
	}
}

// A reader that goes away does not stop the sync.
func TestClosedOutput(t *testing.T) {
	t.Parallel()
	server := anki.StartServer(t)
	for name, open := range map[string]func(*testing.T) *os.File{
		"pipe": func(t *testing.T) *os.File {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			r.Close()
			return w
		},
		"full": func(t *testing.T) *os.File {
			f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
			if err != nil {
				t.Skip(err)
			}
			return f
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := ready(t, server)
			out := open(t)
			defer out.Close()
			p := newProcess(t, "sync", "--profile", dir)
			p.Stdout = out
			p.start(t)
			if code := p.code(t); code != 1 || !strings.Contains(p.err.String(), "the work is done") {
				t.Errorf("exit code %d: %s", code, &p.err)
			}
			if o := try(t, "status", "--profile", dir); o.last["required"] != "none" {
				t.Errorf("status: %s", o.stdout)
			}
		})
	}
}
