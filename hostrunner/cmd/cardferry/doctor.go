package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/cardferry/cardferry/core/colsync"
	"github.com/cardferry/cardferry/core/fault"
)

type doctorCommand struct {
	Endpoint string `help:"Address of the sync server." required:"" placeholder:"URL"`
}

// check is one finding of the doctor.
type check struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
}

// Run looks at a server from outside, without a login, and reports every finding.
func (c *doctorCommand) Run(app *app) error {
	d := &doctor{ctx: app.ctx, client: &http.Client{
		Timeout:       15 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	d.examine(c.Endpoint)
	if err := app.ctx.Err(); err != nil {
		return fault.New(fault.Cancelled, "cancelled")
	}
	var lines []string
	for _, f := range d.checks {
		mark := "ok "
		if !f.OK {
			mark = "BAD"
		}
		lines = append(lines, fmt.Sprintf("%s  %-9s %s", mark, f.Name, f.Detail))
	}
	app.out.result(map[string]any{"checks": d.checks}, strings.Join(lines, "\n"))
	return nil
}

type doctor struct {
	ctx    context.Context
	client *http.Client
	checks []check
}

func (d *doctor) add(name string, ok bool, format string, args ...any) {
	d.checks = append(d.checks, check{name, ok, fmt.Sprintf(format, args...)})
}

func (d *doctor) examine(endpoint string) {
	base, err := colsync.ParseEndpoint(endpoint)
	if err != nil {
		d.add("url", false, "%v", err)
		return
	}
	d.add("url", true, "%s", base)
	u, _ := url.Parse(base)
	if u != nil && u.Path != "/" && !strings.HasSuffix(strings.SplitN(endpoint, "?", 2)[0], "/") {
		d.add("slash", false, "the address does not end in \"/\": other clients drop its last part")
	} else {
		d.add("slash", true, "ends in \"/\", or has no path")
	}
	if !d.reach(base) {
		return
	}
	d.protocol(base)
	d.cors(base)
}

// reach asks for the health page, which gives connection, TLS and clock.
func (d *doctor) reach(base string) bool {
	resp, err := d.request("GET", base+"health", nil)
	if err != nil {
		var cert *tls.CertificateVerificationError
		var dns *net.DNSError
		switch {
		case errors.As(err, &cert):
			d.add("tls", false, "the server's certificate is not accepted: %v", cert.Err)
		case errors.As(err, &dns):
			d.add("connect", false, "the server's name is not known: %s", dns.Name)
		default:
			d.add("connect", false, "%v", errors.Unwrap(err))
		}
		return false
	}
	defer resp.Body.Close()
	d.add("connect", true, "the server answers")
	if resp.TLS != nil {
		d.add("tls", true, "certificate valid until %s", resp.TLS.PeerCertificates[0].NotAfter.Format("2006-01-02"))
	} else {
		d.add("tls", isLoopback(base), "plain HTTP: passwords travel readable, and pages on other addresses cannot use it")
	}
	d.add("health", resp.StatusCode == 200, "GET health: %d", resp.StatusCode)
	if at, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		off := time.Since(at).Round(time.Second)
		d.add("clock", off.Abs() <= 300*time.Second, "this clock is %v off the server's; 5 minutes are allowed", off)
	}
	return true
}

// protocol sends a meta request without a key: a protocol-11 server refuses the key (403), anything else is none.
func (d *doctor) protocol(base string) {
	header := http.Header{"Anki-Sync": {`{"v":11,"k":"","c":"doctor","s":"doctor"}`}, "Content-Type": {"application/octet-stream"}}
	// One zstd frame of "{}": magic, header with content size 2, one raw last block.
	frame := "\x28\xb5\x2f\xfd\x20\x02\x11\x00\x00{}"
	resp, err := d.post(base+"sync/meta", frame, header)
	if err != nil {
		d.add("protocol", false, "%v", errors.Unwrap(err))
		return
	}
	defer resp.Body.Close()
	switch s := resp.StatusCode; {
	case s == 403:
		d.add("protocol", true, "speaks protocol 11")
	case s == 308:
		d.add("protocol", true, "redirects to %s", resp.Header.Get("Location"))
	case s == 404:
		d.add("protocol", false, "there is no sync server at this address (404); is a path missing?")
	default:
		d.add("protocol", false, "unexpected answer %d to a request without a key", s)
	}
}

func (d *doctor) cors(base string) {
	resp, err := d.request("OPTIONS", base+"sync/meta", http.Header{
		"Origin": {"https://example.org"}, "Access-Control-Request-Method": {"POST"},
		"Access-Control-Request-Headers": {"anki-sync,content-type"},
	})
	if err != nil {
		return
	}
	defer resp.Body.Close()
	if resp.Header.Get("Access-Control-Allow-Origin") != "" {
		d.add("cors", true, "pages of other origins may use it")
	} else {
		d.add("cors", true, "only programs, and pages of its own origin, can use it (no CORS headers)")
	}
}

func (d *doctor) request(method, target string, header http.Header) (*http.Response, error) {
	req, err := http.NewRequestWithContext(d.ctx, method, target, nil)
	if err != nil {
		return nil, err
	}
	if header != nil {
		req.Header = header
	}
	return d.client.Do(req)
}

func (d *doctor) post(target, body string, header http.Header) (*http.Response, error) {
	req, err := http.NewRequestWithContext(d.ctx, "POST", target, io.NopCloser(strings.NewReader(body)))
	if err != nil {
		return nil, err
	}
	req.Header, req.ContentLength = header, int64(len(body))
	return d.client.Do(req)
}

func isLoopback(base string) bool {
	u, err := url.Parse(base)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}
