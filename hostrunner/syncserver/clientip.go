package syncserver

import (
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/cardferry/cardferry/core/fault"
)

// ipHeaders are the values of SYNC_IP_HEADER (§18) and the headers that they stand for. Only what the proxy before the server
// sets may be named: everybody can send the others.
var ipHeaders = map[string]string{
	"XRealIp": "X-Real-Ip", "CfConnectingIp": "Cf-Connecting-Ip", "TrueClientIp": "True-Client-Ip", "FlyClientIp": "Fly-Client-Ip",
	"CloudFrontViewerAddress": "Cloudfront-Viewer-Address", "RightmostXForwardedFor": "X-Forwarded-For",
}

// ClientIPFrom returns a Server.ClientIP for a value of the reference server's SYNC_IP_HEADER. A request that lacks the header has
// the address of the connection.
func ClientIPFrom(setting string) (func(*http.Request) string, error) {
	if setting == "" || setting == "ConnectInfo" {
		return remoteIP, nil
	}
	name, ok := ipHeaders[setting]
	if !ok {
		return nil, fault.New(fault.InvalidInput, "SYNC_IP_HEADER has no such value: %q", setting).
			WithHint("It names a header of the proxy: " + strings.Join(slices.Sorted(maps.Keys(ipHeaders)), ", ") + ".")
	}
	return func(r *http.Request) string {
		values := r.Header.Values(name)
		if len(values) == 0 {
			return remoteIP(r)
		}
		// The last one is the nearest proxy's; those before it come from anybody.
		list := strings.Split(values[len(values)-1], ",")
		ip := strings.TrimSpace(list[len(list)-1])
		if host, _, err := net.SplitHostPort(ip); err == nil {
			ip = host
		} else if i := strings.LastIndexByte(ip, ':'); i >= 0 && setting == "CloudFrontViewerAddress" {
			ip = ip[:i] // its port comes after any address, also of IPv6 without brackets
		}
		if net.ParseIP(ip) == nil {
			return remoteIP(r)
		}
		return ip
	}, nil
}
