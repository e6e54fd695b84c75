package gateway

import (
	"net/netip"
	"strings"
	"testing"
)

// Which redirects are believed.
func TestMayRedirectTo(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		from, to string
		want     bool
	}{
		{"https://sync.example.com/", "https://sync7.example.com/", true},
		{"https://sync.example.com/", "https://example.com/x/", true},
		{"https://sync.example.com/", "https://sync.example.com:8443/", true},
		{"http://sync.example.com/", "https://sync.example.com/", true},
		{"https://sync.example.com/", "http://sync7.example.com/", false},
		{"https://sync.example.com/", "https://example.org/", false},
		{"https://sync.example.com/", "https://sync.example.com.evil.org/", false},
		{"https://sync.example.com/", "https://evilexample.com/", false},
		{"https://a.co.uk/", "https://b.co.uk/", false},
		{"https://a.github.io/", "https://b.github.io/", false},
		{"https://sync.example.com/", "https://93.184.216.34/", false},
		{"http://10.0.0.1/", "http://10.0.0.1:81/", true},
		{"http://10.0.0.1/", "http://10.0.0.2/", false},
		{"http://anki/", "http://other/", false},
		{"http://localhost/", "http://metadata/", false},
	} {
		from, err1 := parseAddress(test.from)
		to, err2 := parseAddress(test.to)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		if got := (&upstream{base: from}).mayRedirectTo(to); got != test.want {
			t.Errorf("%s to %s: %v", test.from, test.to, got)
		}
	}
}

// Where names may lead: the answer of a name server is looked at when it is used.
func TestAddresses(t *testing.T) {
	t.Parallel()
	for ip, want := range map[string][2]bool{ // of configured names, of names in redirects
		"93.184.216.34": {true, true}, "2606:2800:220:1::1": {true, true},
		"127.0.0.1": {true, false}, "::1": {true, false}, "10.1.2.3": {true, false}, "192.168.0.1": {true, false}, "172.16.0.1": {true, false},
		"fd00::1": {true, false}, "100.64.0.1": {true, false}, "198.18.0.1": {true, false}, "64:ff9b::a00:1": {true, false},
		"2002:a00:1::": {true, false}, "255.255.255.255": {true, false},
		"169.254.169.254": {false, false}, "fe80::1": {false, false}, "0.0.0.0": {false, false}, "::": {false, false},
		"224.0.0.1": {false, false}, "fd00:ec2::254": {false, false}, "::ffff:10.0.0.1": {true, false}, "::ffff:169.254.169.254": {false, false},
	} {
		a := netip.MustParseAddr(ip).Unmap()
		if got := [2]bool{notLocalOnly(a), public(a)}; got != want {
			t.Errorf("%s: %v, want %v", ip, got, want)
		}
	}
}

// The transport asks for every connection, with the address that a name stands for.
func TestDialled(t *testing.T) {
	t.Parallel()
	var asked []netip.Addr
	conn, err := transport(func(a netip.Addr) bool {
		asked = append(asked, a)
		return false
	}).DialContext(t.Context(), "tcp", "127.0.0.1:9")
	if err == nil {
		conn.Close()
	}
	if err == nil || len(asked) != 1 || asked[0].String() != "127.0.0.1" {
		t.Errorf("%v %v", asked, err)
	}
}

// What is wrong with a setting is said without the password that it may have: it ends up in a log.
func TestSettingsWithPasswords(t *testing.T) {
	t.Parallel()
	for _, setting := range []string{
		"a=http://me:secret@example.org/", "a=http://me:secret%zz@example.org/", "http://me:secret@example.org/", "http://me:secret=1@example.org/",
	} {
		if _, err := ParseUpstream(setting); err == nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "example.org") {
			t.Errorf("%s: %v", setting, err)
		}
	}
}
