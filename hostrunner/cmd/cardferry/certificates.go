package main

import (
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/cardferry/cardferry/core/fault"
)

// certificates is a certificate with its key, from files that may be replaced while the server runs.
type certificates struct {
	certFile, keyFile string
	// log is told of files that cannot be used, once of each.
	log *slog.Logger

	mu      sync.Mutex
	pair    *tls.Certificate
	from    [2]time.Time // when the files were written
	told    [2]time.Time // the same of those that could not be used, which the log has
	checked time.Time
}

// certificateCheck is how often the files are looked at.
const certificateCheck = 10 * time.Second

// loadCertificates reads the files. Errors are fault.InvalidInput.
func loadCertificates(certFile, keyFile string) (*certificates, error) {
	c := &certificates{certFile: certFile, keyFile: keyFile, log: slog.New(slog.DiscardHandler)}
	return c, c.load()
}

func (c *certificates) load() error {
	from := c.written()
	cert, err := c.read(c.certFile)
	var key []byte
	if err == nil {
		key, err = c.read(c.keyFile)
	}
	var pair tls.Certificate
	if err == nil {
		pair, err = tls.X509KeyPair(cert, key)
	}
	if err != nil {
		e := &fault.Error{Kind: fault.InvalidInput, Message: "read certificate and key", Err: err}
		return e.WithHint(c.misfit(cert, key, err))
	}
	c.pair, c.from = &pair, from
	return nil
}

// read reads a file. A pipe can be read at the start only: later there is nothing in it, and all connections would wait for that.
func (c *certificates) read(name string) ([]byte, error) {
	if info, err := os.Stat(name); c.pair != nil && err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file", name)
	}
	return os.ReadFile(name)
}

// misfit says why key and certificate do not go together, "" if something else is wrong.
func (c *certificates) misfit(cert, key []byte, err error) string {
	for block, rest := pem.Decode(cert); block != nil; block, rest = pem.Decode(rest) {
		if _, err := tls.X509KeyPair(pem.EncodeToMemory(block), key); err == nil {
			return "The certificate that the key belongs to has to come first in " + c.certFile + "."
		}
	}
	if strings.Contains(err.Error(), "private key") && strings.Contains(err.Error(), "does not match") {
		return "The key in " + c.keyFile + " belongs to none of the certificates in " + c.certFile + "."
	}
	return ""
}

// written tells when the files were written; what is none, such as a shell's <(…), does not change.
func (c *certificates) written() (t [2]time.Time) {
	for i, name := range []string{c.certFile, c.keyFile} {
		if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
			t[i] = info.ModTime()
		}
	}
	return t
}

// get returns the certificate for a new connection. Files that cannot be read, or do not go together since only one was replaced yet, leave
// the one before in use.
func (c *certificates) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.checked) >= certificateCheck {
		c.checked = now
		if from := c.written(); from != c.from {
			if err := c.load(); err != nil && from != c.told {
				c.told = from
				text := err.Error()
				if e, ok := errors.AsType[*fault.Error](err); ok && e.Hint != "" {
					text += ". " + e.Hint
				}
				c.log.Warn("the replaced certificate cannot be used, the one before is kept", "certificate", c.certFile, "key", c.keyFile, "error", text)
			}
		}
	}
	return c.pair, nil
}
