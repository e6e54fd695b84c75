package gateway

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

const (
	dialTimeout   = 15 * time.Second
	answerHeaders = 32 << 10 // of an upstream, in bytes
	// idle is how long a connection to an upstream waits for the next request: those of a sync follow each other at once, and few servers end
	// a connection so soon. A request on one that is being ended may be lost, or not, and nobody who cannot know may repeat it.
	idle = time.Second
)

// transport returns what sends requests to addresses that allowed lets pass. The address is looked at after the name was resolved and for every
// connection, so that no answer of a name server leads elsewhere.
//
// It uses no proxy of the environment: that would resolve names, and decide about addresses, in our place.
func transport(allowed func(netip.Addr) bool) *http.Transport {
	dialer := &net.Dialer{Timeout: dialTimeout, Control: func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil || !allowed(to.Addr().Unmap()) {
			return fmt.Errorf("the upstream's name leads to %s, which is not allowed", address)
		}
		return nil
	}}
	return &http.Transport{
		DialContext: dialer.DialContext, TLSHandshakeTimeout: dialTimeout,
		MaxResponseHeaderBytes: answerHeaders, DisableCompression: true,
		IdleConnTimeout: idle, MaxIdleConnsPerHost: perClient,
		WriteBufferSize: 32 << 10, ReadBufferSize: 32 << 10,
	}
}

// anyAddress is for addresses that the operator has written down.
func anyAddress(netip.Addr) bool { return true }

// notLocalOnly is for names that the operator has written down: they may be of a private network, but not lead to what only exists on the link,
// where clouds keep their secrets (169.254.169.254).
func notLocalOnly(a netip.Addr) bool {
	return !a.IsLinkLocalUnicast() && !a.IsMulticast() && !a.IsUnspecified() && a != netip.MustParseAddr("fd00:ec2::254")
}

// public is for names that only an upstream has named.
func public(a netip.Addr) bool {
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	for _, p := range special {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// special are ranges that look public and are not, or stand for addresses of another kind (RFC 6890).
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("192.88.99.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("100::/64"),
	netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("::/96"),
}
