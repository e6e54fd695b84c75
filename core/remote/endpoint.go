package remote

import (
	"strings"

	"github.com/cardferry/cardferry/core/fault"
)

// ParseEndpoint returns the base URL of a server, ending in "/", without query and fragment (§2.1). A missing
// trailing slash is added, where the reference would drop the last path segment.
// Errors: fault.InvalidInput; fault.Network for a URL whose scheme is not http or https.
func ParseEndpoint(s string) (string, error) {
	s = strings.TrimSpace(s)
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok || scheme == "" {
		return "", badEndpoint(s)
	}
	scheme = strings.ToLower(scheme)
	if i := strings.IndexAny(rest, "?#"); i >= 0 {
		rest = rest[:i]
	}
	host, path, _ := strings.Cut(rest, "/")
	if !validHost(host) || strings.ContainsFunc(path, isControlOrSpace) {
		return "", badEndpoint(s)
	}
	if scheme != "http" && scheme != "https" {
		return "", fault.New(fault.Network, "the server address must begin with http:// or https://").
			WithHint("Check the address of the sync server.")
	}
	if path != "" && !strings.HasSuffix(path, "/") {
		path += "/"
	}
	return scheme + "://" + host + "/" + path, nil
}

// validHost is a plausibility check; the host's network stack has the last word.
func validHost(host string) bool {
	if host == "" || strings.ContainsFunc(host, isControlOrSpace) || strings.ContainsAny(host, `\<>^|"%{}`) {
		return false
	}
	name, port := host, ""
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		name = host[i+1:]
	}
	if i := strings.LastIndexByte(name, ':'); i >= 0 && !strings.HasSuffix(name, "]") {
		name, port = name[:i], name[i+1:]
	}
	return name != "" && len(port) <= 5 && strings.Trim(port, "0123456789") == ""
}

func isControlOrSpace(r rune) bool { return r <= ' ' || r == 0x7f }

func badEndpoint(s string) error {
	return fault.New(fault.InvalidInput, "%q is not the address of a sync server", s).
		WithHint("Give the whole address, for example https://sync.example.org/")
}
