package main

import (
	"crypto/tls"
	"log/slog"
	"os"
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
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fault.Wrap(fault.InvalidInput, err, "read certificate and key")
	}
	c.pair, c.from = &pair, from
	return nil
}

func (c *certificates) written() (t [2]time.Time) {
	for i, name := range []string{c.certFile, c.keyFile} {
		if info, err := os.Stat(name); err == nil {
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
				c.log.Warn("the replaced certificate cannot be used, the one before is kept", "certificate", c.certFile, "key", c.keyFile, "error", err.Error())
			}
		}
	}
	return c.pair, nil
}
