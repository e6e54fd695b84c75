package nethost

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"

	"github.com/cardferry/cardferry/core/fault"
)

// Why a call's context ended, other than by the caller's context.
var (
	errStalled = errors.New("stalled")
	errClosed  = errors.New("closed")
)

// convert gives an error of net/http its kind (collection-sync.md §19). Messages never contain the URL: it can have
// a password in it.
func (c *call) convert(err error) error {
	if p := c.bodyErr.Load(); p != nil {
		return fault.Wrap(fault.KindOf(*p), *p, "read the body to be sent")
	}
	if c.ctx.Err() != nil {
		switch cause := context.Cause(c.ctx); {
		case errors.Is(cause, errStalled):
			return fault.New(fault.Timeout, "the server did not answer in time").
				WithHint("Check the connection and try again.")
		default:
			return cancelled(cause)
		}
	}
	if e, ok := errors.AsType[*fault.Error](err); ok {
		return e
	}
	if ProxyFailed(err) {
		return &fault.Error{
			Kind: kindOf(err), Message: "the proxy cannot be reached", Err: errors.New(textOf(err)),
			Hint: "Check HTTPS_PROXY and HTTP_PROXY, and that the proxy runs.",
		}
	}
	return &fault.Error{
		Kind: kindOf(err), Message: "cannot talk to the server", Err: errors.New(textOf(err)),
		Hint: "Check the connection and the address of the sync server, and try again.",
	}
}

// ProxyFailed reports whether an error of net/http is that of the way to the proxy, of which nothing says anything about the server.
func ProxyFailed(err error) bool {
	e, ok := errors.AsType[*net.OpError](err)
	return ok && e.Op == "proxyconnect"
}

// NoWebServer reports whether an error of net/http is that of a server that does not speak HTTP.
func NoWebServer(err error) bool {
	text := err.Error()
	return strings.Contains(text, "malformed HTTP") || strings.Contains(text, "readLoopPeekFailLocked") // the latter if it speaks before it was asked
}

func cancelled(err error) error { return fault.Wrap(fault.Cancelled, err, "cancelled") }

// unreachable are the system errors of a computer that is offline.
var unreachable = []error{
	syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.ENETDOWN, syscall.EHOSTDOWN, syscall.EADDRNOTAVAIL,
}

func kindOf(err error) fault.Kind {
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return fault.Offline
	}
	for _, e := range unreachable {
		if errors.Is(err, e) {
			return fault.Offline
		}
	}
	if errors.Is(err, syscall.ETIMEDOUT) || errors.Is(err, os.ErrDeadlineExceeded) {
		return fault.Timeout
	}
	return fault.Network
}

// textOf returns what is wrong in few words.
func textOf(err error) string {
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		return "looking up its name: " + e.Err
	}
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "its certificate is not valid: " + e.Err.Error()
	}
	if e, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "its certificate is not valid: " + e.Error()
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "the connection ended too early"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, net.ErrClosed):
		return "the connection was broken"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing answers there (connection refused)"
	}
	if NoWebServer(err) {
		return "what answers there is no web server"
	}
	return err.Error()
}
