package apptest

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// Server is a running `cardferry serve` with the app.
type Server struct {
	URL string // ends in "/"; the same after Start

	program, dir string
	cmd          *exec.Cmd
}

// root is the source tree.
func root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}

// program builds the program once for all tests of the process. It takes the app from web/dist.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "cardferry-apptest-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "cardferry")
	cmd := exec.Command("go", "build", "-o", path, "./hostrunner/cmd/cardferry")
	cmd.Dir, cmd.Stderr = root(), os.Stderr
	return path, cmd.Run()
})

// Serve starts a server with an empty data folder. The test is skipped, or fails if CARDFERRY_REQUIRE_CHROME is set, if the
// app is not built.
func Serve(t testing.TB) *Server {
	t.Helper()
	if _, err := os.Stat(filepath.Join(root(), "web", "dist", "index.html")); err != nil {
		if os.Getenv("CARDFERRY_REQUIRE_CHROME") != "" {
			t.Fatal("the app is not built: run make")
		}
		t.Skip("the app is not built: run make")
	}
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{program: path, dir: t.TempDir()}
	s.Start(t)
	t.Cleanup(s.Stop)
	return s
}

var address = regexp.MustCompile(`http://(127\.0\.0\.1:\d+)/`)

// Start starts the server, again after Stop: at the address that it had.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	at := "127.0.0.1:0"
	if s.URL != "" {
		at = strings.Trim(strings.TrimPrefix(s.URL, "http://"), "/")
	}
	s.cmd = exec.Command(s.program, "serve", "--addr", at, "--data", s.dir)
	s.cmd.Dir = root() // where the app is found
	out, err := s.cmd.StdoutPipe()
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if m := address.FindString(lines.Text()); m != "" {
			s.URL = m
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return
		}
	}
	t.Fatalf("the server has ended: %v", s.cmd.Wait())
}

// Stop ends the server, so that the network is gone for the app. Its data stays.
func (s *Server) Stop() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	s.cmd = nil
}
