package ankitest

import (
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// User is an account of a server.
type User struct{ Name, Password string }

// password is that of all accounts.
const password = "pass"

// ServerOptions are those of a real server.
type ServerOptions struct {
	// Users is the number of accounts, 1 if 0.
	Users int
	// Base is the data folder, "" for a new one.
	Base string
	// Env has further variables, as KEY=value.
	Env []string
}

// Server is a real sync server on a loopback port.
type Server struct {
	// URL is its endpoint, ending in "/".
	URL string
	// Base is its data folder.
	Base string

	port  int
	users int
	env   []string
	next  atomic.Int32
	stdin io.Closer
	cmd   *exec.Cmd
	log   *tail
	// remove is a folder to remove at the end.
	remove string
}

// StartServer starts a real server that ends with the test.
func StartServer(t TB, o ServerOptions) *Server {
	t.Helper()
	Require(t)
	if o.Base == "" {
		o.Base = TempDir(t)
	}
	s, err := NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Kill)
	return s
}

// NewServer starts a real server; Base must be set. The caller ends it with Kill.
func NewServer(o ServerOptions) (*Server, error) { return newServer(o, "") }

func newServer(o ServerOptions, remove string) (*Server, error) {
	s := &Server{Base: o.Base, users: max(o.Users, 1), env: o.Env, remove: remove}
	var err error
	for range 3 { // another process may take the free port first
		if s.port, err = freePort(); err != nil {
			return nil, err
		}
		s.URL = "http://127.0.0.1:" + strconv.Itoa(s.port) + "/"
		if err = s.Start(); err == nil {
			return s, nil
		}
	}
	return nil, err
}

// User returns an account that no one has used yet; there must be one.
func (s *Server) User() User {
	n := int(s.next.Add(1))
	if n > s.users {
		panic(fmt.Sprintf("the server has only %d users", s.users))
	}
	return userNumber(n)
}

// Key returns the key of an account, which login would return.
func (u User) Key() string {
	sum := sha1.Sum([]byte(u.Name + ":" + passwordHash()))
	return hex.EncodeToString(sum[:])
}

func userNumber(n int) User { return User{Name: fmt.Sprintf("u%d", n), Password: password} }

// Collection returns the path of a user's collection file.
func (s *Server) Collection(u User) string { return filepath.Join(s.Base, u.Name, "collection.anki2") }

// Install makes a copy of the collection file at path the user's collection. It must come before the user's first request.
func (s *Server) Install(u User, path string) error {
	_, err := copyCollection(path, filepath.Dir(s.Collection(u)))
	return err
}

// runServer ends the server when our end of its standard input is closed, so that it never outlives this process, and
// removes the folder that is its argument, if any.
const runServer = `"$0" -m anki.syncserver </dev/null & server=$!
while read -r _; do :; done; exec 2>/dev/null # ours is closed: a word about the kill would end this shell
kill -9 $server; wait $server
[ -z "$1" ] || rm -rf "$1"`

// Start starts the process again after Kill, at the same address with the same data.
func (s *Server) Start() error {
	python, err := Python()
	if err != nil {
		return err
	}
	s.log = &tail{}
	s.cmd = exec.Command("sh", "-c", runServer, python, s.remove)
	s.cmd.Env = s.environment()
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	if s.stdin, err = s.cmd.StdinPipe(); err != nil {
		return err
	}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	return s.await()
}

// environment sets up the accounts. The stored passwords are hashed with one round, as the server would need seconds
// to hash many plain ones.
func (s *Server) environment() []string {
	var env []string
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "SYNC_") {
			env = append(env, kv)
		}
	}
	env = append(env, "SYNC_HOST=127.0.0.1", "SYNC_PORT="+strconv.Itoa(s.port), "SYNC_BASE="+s.Base, "PASSWORDS_HASHED=1", "RUST_LOG=error")
	for n := 1; n <= s.users; n++ {
		env = append(env, fmt.Sprintf("SYNC_USER%d=%s:%s", n, userNumber(n).Name, passwordHash()))
	}
	return append(env, s.env...)
}

// passwordHash returns the hash of the password in the form that the server reads.
var passwordHash = sync.OnceValue(func() string {
	const rounds = 1000
	salt := []byte("ankitest ankitest")
	key, err := pbkdf2.Key(sha256.New, password, salt, rounds, 32)
	if err != nil {
		panic(err)
	}
	e := base64.RawStdEncoding
	return fmt.Sprintf("$pbkdf2-sha256$i=%d,l=32$%s$%s", rounds, e.EncodeToString(salt), e.EncodeToString(key))
})

// await waits until the server answers.
func (s *Server) await() error {
	deadline := time.Now().Add(time.Minute)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for ; ; <-tick.C {
		resp, err := http.Get(s.URL + "health")
		if err == nil {
			resp.Body.Close()
			return nil
		}
		if time.Now().After(deadline) {
			s.Kill()
			return fmt.Errorf("the real server does not start: %w\n%s", err, s.log)
		}
	}
}

// Kill ends the process at once.
func (s *Server) Kill() {
	_ = s.stdin.Close()
	_ = s.cmd.Wait()
}

// Log returns the end of what the server has written.
func (s *Server) Log() string { return s.log.String() }

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
