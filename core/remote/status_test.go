package remote

import (
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
)

// TestStatus is the table of §19, and what our server answers to a chunk that came twice.
func TestStatus(t *testing.T) {
	t.Parallel()
	want := map[int]fault.Kind{
		200: 0, 204: 0, 299: 0, 400: fault.DatabaseCheck, 403: fault.Auth, 407: fault.ProxyAuth, 409: fault.Conflict,
		413: fault.TooLarge, 500: fault.ServerError, 501: fault.ClientTooOld, 502: fault.ServerError, 503: fault.ServerError,
		504: fault.ServerError,
	}
	for status := 100; status < 600; status++ {
		k, known := want[status]
		if !known && status/100 != 2 {
			k = fault.Network
		}
		err := CheckStatus("meta", &host.Response{Status: status})
		if fault.KindOf(err) != k {
			t.Errorf("%d: %v, want %v", status, err, k)
		}
		if e, ok := err.(*fault.Error); ok && (e.Hint == "" || e.Message == "" || strings.Contains(e.Hint, "address") != (k == fault.Network && status != 429)) {
			t.Errorf("%d: hint %q", status, e.Hint)
		}
	}
	if err := CheckStatus("chunk", &host.Response{Status: StatusTwice}); err != ErrTwice {
		t.Errorf("a chunk that came twice: %v", err)
	}
}

func TestOriginalSize(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]int64{"0": 0, "17": 17, "4294967295": 1<<32 - 1} {
		if n, err := originalSize("x", &host.Response{Header: map[string]string{"anki-original-size": header}}); err != nil || n != want {
			t.Errorf("%q: %d, %v", header, n, err)
		}
	}
	for _, header := range []string{"", "-1", "+1", "1.0", "0x10", "4294967296", " 1"} {
		if _, err := originalSize("x", &host.Response{Header: map[string]string{"anki-original-size": header}}); fault.KindOf(err) != fault.DamagedDownload {
			t.Errorf("%q: %v", header, err)
		}
	}
}
