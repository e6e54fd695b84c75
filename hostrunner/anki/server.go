package anki

import (
	"bytes"
	"crypto/sha1"
	_ "embed" // empty.anki2
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Password is the password of every account of a Server.
const Password = "pass"

// hashed is Password as the server takes it in its settings; hashing it at every start would take 0.2 s an account.
const hashed = "$pbkdf2-sha256$i=1000,l=32$Y2FyZGZlcnJ5c2FsdDEyMw$pWkX7kvy4DxeWBp+3zRLhzqgaIG6j+FK7eSUYZ8E3tY"

//go:embed empty.anki2
var empty []byte // a collection that was never used

// Server is a running sync server of the real Anki with accounts user1, user2, …
type Server struct {
	// URL is its base URL. It stays the same over a restart.
	URL string
	// Dir is its data folder.
	Dir string

	python string
	port   string
	users  int
	free   chan *Account

	mu  sync.Mutex
	cmd *exec.Cmd
	log bytes.Buffer
}

// StartServer starts a server with a few accounts for one test.
func StartServer(t testing.TB) *Server {
	t.Helper()
	Need(t)
	s, err := NewServer(t.TempDir(), 4)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Kill)
	return s
}

// NewServer starts a server with its data in dir. The caller ends it with Kill.
func NewServer(dir string, users int) (*Server, error) {
	python, err := Python()
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s := ServerAt("http://127.0.0.1:"+port+"/", users)
	s.Dir, s.python, s.port = dir, python, port
	return s, s.start()
}

// Settings are the variables with which a server, the real one or another that knows them, gets the accounts of a Server.
func Settings(users int) map[string]string {
	m := map[string]string{"PASSWORDS_HASHED": "1"}
	for i := 1; i <= users; i++ {
		m[fmt.Sprint("SYNC_USER", i)] = fmt.Sprintf("user%d:%s", i, hashed)
	}
	return m
}

// ServerAt returns a server that somebody else has started at url, with the accounts of Settings.
func ServerAt(url string, users int) *Server {
	s := &Server{URL: url, users: users, free: make(chan *Account, users)}
	for i := range users {
		s.free <- s.account(i + 1)
	}
	return s
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

func (s *Server) start() error {
	cmd := exec.Command(s.python, "-m", "anki.syncserver")
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "SYNC_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, "SYNC_BASE="+s.Dir, "SYNC_HOST=127.0.0.1", "SYNC_PORT="+s.port, "TZ=UTC", "RUST_LOG=error")
	for name, value := range Settings(s.users) {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	s.log.Reset()
	cmd.Stdout, cmd.Stderr = &s.log, &s.log
	if err := cmd.Start(); err != nil {
		return err
	}
	s.cmd = cmd
	for deadline := time.Now().Add(60 * time.Second); ; {
		resp, err := http.Get(s.URL + "health")
		if err == nil {
			resp.Body.Close()
			return nil
		}
		if time.Now().After(deadline) {
			s.Kill()
			return fmt.Errorf("the sync server does not start: %w\n%s", err, s.log.String())
		}
		<-time.After(20 * time.Millisecond)
	}
}

// Kill ends the server as a crash would.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd != nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
		s.cmd = nil
	}
}

// Restart kills the server and starts it again with the same data and address.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.Kill()
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
}

// Account is an account of a Server.
type Account struct {
	User, Key string
	server    *Server
	used      bool
}

// Account lends an account with an empty collection and no media to the test. If none is free, it waits for another test
// to end. The server still remembers that other tests had media, as deletions.
func (s *Server) Account(t testing.TB) *Account {
	t.Helper()
	a := s.Take()
	t.Cleanup(func() { s.free <- a })
	if a.used {
		a.Install(t, empty)
		a.clearMedia(t)
	}
	a.used = true
	return a
}

// Take returns an account that is not given back: outside of tests, each is used once.
func (s *Server) Take() *Account { return <-s.free }

func (s *Server) account(n int) *Account {
	user := fmt.Sprintf("user%d", n)
	return &Account{User: user, Key: ServerKey(user + ":" + hashed), server: s}
}

// ServerKey returns the key that the real server gives every device of an account, by the variable that the account is set up with.
func ServerKey(setting string) string {
	sum := sha1.Sum([]byte(setting))
	return hex.EncodeToString(sum[:])
}

// File returns the path of the account's collection; the server has it open.
func (a *Account) File() string { return filepath.Join(a.server.Dir, a.User, "collection.anki2") }

// Place makes a copy of the file at path the account's collection. It must come before the account's first request.
func (a *Account) Place(path string) error {
	_, err := CopyFile(path, filepath.Dir(a.File()))
	return err
}

// Pid is the process of the running server.
func (s *Server) Pid() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return 0
	}
	return s.cmd.Process.Pid
}
