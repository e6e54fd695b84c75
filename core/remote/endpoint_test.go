package remote_test

import (
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/remote"
)

// TestParseEndpoint is the table of §2.1, but that a missing slash is added.
func TestParseEndpoint(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"http://host:8080":                    "http://host:8080/",
		"http://host:8080/":                   "http://host:8080/",
		"http://host/anki/":                   "http://host/anki/",
		"http://host/anki":                    "http://host/anki/",
		"http://host/sync/":                   "http://host/sync/",
		"HTTPS://Host.example/a/b":            "https://Host.example/a/b/",
		"  http://host/x \n":                  "http://host/x/",
		"http://host/a?b=c#d":                 "http://host/a/",
		"http://host?b=c/d":                   "http://host/",
		"http://host#/x":                      "http://host/",
		"http://user:pa:ss@host:80/":          "http://user:pa:ss@host:80/",
		"http://[::1]:8080":                   "http://[::1]:8080/",
		"http://[::1]":                        "http://[::1]/",
		"http://bücher.example/größe":         "http://bücher.example/größe/",
		"https://sync7.ankiweb.net/some/base": "https://sync7.ankiweb.net/some/base/",
	} {
		if got, err := remote.ParseEndpoint(in); err != nil || got != want {
			t.Errorf("%q: %q, %v; want %q", in, got, err, want)
		}
	}
	for in, want := range map[string]fault.Kind{
		"": fault.InvalidInput, "   ": fault.InvalidInput, "host:8080": fault.InvalidInput, "host.local:8080": fault.InvalidInput,
		"host": fault.InvalidInput, "/path": fault.InvalidInput, "http://": fault.InvalidInput, "http:///x": fault.InvalidInput,
		"http:/host/": fault.InvalidInput, "://host/": fault.InvalidInput, "http://ho st/": fault.InvalidInput,
		"http://host/a b": fault.InvalidInput, "http://host:80a/": fault.InvalidInput, "http://host:123456/": fault.InvalidInput,
		"http://:80/": fault.InvalidInput, "http://ho<st/": fault.InvalidInput, "http://host/\x00": fault.InvalidInput,
		"ftp://x/": fault.Network, "file:///etc/passwd": fault.InvalidInput, "javascript://x/": fault.Network,
	} {
		if got, err := remote.ParseEndpoint(in); fault.KindOf(err) != want || got != "" {
			t.Errorf("%q: %q, %v; want %v", in, got, err, want)
		}
	}
}

func FuzzParseEndpoint(f *testing.F) {
	f.Add("http://u:p@host:8080/a/b?c#d")
	f.Add(" HTTPS://[::1]/x ")
	f.Fuzz(func(t *testing.T, s string) {
		once, err := remote.ParseEndpoint(s)
		if err != nil {
			return
		}
		if twice, err := remote.ParseEndpoint(once); err != nil || twice != once {
			t.Fatalf("%q, %q: %v", once, twice, err)
		}
	})
}
