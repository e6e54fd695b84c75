package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/remote"
	"github.com/cardferry/cardferry/hostrunner/gateway"
	"github.com/cardferry/cardferry/hostrunner/nethost"
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

// Run looks at a server from outside, without a login, and reports every finding. A bad finding is a result, no error.
func (c *doctorCommand) Run(app *app) error {
	app.out.begin()
	d := newDoctor(app.ctx, nethost.Environment())
	defer d.client.CloseIdleConnections()
	d.examine(c.Endpoint)
	if app.ctx.Err() != nil {
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

// doctor collects findings about one server.
type doctor struct {
	ctx    context.Context
	client *http.Client
	checks []check
}

const (
	// doctorWait bounds each request.
	doctorWait = 15 * time.Second
	// continueWait is how long a server may take to say that it wants an announced body.
	continueWait = 2 * time.Second
	// clockLimit is what a sync accepts (sync spec §5.2).
	clockLimit = 300 * time.Second
)

func newDoctor(ctx context.Context, proxy func(*http.Request) (*url.URL, error)) *doctor {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	nethost.SetProxy(transport, proxy)
	transport.ExpectContinueTimeout = continueWait
	transport.TLSHandshakeTimeout = doctorWait // else it is said to be that long, and is not
	return &doctor{ctx: ctx, client: &http.Client{
		Transport: transport, Timeout: doctorWait,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (d *doctor) add(name string, ok bool, format string, args ...any) {
	d.checks = append(d.checks, check{name, ok, fmt.Sprintf(format, args...)})
}

// examine makes all checks, as far as one does not depend on another that has failed.
func (d *doctor) examine(endpoint string) {
	base, err := remote.ParseEndpoint(endpoint)
	if err != nil && strings.Contains(endpoint, "@") {
		err = errors.New("the address, not shown here as it may have a password, is not the address of a sync server")
	}
	if err != nil {
		d.add("url", false, "%v; give it whole, for example https://sync.example.org/", err)
		return
	}
	d.add("url", true, "%s", shown(base))
	d.slash(endpoint, base)
	if !d.reach(base) {
		return
	}
	if base, ok := d.protocol(base); ok {
		d.media(base)
		d.limits(base)
		d.cors(base)
	}
}

// slash warns of an address that we complete and others do not.
func (d *doctor) slash(endpoint, base string) {
	given, _, _ := strings.Cut(strings.TrimSpace(endpoint), "?")
	u, err := url.Parse(base)
	switch {
	case err != nil || u.Path == "/" || strings.HasSuffix(given, "/"):
		d.add("slash", true, `the address ends in "/" or has no path`)
	case tooLong(base):
		d.add("slash", false, `the address does not end in "/"; %s`, wrongPath(base))
	default:
		d.add("slash", false, `the address does not end in "/": other clients drop its last part; write %s`, shown(base))
	}
}

// reach asks for the health page, which shows connection, TLS and clock. It reports whether the server can be asked more.
func (d *doctor) reach(base string) bool {
	resp, err := d.send("GET", base+"health", nil, nil)
	if err != nil {
		name, detail := connectProblem(err)
		d.add(name, false, "%s", detail)
		return false
	}
	head, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
	resp.Body.Close()
	if wantsTLS(resp, head) {
		d.add("tls", false, speaksTLS)
		return false
	}
	if resp.StatusCode == http.StatusProxyAuthRequired {
		d.add("connect", false, "the proxy asks for a login (407)")
		return false
	}
	d.add("connect", true, "the server answers")
	d.tls(base, resp)
	d.clock(resp)
	switch s := resp.StatusCode; {
	case s == 200:
		d.add("health", true, "GET health gives 200")
	case s == 404 && strings.Contains(base, gateway.Prefix):
		d.add("health", true, "not applicable: a gateway forwards sync requests only")
	case s == 308 && !strings.HasSuffix(resp.Header.Get("Location"), "/health"):
		d.add("health", true, "not known: it sends clients elsewhere (308)")
	case s >= 300 && s < 400:
		d.add("health", false, "it redirects to %s (%d); sync requests do not follow that: use the new address",
			resp.Header.Get("Location"), s)
	case s == http.StatusUnauthorized:
		d.add("health", false, asksLogin)
	case s == http.StatusTooManyRequests:
		d.add("health", false, asksLess)
	case s == http.StatusServiceUnavailable:
		d.add("health", false, "the server, or a proxy before it, says that it cannot work now (503)")
	case s >= 500:
		d.add("health", false, "the server, or a proxy before it, has a problem (%d)", s)
	default:
		d.add("health", true, "not known: GET health gives %d, as where a proxy passes nothing but sync requests", s)
	}
	return true
}

func (d *doctor) tls(base string, resp *http.Response) {
	switch {
	case resp.TLS != nil:
		until := resp.TLS.PeerCertificates[0].NotAfter
		d.add("tls", time.Until(until) > 0, "the certificate is valid until %s", until.Format(time.DateOnly))
	case isLoopback(base):
		d.add("tls", true, "plain HTTP, on this machine only")
	default:
		d.add("tls", false, "plain HTTP: passwords and cards travel readable for others; pages cannot be served from it")
	}
}

// clock compares the clocks by the Date header, which is exact to a second.
func (d *doctor) clock(resp *http.Response) {
	at, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		d.add("clock", true, "the server does not tell its time")
		return
	}
	off := time.Since(at).Truncate(time.Second)
	switch {
	case off.Abs() > clockLimit:
		d.add("clock", false, "this clock says %s, the server's %s; a sync allows 5 minutes",
			time.Now().UTC().Format(time.DateTime), at.UTC().Format(time.DateTime))
	default:
		d.add("clock", true, "within %v of the server's", off.Abs()+time.Second)
	}
}

// protocol asks for meta without a key, which a protocol-11 server refuses with 403, and with a version that it does not know,
// which it refuses with 400. Nothing else answers both so. It returns the address of the server that answers so.
func (d *doctor) protocol(base string) (at string, ok bool) {
	resp, err := d.meta(base, 11)
	if err != nil {
		d.add("protocol", false, "%s", reason(err))
		return base, false
	}
	if resp.StatusCode == 308 {
		return d.redirected(resp.Header.Get("Location"))
	}
	return base, d.judge(base, resp)
}

// tooLong reports whether an address has what clients add. Years ago Anki had an address for cards and one for media.
func tooLong(base string) bool {
	return strings.HasSuffix(base, "/sync/") || strings.HasSuffix(base, "/msync/")
}

// wrongPath says what may be wrong with the path of an address where there is no server.
func wrongPath(base string) string {
	if tooLong(base) {
		return "clients add sync/ and msync/ by themselves: leave out its last part"
	}
	return "is a path missing in the address?"
}

// asksLogin is what is wrong with a proxy that protects what is behind it with a password of its own.
const asksLogin = "something before the server asks for a login (401), which clients do not give"

// asksLess is what a limit of requests has to say.
const asksLess = "the server, or a proxy before it, has had too many requests (429); try again in a while"

func (d *doctor) judge(base string, resp *http.Response) bool {
	switch s := resp.StatusCode; {
	case s == 403:
		other, err := d.meta(base, 99)
		if err == nil && other.StatusCode == 400 {
			d.add("protocol", true, "it speaks protocol 11")
			return true
		}
		d.add("protocol", false, "something refuses every request (403), perhaps a firewall before the server")
	case s == http.StatusUnauthorized:
		d.add("protocol", false, asksLogin)
	case s == http.StatusTooManyRequests:
		d.add("protocol", false, asksLess)
	case s >= 300 && s < 400:
		d.add("protocol", false, "it redirects sync requests to %s (%d), which clients do not follow", resp.Header.Get("Location"), s)
	case s >= 500:
		d.add("protocol", false, "the server, or a proxy before it, has a problem (%d)", s)
	case s == 404, s == 405, strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html"):
		d.add("protocol", false, "there is no sync server at this address (%d); %s", s, wrongPath(base))
	default:
		d.add("protocol", false, "it answers %d to a request without a key, where a sync server says 403", s)
	}
	return false
}

// redirected looks at the server that a 308 names: the one redirect that clients follow, and once only.
func (d *doctor) redirected(location string) (at string, ok bool) {
	base, err := remote.ParseEndpoint(location)
	if err != nil {
		d.add("redirect", false, "it sends clients to %q, which is no whole address", location)
		return base, false
	}
	if to, ok := strings.CutSuffix(base, "/sync/meta/"); ok {
		d.add("redirect", false, "it redirects each path (308), which clients take for another address of the server: use the new address, %s", shown(to+"/"))
		return base, false
	}
	d.add("redirect", true, "it sends clients to %s", shown(base))
	resp, err := d.meta(base, 11)
	if err != nil {
		_, detail := connectProblem(err)
		d.add("protocol", false, "%s: %s", shown(base), detail)
		return base, false
	}
	if resp.StatusCode == 308 {
		d.add("protocol", false, "%s redirects again, to %s; clients follow once", shown(base), resp.Header.Get("Location"))
		return base, false
	}
	return base, d.judge(base, resp)
}

// media asks for media files without a key, as protocol asks for the collection: a proxy may pass one and not the other.
func (d *doctor) media(base string) {
	resp, err := d.post(base+"msync/begin", 11)
	switch {
	case err != nil:
		d.add("media", false, "%s", reason(err))
	case resp.StatusCode != 403:
		d.add("media", false, "requests for media files do not reach the sync server (%d); a proxy has to pass msync/ as it does sync/", resp.StatusCode)
	default:
		d.add("media", true, "it takes requests for media files")
	}
}

// limits announces a large upload and takes it back. That shows the limit of a proxy; a server's own shows only when it
// reads the body.
func (d *doctor) limits(base string) {
	for _, mib := range []int64{100, 32, 10, 1} {
		refused, err := d.announce(base, mib<<20)
		switch {
		case err != nil:
			d.add("limits", false, "an upload of %d MiB: %s", mib, reason(err))
			return
		case !refused && mib == 100:
			d.add("limits", true, "an upload of 100 MiB is not refused for its size; the server's own limit shows only during one")
			return
		case !refused:
			d.add("limits", false, "uploads of %d MiB pass, larger ones do not (413); raise the limit of the proxy or server", mib)
			return
		}
	}
	d.add("limits", false, "even an upload of 1 MiB is refused for its size (413); raise the limit of the proxy or server")
}

// announce reports whether a body of that size is refused with 413 before it is sent.
func (d *doctor) announce(base string, size int64) (refused bool, err error) {
	header := syncHeader(11)
	header.Set("Expect", "100-continue")
	resp, err := d.sendSized("POST", base+"sync/upload", header, wanted{}, size)
	if errors.Is(err, errWanted) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusRequestEntityTooLarge, nil
}

// cors tells page developers what they can expect; programs do not care.
func (d *doctor) cors(base string) {
	resp, err := d.send("OPTIONS", base+"sync/meta", http.Header{
		"Origin": {"https://example.org"}, "Access-Control-Request-Method": {"POST"},
		"Access-Control-Request-Headers": {"anki-sync,content-type"},
	}, nil)
	if err != nil {
		d.add("cors", true, "not known: %s", reason(err))
		return
	}
	resp.Body.Close()
	if resp.Header.Get("Access-Control-Allow-Origin") != "" {
		d.add("cors", true, "pages of other origins may use it too")
		return
	}
	d.add("cors", true, "for programs and pages of its own origin; pages of others need a gateway (no CORS headers)")
}
