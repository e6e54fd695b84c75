package nethost

import (
	"bytes"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
)

// newRequest translates a request; closeBody releases what its body is read from.
func (c *call) newRequest(req *host.Request) (_ *http.Request, closeBody func(), err error) {
	target, err := parseURL(req.URL)
	if err != nil {
		return nil, nil, err
	}
	header, err := newHeader(req.Header, target)
	if err != nil {
		return nil, nil, err
	}
	hreq := &http.Request{
		Method: req.Method, URL: target, Host: target.Host, Header: header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	body, size, closeBody, err := c.openBody(req)
	if err != nil {
		return nil, nil, err
	}
	c.size.Store(size)
	hreq.ContentLength = size
	hreq.Body = http.NoBody
	if size > 0 {
		// With GetBody net/http can start again on a fresh connection if nothing was written to the first.
		hreq.GetBody = func() (io.ReadCloser, error) {
			c.taken.Store(0)
			return &sending{call: c, ReadCloser: body(), left: size}, nil
		}
		hreq.Body, _ = hreq.GetBody()
	}
	trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { c.conn.Store(&info.Conn) }}
	return hreq.WithContext(httptrace.WithClientTrace(c.ctx, trace)), closeBody, nil
}

// parseURL accepts absolute http and https URLs. Its errors do not quote the URL, which can contain a password.
func parseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Opaque != "" {
		return nil, fault.New(fault.InvalidInput, "the address of the server is not an http or https URL")
	}
	return u, nil
}

// newHeader translates the header, and moves user and password of the URL into it, where they belong.
func newHeader(fields map[string]string, target *url.URL) (http.Header, error) {
	// An empty User-Agent keeps net/http from sending its own; the reference sends none (collection-sync.md §3.1).
	header := http.Header{"User-Agent": {""}, "Accept": {"*/*"}}
	for name, value := range fields {
		if !isToken(name) || strings.ContainsFunc(value, isControl) {
			return nil, fault.New(fault.InvalidInput, "the request has an invalid header %q", name)
		}
		header.Set(name, value)
	}
	if target.User != nil {
		if header.Get("Authorization") == "" {
			password, _ := target.User.Password()
			pair := target.User.Username() + ":" + password
			header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(pair)))
		}
		target.User = nil
	}
	return header, nil
}

func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

func isToken(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`()<>@,;:\"/[]?={}`, r)
	})
}

// openBody opens the body of a request. Each call of body returns a reader from its beginning.
func (c *call) openBody(req *host.Request) (body func() io.ReadCloser, size int64, closeBody func(), err error) {
	switch {
	case len(req.Body) > 0 && req.BodyFile != "" || len(req.Parts) > 0 && (len(req.Body) > 0 || req.BodyFile != ""):
		return nil, 0, nil, fault.New(fault.Internal, "the request has two bodies")
	case len(req.Parts) > 0:
		size, err = sizeOf(req.Parts)
		return func() io.ReadCloser { return &partsBody{media: c.http.media, parts: req.Parts} }, size, func() {}, err
	case req.BodyFile == "":
		size = int64(len(req.Body))
		return section(bytes.NewReader(req.Body), size), size, func() {}, nil
	}
	f, err := c.http.files.Open(req.BodyFile)
	if err != nil {
		return nil, 0, nil, err
	}
	if size, err = f.Size(); err != nil {
		f.Close()
		return nil, 0, nil, err
	}
	return section(f, size), size, func() { f.Close() }, nil
}

func section(r io.ReaderAt, size int64) func() io.ReadCloser {
	return func() io.ReadCloser { return io.NopCloser(io.NewSectionReader(r, 0, size)) }
}

// sending counts the bytes of a body on their way out.
type sending struct {
	io.ReadCloser
	call *call
	left int64
}

func (s *sending) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	s.left -= int64(n)
	if n > 0 {
		s.call.taken.Add(int64(n))
		s.call.stall.touch()
	}
	if err == io.EOF && s.left > 0 {
		err = fault.New(fault.Other, "the file to be sent became shorter")
	}
	if err != nil && err != io.EOF {
		s.call.bodyErr.Store(&err)
	}
	return n, err
}
