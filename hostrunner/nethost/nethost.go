// Package nethost lends the network to the core: host.HTTP on net/http.
//
// It uses the transport below http.Client, which follows no redirects and keeps no cookies, and speaks HTTP/1.1 only, like
// the server. Requests are not repeated, except that net/http itself sends one again on a fresh connection when an
// idle one turned out to be closed before a byte was written.
package nethost

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"golang.org/x/net/http/httpproxy"
)

var _ host.HTTP = (*HTTP)(nil)

const (
	// maxConns is twice what a sync has in flight.
	maxConns = 32
	// idleTime is how long a connection waits for the next request; short, since a server that closes an idle
	// connection at the moment of a request makes the request fail.
	idleTime = 30 * time.Second
	// largeBody is from where the sending of a body is reported by Wait.
	largeBody = 1 << 20
	// wakeTime is the time between two reports.
	wakeTime = 90 * time.Millisecond
	// defaultLimit bounds a collected body if the request does not.
	defaultLimit = 64 << 20
)

// HTTP sends the requests of one profile.
type HTTP struct {
	files     host.Files
	media     Media
	transport *http.Transport
	codecs    codecs
	mu        sync.Mutex
	changed   chan struct{} // closed, and replaced, when a call is done
}

// New returns the network. Bodies are read from files and media. Proxies come from the environment
// (HTTPS_PROXY, HTTP_PROXY, NO_PROXY).
func New(files host.Files, media Media) *HTTP {
	return NewProxied(files, media, Environment())
}

// Environment returns the proxies of the environment. A setting that is no address is an error; net/http takes it for none, and what should go
// through a proxy would go past it.
func Environment() func(*http.Request) (*url.URL, error) {
	set := httpproxy.FromEnvironment()
	any := *set // with an address in every setting it tells for what there should be a proxy
	for _, s := range []*string{&any.HTTPProxy, &any.HTTPSProxy} {
		if *s != "" {
			*s = "http://proxy.invalid/"
		}
	}
	proxy, wanted := set.ProxyFunc(), any.ProxyFunc()
	return func(r *http.Request) (*url.URL, error) {
		u, err := proxy(r.URL)
		if u == nil && err == nil {
			if u, err := wanted(r.URL); u != nil && err == nil {
				return nil, errNoAddress
			}
		}
		return u, err
	}
}

var errNoAddress = errors.New("the setting is no address")

// NewProxied is New with proxies from a function (see http.Transport.Proxy; nil means none).
func NewProxied(files host.Files, media Media, proxy func(*http.Request) (*url.URL, error)) *HTTP {
	h := &HTTP{files: files, media: media, changed: make(chan struct{}), codecs: newCodecs()}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	h.transport = &http.Transport{
		DialContext:            (&net.Dialer{KeepAlive: 15 * time.Second}).DialContext,
		DisableCompression:     true,
		Protocols:              protocols,
		MaxConnsPerHost:        maxConns,
		MaxIdleConnsPerHost:    maxConns,
		IdleConnTimeout:        idleTime,
		MaxResponseHeaderBytes: 256 << 10,
		WriteBufferSize:        64 << 10,
		ReadBufferSize:         64 << 10,
	}
	SetProxy(h.transport, proxy)
	return h
}

// SetProxy has a transport use the proxies that a function names, and say in plain words what is wrong with their settings and answers.
func SetProxy(t *http.Transport, proxy func(*http.Request) (*url.URL, error)) {
	t.Proxy, t.OnProxyConnectResponse = safeProxy(proxy), checkProxyAnswer
}

// safeProxy keeps the text of a wrong proxy setting, which can contain a password, out of error messages.
func safeProxy(proxy func(*http.Request) (*url.URL, error)) func(*http.Request) (*url.URL, error) {
	if proxy == nil {
		return nil
	}
	return func(r *http.Request) (*url.URL, error) {
		u, err := proxy(r)
		if err != nil {
			return nil, fault.New(fault.Network, "the proxy setting (HTTPS_PROXY, HTTP_PROXY) is not a valid address").
				WithHint("Check HTTPS_PROXY and HTTP_PROXY.")
		}
		return u, nil
	}
}

func checkProxyAnswer(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
	switch resp.StatusCode {
	case http.StatusOK:
		return nil
	case http.StatusProxyAuthRequired:
		return fault.New(fault.ProxyAuth, "the proxy asks for a login (407)").
			WithHint("Set the user and password of your proxy.")
	}
	return fault.New(fault.Network, "the proxy refuses the connection (%d)", resp.StatusCode)
}

// Close closes the idle connections. Calls in flight go on.
func (h *HTTP) Close() { h.transport.CloseIdleConnections() }

// Start sends the request (see host.HTTP).
func (h *HTTP) Start(ctx context.Context, req *host.Request) host.Call {
	ctx, cancel := context.WithCancelCause(ctx)
	c := &call{http: h, ctx: ctx, cancel: cancel, done: make(chan struct{})}
	c.stall = newStall(req.Stall, c.onWay, func() { cancel(errStalled) })
	go c.run(*req)
	return c
}

// Wait blocks until a call is done (see host.HTTP).
func (h *HTTP) Wait(ctx context.Context, calls []host.Call) (int, error) {
	if len(calls) == 0 {
		return -1, fault.New(fault.Internal, "wait: no calls")
	}
	ticker := time.NewTicker(wakeTime)
	defer ticker.Stop()
	for woken := false; ; {
		if err := ctx.Err(); err != nil {
			return -1, cancelled(err)
		}
		changed := h.watch()
		i, large, err := firstDone(calls)
		if i >= 0 || err != nil {
			return i, err
		}
		if large && woken {
			return -1, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
		case <-ticker.C:
			woken = true
		}
	}
}

// firstDone returns the first call that is done, or -1 and whether one of the calls is sending a large body.
func firstDone(calls []host.Call) (i int, large bool, err error) {
	for i, hc := range calls {
		c, ok := hc.(*call)
		if !ok {
			return -1, false, fault.New(fault.Internal, "wait: not a call of this host")
		}
		if c.isDone() {
			return i, false, nil
		}
		large = large || c.sendingLarge()
	}
	return -1, large, nil
}

// watch returns a channel that is closed when any call is done.
func (h *HTTP) watch() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.changed
}

func (h *HTTP) notify() {
	h.mu.Lock()
	defer h.mu.Unlock()
	close(h.changed)
	h.changed = make(chan struct{})
}
