package gateway

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/cardferry/cardferry/core/fault"
)

// Why signed addresses? An upstream may answer meta with a 308 to another server (collection-sync.md §2.3), whose address nobody has
// configured; clients keep it for weeks. So the gateway gives them a path with that address in it, NAME~ADDRESS.SIGNATURE: nobody else can make one, and
// the gateway need not remember anything. Letting clients name any host of the upstream's domain was rejected: it would
// be a proxy to all of them.

// target is a server that requests may go to.
type target struct {
	name string // of the upstream
	base address
	via  *http.Transport
	from *upstream
}

// targetNamed returns the server that a path's first part stands for. Errors: fault.NotFound.
func (g *Gateway) targetNamed(part string) (target, error) {
	name, token, redirected := strings.Cut(part, "~")
	u := g.upstreams[name]
	if u == nil {
		return target{}, fault.New(fault.NotFound, "no such upstream")
	}
	base := u.base
	if redirected {
		var ok bool
		// The rules are looked at again: the settings may have changed since it was signed.
		if base, ok = g.open(u, token); !ok || !u.mayRedirectTo(base) {
			return target{}, fault.New(fault.NotFound, "no such upstream")
		}
	}
	to := target{name: name, base: base, from: u, via: g.toPublic}
	if base.host == u.base.host {
		if to.via = g.toNamed; base.literal() {
			to.via = g.toLiteral
		}
	}
	return to, nil
}

// part returns the part of a path that stands for a server that u has redirected to; false if it must not redirect there.
func (g *Gateway) part(u *upstream, location string) (string, bool) {
	base, err := parseAddress(location)
	if err != nil {
		return "", false
	}
	if name, ok := g.configured[base.String()]; ok {
		return name, true
	}
	if !u.mayRedirectTo(base) {
		return "", false
	}
	address := base.String()
	return u.name + "~" + encode([]byte(address)) + "." + encode(g.sign(u.name, address)), true
}

// mayRedirectTo reports whether a redirect of the upstream is believed: to its own host, or to one of the same domain (of
// which only public addresses are dialled), and never from https to http.
func (u *upstream) mayRedirectTo(to address) bool {
	if u.base.scheme == "https" && to.scheme != "https" {
		return false
	}
	if to.host == u.base.host {
		return true
	}
	if to.literal() || u.base.literal() {
		return false
	}
	ours, err := publicsuffix.EffectiveTLDPlusOne(u.base.host)
	if err != nil {
		return false
	}
	theirs, err := publicsuffix.EffectiveTLDPlusOne(to.host)
	return err == nil && ours == theirs
}

// open returns the address in a signed part.
func (g *Gateway) open(u *upstream, token string) (address, bool) {
	first, second, _ := strings.Cut(token, ".")
	text, err1 := encoding.DecodeString(first)
	signature, err2 := encoding.DecodeString(second)
	if err1 != nil || err2 != nil || subtle.ConstantTimeCompare(signature, g.sign(u.name, string(text))) != 1 {
		return address{}, false
	}
	a, err := parseAddress(string(text))
	return a, err == nil
}

func (g *Gateway) sign(name, address string) []byte {
	mac := hmac.New(sha256.New, g.options.Key)
	mac.Write([]byte("upstream redirect\x00" + name + "\x00" + address))
	return mac.Sum(nil)[:16]
}

var encoding = base64.RawURLEncoding.Strict()

func encode(b []byte) string { return encoding.EncodeToString(b) }

// location returns the address of a part of a path, as the client has to ask for it; "" if it does not say how it has reached us. A client that
// lies deceives itself only.
func location(r *http.Request, part string) string {
	if r.Header.Get("Origin") != "" {
		// A page: browsers follow by themselves, also below a path that a proxy has taken away without telling. Other clients want a whole address
		// (collection-sync.md §2.3).
		return "../../" + part + "/"
	}
	scheme := "http"
	if r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https") {
		scheme = "https"
	}
	prefix := r.Header.Get("X-Forwarded-Prefix")
	if prefix != "" && prefix[0] != '/' {
		return ""
	}
	prefix = strings.TrimSuffix(prefix, "/")
	// A handler before this one may have taken a path away, too, as http.StripPrefix does.
	if u, err := url.ParseRequestURI(r.RequestURI); err == nil {
		if taken, ok := strings.CutSuffix(u.Path, r.URL.Path); ok {
			prefix += taken
		}
	}
	a, err := parseAddress(scheme + "://" + r.Host + prefix)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(a.String(), "/") + Prefix + part + "/"
}
