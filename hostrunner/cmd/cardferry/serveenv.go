package main

import (
	"net/http"
	"net/netip"
	"strconv"
	"strings"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/hostrunner/syncserver"
)

// environment reads the reference server's variables (collection-sync.md §18) that are no flags.
func (set *serveSettings) environment(lookup func(string) (string, bool)) (err error) {
	if set.users, err = syncserver.FixedUsers(lookup); err != nil {
		return err
	}
	if v, _ := lookup("MAX_SYNC_PAYLOAD_MEGS"); v != "" {
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil || n < 1 || n > 1<<20 {
			return fault.New(fault.InvalidInput, "MAX_SYNC_PAYLOAD_MEGS is %q, not a number of megabytes", v)
		}
		set.payload = n << 20
	}
	if v, _ := lookup("SYNC_IP_HEADER"); v != "" && v != "ConnectInfo" {
		if ipHeaders[v] == "" {
			return fault.New(fault.InvalidInput, "SYNC_IP_HEADER is %q, which is not known", v)
		}
		set.ipHeader = ipHeaders[v]
	}
	return nil
}

// ipHeaders are the headers that values of SYNC_IP_HEADER stand for.
var ipHeaders = map[string]string{
	"RightmostXForwardedFor": "X-Forwarded-For", "XRealIp": "X-Real-Ip", "CfConnectingIp": "Cf-Connecting-Ip",
	"TrueClientIp": "True-Client-Ip", "FlyClientIp": "Fly-Client-Ip", "CloudFrontViewerAddress": "Cloudfront-Viewer-Address",
}

// clientIP returns what tells where a request comes from: by default the connection, behind a proxy the header that it sets. Of several
// values the last one counts, which is the proxy's own.
func clientIP(header string) func(*http.Request) string {
	if header == "" {
		return nil
	}
	return func(r *http.Request) string {
		list := strings.Split(strings.Join(r.Header.Values(header), ","), ",")
		last := strings.TrimSpace(list[len(list)-1])
		if addr, err := netip.ParseAddr(last); err == nil {
			return addr.Unmap().String()
		}
		if both, err := netip.ParseAddrPort(last); err == nil {
			return both.Addr().Unmap().String()
		}
		if both, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
			return both.Addr().Unmap().String()
		}
		return r.RemoteAddr
	}
}

func checkPort(port string) error {
	_, err := strconv.ParseUint(port, 10, 16)
	return err
}
