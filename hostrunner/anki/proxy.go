package anki

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"strconv"
	"sync"
	"testing"
)

// Exchange is one request on its way through a Proxy. Hooks may change what is not marked otherwise.
type Exchange struct {
	// N counts the proxy's requests from 0, in the order of their arrival. Read only.
	N int
	// Method is the last part of the path: meta, start, … Read only.
	Method string

	RequestHeader http.Header
	RequestBody   []byte // compressed

	// The answer: set after the server has answered, or by a Before hook that answers itself.
	Status int
	Header http.Header
	Body   []byte // compressed
	// Cut, if not 0, breaks the connection after that many bytes of the body, whose length is announced as a whole.
	Cut int
	// Endless sends Body again and again until the client goes away.
	Endless bool
}

// Plain returns the decompressed body of the answer; nil if it is not compressed.
func (ex *Exchange) Plain() []byte {
	if ex.Header.Get(sizeHeader) == "" {
		return nil
	}
	b, err := Decompress(ex.Body)
	if err != nil {
		return nil
	}
	return b
}

// Answer sets a successful answer with this decompressed body.
func (ex *Exchange) Answer(plain []byte) {
	ex.Status, ex.Body = 200, Compress(plain)
	if ex.Header == nil {
		ex.Header = http.Header{}
	}
	ex.Header.Set(sizeHeader, strconv.Itoa(len(plain)))
}

// Refuse sets an answer that is not a success.
func (ex *Exchange) Refuse(status int, text string) {
	ex.Status, ex.Header, ex.Body = status, http.Header{}, []byte(text)
}

const sizeHeader = "anki-original-size"

// Verdict is what a hook decides.
type Verdict int

// The verdicts.
const (
	Pass Verdict = iota // go on
	Drop                // break the connection without an answer
)

// Hooks are called in the order of a request's life. Any of them may be nil. Requests that overlap call them at once.
type Hooks struct {
	// Before is called with a request that the server has not got yet. If it sets Status, the server never gets it.
	Before func(*Exchange) Verdict
	// After is called with the server's answer, before the client gets it.
	After func(*Exchange) Verdict
}

// Proxy stands between clients and a server.
type Proxy struct {
	// URL is its base URL, to be used instead of the server's.
	URL string

	target string
	mu     sync.Mutex
	hooks  Hooks
	log    []string
	front  *httptest.Server
}

// NewProxy starts a proxy before the server with the given base URL.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	p := &Proxy{target: target}
	p.front = httptest.NewServer(p)
	p.URL = p.front.URL + "/"
	t.Cleanup(p.Close)
	return p
}

// Close ends the proxy and every connection through it.
func (p *Proxy) Close() {
	p.front.CloseClientConnections()
	p.front.Close()
}

// Use sets the hooks, forgets the log and counts from 0 again.
func (p *Proxy) Use(h Hooks) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hooks, p.log = h, nil
}

// Log returns the methods of the requests since Use, in the order of their arrival.
func (p *Proxy) Log() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.log...)
}

// ServeHTTP passes one request on.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client has gone away
	}
	ex := &Exchange{Method: path.Base(r.URL.Path), RequestHeader: r.Header.Clone(), RequestBody: body}
	p.mu.Lock()
	ex.N = len(p.log)
	p.log = append(p.log, ex.Method)
	hooks := p.hooks
	p.mu.Unlock()

	if hooks.Before != nil && hooks.Before(ex) == Drop {
		panic(http.ErrAbortHandler)
	}
	if ex.Status == 0 {
		if err := p.forward(r, ex); err != nil {
			panic(http.ErrAbortHandler) // as the client would see it without a proxy
		}
		if hooks.After != nil && hooks.After(ex) == Drop {
			panic(http.ErrAbortHandler)
		}
	}
	ex.write(w, r)
}

// forward gets the server's answer. The request goes on even if the client goes away: the server has it by then.
func (p *Proxy) forward(r *http.Request, ex *Exchange) error {
	req, err := http.NewRequest(r.Method, p.target+r.URL.Path[1:], bytes.NewReader(ex.RequestBody))
	if err != nil {
		return err
	}
	for _, h := range []string{"anki-sync", "content-type"} {
		req.Header.Set(h, ex.RequestHeader.Get(h))
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	ex.Status, ex.Header = resp.StatusCode, resp.Header
	ex.Body, err = io.ReadAll(resp.Body)
	return err
}

func (ex *Exchange) write(w http.ResponseWriter, r *http.Request) {
	for k, v := range ex.Header {
		if k != "Content-Length" && k != "Transfer-Encoding" {
			w.Header()[k] = v
		}
	}
	if !ex.Endless {
		w.Header().Set("Content-Length", strconv.Itoa(len(ex.Body)))
	}
	w.WriteHeader(ex.Status)
	if ex.Cut > 0 {
		_, _ = w.Write(ex.Body[:min(ex.Cut, len(ex.Body))])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	_, err := w.Write(ex.Body)
	for ex.Endless && err == nil && r.Context().Err() == nil {
		_, err = w.Write(ex.Body)
	}
}
