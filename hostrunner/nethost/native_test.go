package nethost_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/hostrunner/nethost"
)

func serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	s := httptest.NewServer(handler)
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s
}

func newHTTP(t *testing.T) *nethost.HTTP {
	h := nethost.New(coretest.NewFiles(), coretest.NewMedia(nil))
	t.Cleanup(h.Close)
	return h
}

func post(u string) *host.Request {
	return &host.Request{Method: "POST", URL: u, Body: []byte("x"), Limit: 1 << 20, Stall: 5 * time.Second}
}

func TestConnectionsAreReused(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	seen := map[string]bool{}
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		seen[r.RemoteAddr] = true
	})
	h := newHTTP(t)
	for range 20 {
		_, err := coretest.Do(t.Context(), h, post(s.URL))
		coretest.Must(t, err)
	}
	if len(seen) != 1 {
		t.Errorf("%d connections for requests one after another", len(seen))
	}
}

func TestSixteenAtOnce(t *testing.T) {
	t.Parallel()
	var running, most atomic.Int32
	all := make(chan struct{})
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if n := running.Add(1); n == 16 {
			most.Store(n)
			close(all)
		}
		<-all
	})
	h := newHTTP(t)
	var calls []host.Call
	for range 16 {
		calls = append(calls, h.Start(t.Context(), post(s.URL)))
	}
	for len(calls) > 0 {
		i, err := h.Wait(t.Context(), calls)
		coretest.Must(t, err)
		_, err = calls[i].Response()
		coretest.Must(t, err)
		calls = append(calls[:i], calls[i+1:]...)
	}
	if most.Load() != 16 {
		t.Error("the requests did not run together")
	}
}

func TestPasswordInURL(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		fmt.Fprint(w, user, " ", password)
	})
	h := newHTTP(t)
	resp, err := coretest.Do(t.Context(), h, post(strings.Replace(s.URL, "//", "//me:geheim@", 1)))
	coretest.Must(t, err)
	if string(resp.Body) != "me geheim" {
		t.Errorf("arrived: %s", resp.Body)
	}
	s.Close()
	_, err = coretest.Do(t.Context(), h, post(strings.Replace(s.URL, "//", "//me:geheim@", 1)))
	coretest.WantKind(t, err, fault.Network)
	if strings.Contains(err.Error(), "geheim") {
		t.Errorf("the password is in %q", err)
	}
}

func TestNoAddress(t *testing.T) {
	t.Parallel()
	_, err := coretest.Do(t.Context(), newHTTP(t), post("http://cardferry-test.invalid/"))
	coretest.WantKind(t, err, fault.Offline)
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		for _, name := range []string{"User-Agent", "Accept-Encoding"} {
			if v, ok := r.Header[name]; ok {
				t.Errorf("%s: %q", name, v)
			}
		}
		if r.ProtoMajor != 1 || r.Header.Get("Accept") != "*/*" {
			t.Errorf("%s, accept %q", r.Proto, r.Header.Get("Accept"))
		}
	})
	_, err := coretest.Do(t.Context(), newHTTP(t), post(s.URL))
	coretest.Must(t, err)
}

// TestNoWebServer: what greets its clients, or does not speak HTTP, is named as that, in whatever words net/http has for it. If it ends the
// connection while we send, that is all there is to be said.
func TestNoWebServer(t *testing.T) {
	t.Parallel()
	for name, greets := range map[string]bool{"greets": true, "answers": false} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		coretest.Must(t, err)
		defer l.Close()
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				if !greets {
					_, _ = conn.Read(make([]byte, 4096))
				}
				fmt.Fprint(conn, "220 mail.example.org ESMTP\r\n")
				_, _ = io.Copy(io.Discard, conn) // until the client has had enough
				conn.Close()
			}
		}()
		for range 20 { // which of its words depends on what comes first
			_, err = coretest.Do(t.Context(), newHTTP(t), post("http://"+l.Addr().String()+"/sync/meta"))
			coretest.WantKind(t, err, fault.Network)
			if s := err.Error(); !strings.HasSuffix(s, "what answers there is no web server") && !strings.HasSuffix(s, "the connection was broken") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestProxy(t *testing.T) {
	t.Parallel()
	proxy := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.Header.Get("Proxy-Authorization") {
		case "Basic dTpwYXNz": // u:pass
			fmt.Fprintf(w, "via proxy: %s", r.RequestURI)
		default:
			w.WriteHeader(http.StatusProxyAuthRequired)
		}
	})
	through := func(user string) *nethost.HTTP {
		u, err := url.Parse(strings.Replace(proxy.URL, "//", "//"+user, 1))
		coretest.Must(t, err)
		h := nethost.NewProxied(coretest.NewFiles(), nil, func(*http.Request) (*url.URL, error) { return u, nil })
		t.Cleanup(h.Close)
		return h
	}
	resp, err := coretest.Do(t.Context(), through("u:pass@"), post("http://sync.example/sync/meta"))
	coretest.Must(t, err)
	if string(resp.Body) != "via proxy: http://sync.example/sync/meta" {
		t.Errorf("got %s", resp.Body)
	}
	resp, err = coretest.Do(t.Context(), through(""), post("http://sync.example/"))
	coretest.Must(t, err)
	if resp.Status != http.StatusProxyAuthRequired {
		t.Errorf("status %d", resp.Status)
	}
	_, err = coretest.Do(t.Context(), through(""), post("https://sync.example/")) // CONNECT
	coretest.WantKind(t, err, fault.ProxyAuth)

	proxy.Close()
	for _, to := range []string{"http://sync.example/", "https://sync.example/"} {
		_, err = coretest.Do(t.Context(), through(""), post(to))
		if coretest.WantKind(t, err, fault.Network); !strings.Contains(err.Error(), "the proxy cannot be reached") {
			t.Errorf("a proxy that does not run: %v", err)
		}
	}

	h := nethost.NewProxied(coretest.NewFiles(), nil, func(*http.Request) (*url.URL, error) {
		return nil, fmt.Errorf("invalid proxy address %q", "u:geheim@[")
	})
	_, err = coretest.Do(t.Context(), h, post("http://sync.example/"))
	coretest.WantKind(t, err, fault.Network)
	if strings.Contains(err.Error(), "geheim") {
		t.Errorf("the proxy's password is in %q", err)
	}
}

// TestProxySetting: what is no address is told, where there should be a proxy, and what is told has no password.
func TestProxySetting(t *testing.T) {
	direct := serve(t, func(http.ResponseWriter, *http.Request) {})
	for name, value := range map[string]string{"HTTP_PROXY": "::geheim::", "HTTPS_PROXY": "::1:8080:", "NO_PROXY": "free.invalid", "http_proxy": "", "https_proxy": "", "no_proxy": ""} {
		t.Setenv(name, value)
	}
	h := nethost.New(coretest.NewFiles(), nil)
	t.Cleanup(h.Close)
	for to, told := range map[string]bool{"http://sync.invalid/": true, "https://sync.invalid/": true, "http://free.invalid/": false, direct.URL: false} {
		_, err := coretest.Do(t.Context(), h, post(to))
		if got := err != nil && strings.Contains(err.Error(), "HTTPS_PROXY"); got != told || err != nil && strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s: %v", to, err)
		}
	}
}

func TestCertificate(t *testing.T) {
	t.Parallel()
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = nil
	s.StartTLS()
	t.Cleanup(s.Close)
	_, err := coretest.Do(t.Context(), newHTTP(t), post(s.URL))
	coretest.WantKind(t, err, fault.Network)
	if !strings.Contains(err.Error(), "certificate") {
		t.Errorf("message %q", err)
	}
}

// TestSlowReaderDoesNotStall: a caller that takes its time with a stream is not the server's fault.
func TestSlowReaderDoesNotStall(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { w.Write(make([]byte, 8<<20)) })
	req := post(s.URL)
	req.Stream, req.Stall = true, 100*time.Millisecond
	h := newHTTP(t)
	call := h.Start(t.Context(), req)
	defer call.Close()
	coretest.Must(t, coretest.WaitFor(t.Context(), h, call))
	pause := time.NewTimer(300 * time.Millisecond)
	<-pause.C
	n, err := io.Copy(io.Discard, coretest.Body(t.Context(), call))
	if n != 8<<20 || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// TestSlowLineDoesNotStall: the system takes the whole body at once, and sends it for longer than the stall time.
func TestSlowLineDoesNotStall(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	coretest.Must(t, err)
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		c.(*net.TCPConn).SetReadBuffer(16 << 10)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for left := 1 << 20; left > 0; {
			<-tick.C
			n, err := c.Read(make([]byte, 16<<10))
			if err != nil {
				return
			}
			left -= n
		}
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	}()
	req := post("http://" + l.Addr().String())
	req.Body, req.Stall = make([]byte, 1<<20), 250*time.Millisecond
	start := time.Now()
	resp, err := coretest.Do(t.Context(), newHTTP(t), req)
	if err != nil || string(resp.Body) != "ok" {
		t.Errorf("got %+v, %v", resp, err)
	}
	t.Logf("took %v", time.Since(start))
}

func TestWaitEndsWithContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	h := newHTTP(t)
	call := h.Start(ctx, post("http://127.0.0.1:1"))
	defer call.Close()
	_, err := h.Wait(ctx, []host.Call{call})
	coretest.WantKind(t, err, fault.Cancelled)
	_, err = h.Wait(t.Context(), nil)
	coretest.WantKind(t, err, fault.Internal)
}

// TestPostIsNotRepeated: a server that closes the connection after it has read a request gets it once.
func TestPostIsNotRepeated(t *testing.T) {
	t.Parallel()
	var count atomic.Int32
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if count.Add(1) == 1 {
			return // the connection stays open for the next
		}
		io.Copy(io.Discard, r.Body)
		panic(http.ErrAbortHandler)
	})
	h := newHTTP(t)
	_, err := coretest.Do(t.Context(), h, post(s.URL))
	coretest.Must(t, err)
	_, err = coretest.Do(t.Context(), h, post(s.URL))
	coretest.WantKind(t, err, fault.Network)
	if n := count.Load(); n != 2 {
		t.Errorf("the server saw %d requests", n)
	}
}
