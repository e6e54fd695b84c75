package apptest

import (
	"bufio"
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// Server is a running `cardferry serve` with the app.
type Server struct {
	URL string // ends in "/"; the same after Start

	program, dir string
	app          string   // a tree with the app, which Release changes; "" for this one
	more         []string // further flags
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
func Serve(t testing.TB) *Server { return serve(t) }

// ServeSecure is Serve with TLS, and so HTTP/2. Programs that the test starts trust it.
func ServeSecure(t *testing.T) *Server {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile := filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	for name, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: cert}, keyFile: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("SSL_CERT_FILE", certFile)
	return serve(t, "--tls-cert", certFile, "--tls-key", keyFile)
}

func serve(t testing.TB, flags ...string) *Server {
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
	s := &Server{program: path, dir: t.TempDir(), more: flags}
	s.Start(t)
	t.Cleanup(s.Stop)
	return s
}

var address = regexp.MustCompile(`https?://(127\.0\.0\.1:\d+)/`)

// Start starts the server, again after Stop: at the address that it had.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	at := "127.0.0.1:0"
	if s.URL != "" {
		_, at, _ = strings.Cut(strings.TrimSuffix(s.URL, "/"), "://")
	}
	s.cmd = exec.Command(s.program, append([]string{"serve", "--addr", at, "--data", s.dir}, s.more...)...)
	s.cmd.Dir = cmp.Or(s.app, root()) // where the app is found
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

// OwnApp serves a copy of the app, which Release can change, from now on.
func (s *Server) OwnApp(t testing.TB) {
	t.Helper()
	s.app = t.TempDir()
	for _, name := range []string{"go.mod", "web/dist", "build/core.wasm"} {
		from, to := filepath.Join(root(), name), filepath.Join(s.app, name)
		err := os.MkdirAll(filepath.Dir(to), 0o700)
		if info, serr := os.Stat(from); err == nil && serr == nil && info.IsDir() {
			err = os.CopyFS(to, os.DirFS(from))
		} else if err == nil {
			err = os.Link(from, to)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	s.Stop()
	s.Start(t)
}

// Upstream opens a way to another server, under a name.
func (s *Server) Upstream(t testing.TB, name string, other *Server) {
	t.Helper()
	s.more = append(s.more, "--upstream", name+"="+other.URL)
	s.Stop()
	s.Start(t)
}

// Release makes the app that is served another one, as a build does: its script and page have new names and contents. title is that of
// the page.
func (s *Server) Release(t testing.TB, title string) {
	t.Helper()
	dist := filepath.Join(s.app, "web", "dist")
	script, err := filepath.Glob(filepath.Join(dist, "app-*.js"))
	if err != nil || len(script) != 1 {
		t.Fatalf("the app's script: %v, %v", script, err)
	}
	old, fresh := filepath.Base(script[0]), "app-RELEASE2.js"
	err = os.Rename(script[0], filepath.Join(dist, fresh))
	for _, name := range []string{"index.html", "sw.js"} {
		path := filepath.Join(dist, name)
		b, rerr := os.ReadFile(path)
		text := strings.NewReplacer(old, fresh, "<title>Cardferry", "<title>Cardferry, "+title).Replace(string(b))
		text = cacheName.ReplaceAllString(text, "${1}0123456789ab")
		err = errors.Join(err, rerr, os.WriteFile(path, []byte(text), 0o600))
		_ = os.Remove(path + ".gz")
	}
	_ = os.Remove(filepath.Join(dist, old+".gz"))
	if err != nil {
		t.Fatal(err)
	}
}

// cacheName is the name of the service worker's cache, which has the version.
var cacheName = regexp.MustCompile(`(cardferry-app-)[0-9a-f]{12}`)

// Stop ends the server, so that the network is gone for the app. Its data stays.
func (s *Server) Stop() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	s.cmd = nil
}
