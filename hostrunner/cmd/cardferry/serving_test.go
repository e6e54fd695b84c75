package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/gateway"
	"github.com/cardferry/cardferry/hostrunner/syncserver"
)

// inProcess serves with settings in this process.
func inProcess(t *testing.T, set *serveSettings, log *slog.Logger) (url string) {
	t.Helper()
	if set.dir == "" {
		set.dir = t.TempDir()
	}
	s, err := newServing(t.Context(), set, log)
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(s.sync)
	t.Cleanup(func() {
		h.Close()
		s.sync.Close(t.Context())
	})
	return h.URL + "/"
}

// The gateway as a part of the server: its limits, CORS, metrics and logs, and a key that stays.
func TestServeGateway(t *testing.T) {
	t.Parallel()
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		switch r.URL.Path {
		case "/sync/meta":
			w.Header().Set("Location", "http://"+r.Host+"/elsewhere/")
			w.WriteHeader(308)
		case "/sync/hostKey":
			w.WriteHeader(403)
		default:
			w.Header().Set("anki-original-size", "5")
			w.Write(b)
		}
	}))
	defer up.Close()
	var logged lockedBuffer
	log := slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	set := &serveSettings{
		dir: t.TempDir(), limits: syncserver.Limits{Payload: 1 << 20}, upstreams: []gateway.Upstream{{Name: "up", URL: up.URL}}, origins: syncserver.Origins{"https://app.example"},
	}
	url := inProcess(t, set, log)
	const header = `anki-sync: {"v":11,"k":"the secret key","c":"test","s":"x"}`

	resp, body := request(t, "POST", url+"upstream/up/sync/start", "the body", header, "Origin: https://app.example")
	if resp.StatusCode != 200 || body != "the body" || resp.Header.Get("anki-original-size") != "5" ||
		resp.Header.Get("Access-Control-Allow-Origin") != "https://app.example" ||
		!strings.Contains(resp.Header.Get("Access-Control-Expose-Headers"), "anki-original-size") {
		t.Errorf("%d %q %v", resp.StatusCode, body, resp.Header)
	}
	resp, _ = request(t, "OPTIONS", url+"upstream/up/sync/start", "", "Origin: https://app.example", "Access-Control-Request-Method: POST")
	if resp.StatusCode != 204 {
		t.Errorf("preflight: %d", resp.StatusCode)
	}
	resp, _ = request(t, "POST", url+"upstream/up/sync/upload", strings.Repeat("x", 1<<20+1), header)
	if resp.StatusCode != 413 {
		t.Errorf("a long body: %d", resp.StatusCode)
	}
	many := 0
	for range 100 {
		if resp, _ := request(t, "POST", url+"upstream/up/sync/hostKey", "the body", header); resp.StatusCode == 429 {
			many++
		}
	}
	if many < 40 || many > 60 { // 50 at once, and a few more in the meantime
		t.Errorf("%d of 100 failed logins were too many", many)
	}
	resp, _ = request(t, "POST", url+"upstream/up/sync/meta", "", header)
	location := resp.Header.Get("Location")
	if resp.StatusCode != 308 || !strings.HasPrefix(location, url+"upstream/up~") {
		t.Fatalf("redirect: %d %s", resp.StatusCode, location)
	}
	if _, body := request(t, "GET", url+"metrics", ""); !strings.Contains(body, `cardferry_requests_total{endpoint="upstream/up/sync/start",status="200"} 1`) {
		t.Error("the metrics know nothing of it")
	}
	o := as(t, "", "doctor", "--endpoint", url+"upstream/up/")
	for _, want := range []string{`"name":"health","ok":true`, "not applicable"} {
		if !strings.Contains(o.stdout, want) {
			t.Errorf("doctor says no %s: %s", want, o.stdout)
		}
	}
	again := inProcess(t, set, log)
	if resp, _ := request(t, "POST", again+strings.TrimPrefix(location, url)+"sync/start", "x", header); resp.StatusCode != 200 {
		t.Errorf("the path of the redirect after a restart: %d", resp.StatusCode)
	}
	if strings.Contains(logged.String(), "secret") || strings.Contains(logged.String(), "the body") || !strings.Contains(logged.String(), "upstream/up/sync/start") {
		t.Errorf("the log: %s", logged.String())
	}
	if info, err := os.Stat(filepath.Join(set.dir, "gateway.key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key: %v %v", info, err)
	}
}

// writeCertificate writes a certificate of its own with a serial number.
func writeCertificate(t *testing.T, dir string, serial int64, written time.Time) (certFile, keyFile string, pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(name, written, written); err != nil {
			t.Fatal(err)
		}
	}
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return certFile, keyFile, pool
}

func TestServeTLS(t *testing.T) {
	t.Parallel()
	cert, key, pool := writeCertificate(t, t.TempDir(), 1, time.Now())
	s := startServe(t, t.TempDir(), "--tls-cert", cert, "--tls-key", key)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}}
	defer client.CloseIdleConnections()
	resp, err := client.Get(s.url + "health")
	if err != nil || resp.StatusCode != 200 || !strings.HasPrefix(s.url, "https://127.0.0.1:") {
		t.Fatal(s.url, err)
	}
	resp.Body.Close()
	old := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MaxVersion: tls.VersionTLS11}}}
	if _, err := old.Get(s.url + "health"); err == nil {
		t.Error("TLS 1.1 is taken")
	}
	s.stop(t, os.Interrupt)
}

// A new certificate is taken; half of a pair, or a broken file, leaves the old one in use, and is reported once.
func TestCertificates(t *testing.T) {
	t.Parallel()
	dir, now := t.TempDir(), time.Now()
	certFile, keyFile, _ := writeCertificate(t, dir, 1, now)
	c, err := loadCertificates(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	var log lockedBuffer
	c.log = slog.New(slog.NewTextHandler(&log, nil))
	serial := func() int64 {
		t.Helper()
		c.checked = time.Time{} // as if the files had not been looked at for a while
		pair, err := c.get(nil)
		if err != nil {
			t.Fatal(err)
		}
		return pair.Leaf.SerialNumber.Int64()
	}
	if got := serial(); got != 1 {
		t.Error("the first:", got)
	}
	writeCertificate(t, dir, 2, now.Add(time.Minute))
	good, err := os.ReadFile(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	os.WriteFile(keyFile, []byte("broken"), 0o600)
	for range 3 {
		if got := serial(); got != 1 {
			t.Error("with a broken key:", got)
		}
	}
	if text := log.String(); strings.Count(text, "level=WARN") != 1 || !strings.Contains(text, keyFile) || !strings.Contains(text, "PEM") {
		t.Errorf("the log has %s", text)
	}
	os.WriteFile(keyFile, good, 0o600)
	if got := serial(); got != 2 || strings.Count(log.String(), "\n") != 1 {
		t.Error("the new one:", got, log.String())
	}
	if _, err := loadCertificates(keyFile, certFile); fault.KindOf(err) != fault.InvalidInput {
		t.Error(err)
	}
	misfits(t, certFile, keyFile)
}

// misfits has certificates in the wrong order and of another key, and one from a pipe, which can be read once.
func misfits(t *testing.T, certFile, keyFile string) {
	t.Helper()
	cert, err := os.ReadFile(certFile)
	if err != nil {
		t.Fatal(err)
	}
	otherFile, _, _ := writeCertificate(t, t.TempDir(), 3, time.Now())
	other, err := os.ReadFile(otherFile)
	if err != nil {
		t.Fatal(err)
	}
	for hint, chain := range map[string][]byte{"come first": append(other, cert...), "none of the certificates": other} {
		if err := os.WriteFile(otherFile, chain, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := loadCertificates(otherFile, keyFile)
		if e, ok := errors.AsType[*fault.Error](err); !ok || e.Kind != fault.InvalidInput || !strings.Contains(e.Hint, hint) {
			t.Errorf("%v, %q", err, hint)
		}
	}
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	go os.WriteFile(pipe, cert, 0o600)
	c, err := loadCertificates(pipe, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, written := range []time.Time{time.Now(), time.Now().Add(time.Hour)} { // the key is touched
		c.checked = time.Time{}
		if pair, err := c.get(nil); pair == nil || err != nil {
			t.Error(err)
		}
		if err := os.Chtimes(keyFile, written, written); err != nil {
			t.Fatal(err)
		}
	}
}
