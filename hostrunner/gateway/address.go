package gateway

import (
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/cardferry/cardferry/core/fault"
)

// Upstream is a server that requests are forwarded to.
type Upstream struct {
	Name string // letters, digits, - and _
	URL  string // base URL
}

// ParseUpstream reads NAME=URL. Errors: fault.InvalidInput.
func ParseUpstream(s string) (Upstream, error) {
	name, address, ok := strings.Cut(s, "=")
	if !ok || strings.Contains(name, ":") {
		return Upstream{}, fault.New(fault.InvalidInput, "%q is not of the form NAME=URL", withoutLogin(s))
	}
	u := Upstream{Name: name, URL: address}
	_, err := u.check()
	return u, err
}

// check returns the upstream's address.
func (u *Upstream) check() (address, error) {
	isOther := func(r rune) bool { return !isLetterOrDigit(r) && r != '-' && r != '_' }
	if u.Name == "" || len(u.Name) > 32 || strings.ContainsFunc(u.Name, isOther) {
		return address{}, fault.New(fault.InvalidInput, "%q is no name for an upstream (letters, digits, - and _)", u.Name)
	}
	a, err := parseAddress(u.URL)
	return a, fault.Step("upstream "+u.Name, err)
}

// upstream is a configured server.
type upstream struct {
	name string
	base address
}

// address is a base URL in its one form: two that are equal are the same.
type address struct {
	scheme string // http or https
	host   string // lower case, without brackets
	port   string // never empty
	path   string // begins and ends with "/"
}

// literal reports whether the host is an IP address.
func (a address) literal() bool {
	_, err := netip.ParseAddr(a.host)
	return err == nil
}

// String returns the URL. A port that is the scheme's own is left out.
func (a address) String() string {
	host := a.host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if a.port != defaultPort(a.scheme) {
		host = net.JoinHostPort(a.host, a.port)
	}
	return a.scheme + "://" + host + a.path
}

func defaultPort(scheme string) string {
	if scheme == "https" {
		return "443"
	}
	return "80"
}

// parseAddress reads a base URL strictly: what one program takes for one address and the next for another is refused. A missing slash at
// the end is added. Errors: fault.InvalidInput.
func parseAddress(s string) (a address, err error) {
	bad := func(why string) error {
		return fault.New(fault.InvalidInput, "the address %q %s", withoutLogin(s), why)
	}
	if len(s) > 300 || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '\\' }) {
		return a, bad("is too long or has characters that no address has")
	}
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return a, bad("is none")
	case u.Scheme != "http" && u.Scheme != "https" || u.Opaque != "":
		return a, bad("does not begin with http:// or https://")
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(s, "#"):
		return a, bad("has more than host, port and path")
	}
	a = address{scheme: u.Scheme, port: u.Port(), path: u.EscapedPath()}
	if a.host, err = parseHost(u.Hostname()); err != nil {
		return a, bad("has a host that is no name or IP address")
	}
	if a.port == "" {
		a.port = defaultPort(a.scheme)
	}
	if n, err := strconv.ParseUint(a.port, 10, 16); err != nil || n == 0 || strings.HasSuffix(u.Host, ":") {
		return a, bad("has a port that is none")
	} else {
		a.port = strconv.FormatUint(n, 10)
	}
	if !strings.HasSuffix(a.path, "/") {
		a.path += "/"
	}
	if !validPath(a.path) {
		return a, bad("has a path of another form than /one/two/")
	}
	return a, nil
}

// withoutLogin leaves out of an address what may be a password: errors end up in logs.
func withoutLogin(s string) string {
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		return "…" + s[i:]
	}
	return s
}

// validPath takes plain segments only: no escapes, nothing empty, no "." and "..".
func validPath(path string) bool {
	if path == "/" {
		return true
	}
	for segment := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		isOther := func(r rune) bool { return !isLetterOrDigit(r) && !strings.ContainsRune("-_.~", r) }
		if strings.Trim(segment, ".") == "" || strings.ContainsFunc(segment, isOther) {
			return false
		}
	}
	return !strings.HasPrefix(path, "//") && !strings.HasSuffix(path, "//")
}

// parseHost returns a host in its one form. Numbers that only some programs take for an IP address (127.1, 0x7f000001) are refused.
func parseHost(s string) (string, error) {
	bad := fault.New(fault.InvalidInput, "no host")
	if ip, err := netip.ParseAddr(s); err == nil {
		if ip.Zone() != "" {
			return "", bad
		}
		return ip.Unmap().String(), nil
	}
	s = strings.ToLower(s)
	labels := strings.Split(s, ".")
	for _, label := range labels {
		isOther := func(r rune) bool { return !isLetterOrDigit(r) && r != '-' && r != '_' }
		if label == "" || len(label) > 63 || strings.HasPrefix(label, "-") || strings.ContainsFunc(label, isOther) {
			return "", bad
		}
	}
	if last := labels[len(labels)-1]; len(s) > 253 || last[0] >= '0' && last[0] <= '9' {
		return "", bad
	}
	return s, nil
}

func isLetterOrDigit(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}
