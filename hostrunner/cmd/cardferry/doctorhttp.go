package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"

	"github.com/cardferry/cardferry/hostrunner/nethost"
)

// emptyFrame is a zstd frame of "{}": magic, header with content size 2, one raw last block.
const emptyFrame = "\x28\xb5\x2f\xfd\x20\x02\x11\x00\x00{}"

// syncHeader is that of a sync request without a key.
func syncHeader(version int) http.Header {
	return http.Header{
		"Anki-Sync":    {fmt.Sprintf(`{"v":%d,"k":"","c":"cardferry-doctor","s":"doctor"}`, version)},
		"Content-Type": {"application/octet-stream"},
	}
}

// meta asks for the server's state without a key. The answer's body is closed.
func (d *doctor) meta(base string, version int) (*http.Response, error) {
	return d.post(base+"sync/meta", version)
}

// post sends a sync request without a key. The answer's body is closed.
func (d *doctor) post(target string, version int) (*http.Response, error) {
	resp, err := d.send("POST", target, syncHeader(version), []byte(emptyFrame))
	if err == nil {
		resp.Body.Close()
	}
	return resp, err
}

func (d *doctor) send(method, target string, header http.Header, body []byte) (*http.Response, error) {
	return d.sendSized(method, target, header, bytes.NewReader(body), int64(len(body)))
}

func (d *doctor) sendSized(method, target string, header http.Header, body io.Reader, size int64) (*http.Response, error) {
	req, err := http.NewRequestWithContext(d.ctx, method, target, body)
	if err != nil {
		return nil, err
	}
	if header != nil {
		req.Header = header
	}
	req.ContentLength = size
	// A server may refuse an announced body and keep the connection: net/http sends it the body all the same, and there is none.
	req.Close = header.Get("Expect") != ""
	return d.client.Do(req)
}

// errWanted ends a request whose body the server has asked for.
var errWanted = errors.New("the server wants the body")

// wanted is a body that is never sent.
type wanted struct{}

func (wanted) Read([]byte) (int, error) { return 0, errWanted }

// connectProblem says in plain words why there is no answer, and which check that belongs to.
func connectProblem(err error) (name, detail string) {
	var cert *tls.CertificateVerificationError
	var dns *net.DNSError
	var record tls.RecordHeaderError
	switch {
	case nethost.ProxyFailed(err): // before what says the same of the server
		return "connect", fmt.Sprintf("the proxy cannot be reached (%s); check HTTPS_PROXY and HTTP_PROXY", reason(err))
	case errors.As(err, &cert):
		detail := fmt.Sprintf("the server's certificate is not accepted: %v", cert.Err)
		sent := cert.UnverifiedCertificates
		if errors.As(cert.Err, new(x509.UnknownAuthorityError)) && len(sent) == 1 && !bytes.Equal(sent[0].RawIssuer, sent[0].RawSubject) {
			detail += "; it came without that of who has signed it: the server needs a file with the whole chain (fullchain.pem)"
		}
		return "tls", detail
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return "tls", "the server does not speak TLS at this address; http:// may be meant"
	case strings.Contains(err.Error(), `malformed HTTP response "\x15\x03`): // an alert
		return "tls", speaksTLS
	case nethost.NoWebServer(err):
		return "connect", "what listens at this address is no web server; is the port right?"
	case errors.As(err, &dns):
		return "connect", "the name " + dns.Name + " is not known"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connect", "nothing listens at this address (connection refused)"
	case errors.Is(err, os.ErrDeadlineExceeded), isTimeout(err):
		return "connect", fmt.Sprintf("no answer within %v", doctorWait)
	}
	return "connect", reason(err)
}

// speaksTLS is what is wrong with an http:// address that should be an https:// one.
const speaksTLS = "the server speaks TLS at this address; write https://"

// wantsTLS reports whether an answer is that of a server of HTTPS to plain HTTP: common ones say so in a page.
func wantsTLS(resp *http.Response, page []byte) bool {
	return resp.TLS == nil && resp.StatusCode == http.StatusBadRequest && (bytes.Contains(page, []byte("HTTPS")) || bytes.Contains(page, []byte("SSL")))
}

// shown is an address as it may be passed on to others: without a password.
func shown(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return base
	}
	return u.Redacted()
}

func isTimeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}

// reason is an error's text without method and URL.
func reason(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	if errors.Is(err, io.EOF) {
		return "the connection was closed without an answer"
	}
	return err.Error()
}

func isLoopback(base string) bool {
	u, err := url.Parse(base)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return strings.EqualFold(u.Hostname(), "localhost") || ip != nil && ip.IsLoopback()
}
