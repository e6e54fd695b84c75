// Package gateway forwards requests of the sync protocol to servers that a page cannot reach by itself, since they send no CORS
// headers: POST /upstream/NAME/sync/METHOD goes to the server that was configured under NAME (contract §5).
//
// It is no proxy for anything else. A client names neither host nor path: only configured names and the protocol's methods
// are taken, only the headers that the protocol needs pass, and no redirect is followed. A redirect of an upstream (308) becomes one to
// a gateway path (redirect.go). Keys and bodies pass through and are neither kept nor logged, but for the answer to finish (lastword.go).
package gateway

import (
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/remote"
)

// Options are the settings of a gateway.
type Options struct {
	Upstreams []Upstream
	// Key signs the addresses that upstreams redirect to. Clients keep them, so the key must stay the same; at least 16 bytes.
	Key []byte
	// Log gets what goes wrong. None by default.
	Log *slog.Logger
	// ClientIP tells where a request comes from. By default every request comes from the same place.
	ClientIP func(*http.Request) string
	// Login is asked before a login is forwarded: how long the client has to wait, because there were too many. undo is called if the
	// login succeeds, or if the upstream could not say. By default nothing is limited.
	Login func(ip string) (wait time.Duration, undo func())
	// Answer bounds the body of an answer: 4 GiB by default. That of a request is bounded by who calls the gateway.
	Answer int64
	// Stall ends a request whose upstream sends nothing, or takes nothing, for that long: 5 minutes by default, since a server checks
	// an uploaded collection before it answers.
	Stall time.Duration
	// Requests is how many requests are forwarded at once: 512 by default; PerClient how many of them for one address: 64.
	Requests, PerClient int
}

// Gateway forwards requests. It is safe for concurrent use.
type Gateway struct {
	options    Options
	upstreams  map[string]*upstream
	configured map[string]string // names by base URL
	toNamed    *http.Transport   // to hosts that were configured by name
	toLiteral  *http.Transport   // to configured addresses
	toPublic   *http.Transport   // to other hosts that upstreams have redirected to

	mu    sync.Mutex
	busy  map[string]int // requests by client address
	all   int
	once  recent
	ended []*lastWord // oldest first
}

// New returns a gateway. Errors: fault.InvalidInput.
func New(o Options) (*Gateway, error) {
	if len(o.Key) < 16 {
		return nil, fault.New(fault.InvalidInput, "the gateway's key is too short")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.ClientIP == nil {
		o.ClientIP = func(*http.Request) string { return "" }
	}
	if o.Login == nil {
		o.Login = func(string) (time.Duration, func()) { return 0, func() {} }
	}
	setDefault(&o.Answer, 4<<30)
	setDefault(&o.Stall, 5*time.Minute)
	setDefault(&o.Requests, 512)
	setDefault(&o.PerClient, perClient)
	g := &Gateway{
		options: o, upstreams: map[string]*upstream{}, configured: map[string]string{}, busy: map[string]int{},
		toNamed: transport(notLocalOnly), toLiteral: transport(anyAddress), toPublic: transport(public),
	}
	for _, u := range o.Upstreams {
		if err := g.add(u); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// perClient is how many requests of one address are forwarded at once by default.
const perClient = 64

func setDefault[T int | int64 | time.Duration](v *T, value T) {
	if *v == 0 {
		*v = value
	}
}

func (g *Gateway) add(u Upstream) error {
	base, err := u.check()
	if err != nil {
		return err
	}
	if g.upstreams[u.Name] != nil {
		return fault.New(fault.InvalidInput, "there are two upstreams with the name %s", u.Name)
	}
	g.upstreams[u.Name] = &upstream{name: u.Name, base: base}
	if _, ok := g.configured[base.String()]; !ok {
		g.configured[base.String()] = u.Name
	}
	return nil
}

// Prefix is where the gateway's paths begin.
const Prefix = "/upstream/"

// methods are those of the protocol, version 11 (collection-sync.md §2.2, media-sync.md §4). The media protocol's GET of older clients has
// the key in the URL, where it would be logged on the way: it is not forwarded.
var methods = map[string]bool{
	"sync/hostKey": true, "sync/meta": true, "sync/start": true, "sync/applyGraves": true, "sync/applyChanges": true,
	"sync/chunk": true, "sync/applyChunk": true, "sync/sanityCheck2": true, "sync/finish": true, "sync/abort": true,
	"sync/upload": true, "sync/download": true,
	"msync/begin": true, "msync/mediaChanges": true, "msync/uploadChanges": true, "msync/downloadFiles": true, "msync/mediaSanity": true,
}

// Endpoint returns the short name of what a request is for, "" if it is nothing that is forwarded. It has no part that a client can
// choose freely.
func (g *Gateway) Endpoint(r *http.Request) string {
	to, method, err := g.resolve(r)
	if err != nil {
		return ""
	}
	return "upstream/" + to.name + "/" + method
}

// resolve finds where a request is to go. Errors: fault.NotFound.
func (g *Gateway) resolve(r *http.Request) (to target, method string, err error) {
	rest, ok := strings.CutPrefix(r.URL.Path, Prefix)
	name, method, found := strings.Cut(rest, "/")
	// An escaped path has something in it that no path of ours has.
	if !ok || !found || r.URL.RawPath != "" || !methods[method] {
		return to, "", fault.New(fault.NotFound, "no such path")
	}
	to, err = g.targetNamed(name)
	return to, method, err
}

// ServeHTTP forwards a request.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	// What an upstream sends is never a page of this origin.
	h.Set("Content-Type", "application/octet-stream")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	to, method, err := g.resolve(r)
	if err != nil {
		http.Error(w, "404", http.StatusNotFound)
		return
	}
	if r.Method != http.MethodPost {
		h.Set("Allow", http.MethodPost)
		http.Error(w, "405", http.StatusMethodNotAllowed)
		return
	}
	if status := checkHeaders(r); status != 0 {
		g.refuse(w, to, status, "the headers are not those of the protocol", nil)
		return
	}
	ip := g.options.ClientIP(r)
	if !g.enter(ip) {
		h.Set("Retry-After", "5")
		g.refuse(w, to, http.StatusServiceUnavailable, "too many requests at once", nil)
		return
	}
	defer g.leave(ip)
	if !g.first(strings.TrimPrefix(method, remote.Sync), r.Header.Get(syncHeader)) {
		g.refuse(w, to, remote.StatusTwice, "the request has come before", nil)
		return
	}
	if method == "sync/finish" && g.numbers(r.Header.Get(syncHeader)) {
		g.finish(w, r, to, method)
		return
	}
	g.forward(w, r, to, method)
}

// enter counts a request; it reports whether there is room for it.
func (g *Gateway) enter(ip string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.all >= g.options.Requests || g.busy[ip] >= g.options.PerClient {
		return false
	}
	g.all++
	g.busy[ip]++
	return true
}

func (g *Gateway) leave(ip string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.all--
	if g.busy[ip]--; g.busy[ip] == 0 {
		delete(g.busy, ip)
	}
}
