package ankitest

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"path"
	"strconv"
	"sync"
	"time"
)

// Exchange is one request through a FaultProxy and its answer. A hook may change the fields of what is still to come.
type Exchange struct {
	// N counts the proxy's requests, from 0.
	N int
	// Method is the last part of the path, for example "applyChunk".
	Method string
	// Packed is the request's body as it came, a zstd frame.
	Packed []byte
	// Status, Header and Body are the answer: Body is decompressed, and compressed again on its way.
	Status int
	Header http.Header
	Body   []byte
	// Raw replaces the whole body of the answer, as it is, if it is not nil.
	Raw []byte
	// Truncate, if it is positive, announces the whole body but ends the connection that many bytes before its end.
	Truncate int
	// Endless sends that text again and again, compressed, until the client goes away.
	Endless string
	// Cut ends the connection: before forwarding nothing is forwarded, after it the answer is dropped.
	Cut bool
	// Hang leaves the request unanswered until the client goes away.
	Hang bool
	// Answered, set before forwarding, makes Status, Header and Body the answer without asking the server.
	Answered bool
}

// Payload returns the decompressed body of the request, nil if it is none.
func (x *Exchange) Payload() []byte {
	b, err := Decompress(x.Packed)
	if err != nil {
		return nil
	}
	return b
}

// FaultProxy stands before a server and lets a test see, delay, change or lose what passes.
type FaultProxy struct {
	// URL is the endpoint for clients, ending in "/".
	URL string
	// Target is where it forwards to, ending in "/".
	Target string

	mu      sync.Mutex
	before  func(*Exchange)
	after   func(*Exchange)
	methods []string
	http    http.Client
	gone    chan struct{}
}

// NewFaultProxy starts a proxy that ends with the test.
func NewFaultProxy(t TB, target string) *FaultProxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &FaultProxy{URL: "http://" + l.Addr().String() + "/", Target: target, gone: make(chan struct{})}
	p.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	p.http.Transport = &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 32}
	s := &http.Server{Handler: p, ReadHeaderTimeout: time.Minute}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() {
		close(p.gone)
		_ = s.Close()
		p.http.CloseIdleConnections()
	})
	return p
}

// Before sets what is called with each request before it is forwarded, nil for nothing. Calls may overlap if the client
// overlaps its requests.
func (p *FaultProxy) Before(hook func(*Exchange)) { p.set(func() { p.before = hook }) }

// After sets what is called with each answer before it is sent on.
func (p *FaultProxy) After(hook func(*Exchange)) { p.set(func() { p.after = hook }) }

// Reset removes the hooks and forgets the requests seen.
func (p *FaultProxy) Reset() { p.set(func() { p.before, p.after, p.methods = nil, nil, nil }) }

func (p *FaultProxy) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

// Methods returns the methods of the requests so far, in the order of their arrival.
func (p *FaultProxy) Methods() (list []string) {
	p.set(func() { list = append(list, p.methods...) })
	return list
}

// ServeHTTP handles one request.
func (p *FaultProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	x := &Exchange{Method: path.Base(r.URL.Path), Packed: body, Header: http.Header{}}
	var before, after func(*Exchange)
	p.set(func() {
		x.N, before, after = len(p.methods), p.before, p.after
		p.methods = append(p.methods, x.Method)
	})
	if before != nil {
		before(x)
	}
	if p.ended(w, r, x) {
		return
	}
	if !x.Answered {
		if err := p.forward(r, x); err != nil {
			cut(w)
			return
		}
	}
	if after != nil {
		after(x)
	}
	if !p.ended(w, r, x) {
		reply(w, r, x)
	}
}

// ended carries out Cut and Hang.
func (p *FaultProxy) ended(w http.ResponseWriter, r *http.Request, x *Exchange) bool {
	if x.Hang {
		select {
		case <-r.Context().Done():
		case <-p.gone:
		}
	}
	if x.Hang || x.Cut {
		cut(w)
	}
	return x.Hang || x.Cut
}

func (p *FaultProxy) forward(r *http.Request, x *Exchange) error {
	req, err := http.NewRequestWithContext(r.Context(), r.Method, p.Target+r.URL.Path[1:], bytes.NewReader(x.Packed))
	if err != nil {
		return err
	}
	for _, k := range []string{"anki-sync", "content-type"} {
		req.Header.Set(k, r.Header.Get(k))
	}
	resp, err := p.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if x.Body, err = io.ReadAll(resp.Body); err != nil {
		return err
	}
	x.Status, x.Header = resp.StatusCode, resp.Header
	if x.Header.Get("anki-original-size") != "" {
		x.Body, err = Decompress(x.Body)
	}
	return err
}

// reply sends the answer. Its size is announced as it is, unless a hook has announced another one.
func reply(w http.ResponseWriter, r *http.Request, x *Exchange) {
	if x.Endless != "" {
		replyEndless(w, x)
		return
	}
	body := x.Raw
	if body == nil {
		body = x.Body
		if x.Status < 300 {
			if announced := x.Header.Get("anki-original-size"); announced == "" || x.Header.Get("x-size-as-is") == "" {
				x.Header.Set("anki-original-size", strconv.Itoa(len(body)))
			}
			body = Compress(body)
		}
	}
	x.Header.Del("x-size-as-is")
	for k, v := range x.Header {
		if k != "Content-Length" && k != "Transfer-Encoding" && k != "Date" {
			w.Header()[k] = v
		}
	}
	w.Header().Set("content-length", strconv.Itoa(len(body)))
	w.WriteHeader(x.Status)
	if x.Truncate > 0 {
		_, _ = w.Write(body[:max(0, len(body)-x.Truncate)])
		_ = http.NewResponseController(w).Flush()
		cut(w)
		return
	}
	_, _ = w.Write(body)
}

// Announce makes the answer announce a size other than its own.
func (x *Exchange) Announce(size int64) {
	x.Header.Set("anki-original-size", fmt.Sprint(size))
	x.Header.Set("x-size-as-is", "1")
}

// cut ends the connection without another byte.
func cut(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}
