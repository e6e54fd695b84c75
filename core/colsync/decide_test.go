package colsync

import (
	"testing"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/wire"
)

// TestDecide is the decision table of §5.2 with both its flags.
func TestDecide(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		mod, scm int64 // ours; the server has 10 and 10
		want     Required
		newer    bool
	}{
		{"equal", 10, 10, RequiredNone, false},
		{"equal mod, other scm", 10, 11, RequiredNone, false}, // trap 10
		{"newer here", 11, 10, RequiredNormal, true},
		{"newer there", 9, 10, RequiredNormal, false},
		{"newer here, other scm", 11, 9, RequiredFull, true},
		{"newer there, other scm", 9, 11, RequiredFull, false},
		{"a new one here", 0, 11, RequiredFull, false},
	} {
		for _, local := range []bool{false, true} {
			for _, remote := range []bool{false, true} {
				d := decide(collection.Col{Mod: tt.mod, Scm: tt.scm}, local, wire.Meta{Mod: 10, Scm: 10, Empty: remote})
				want := decision{required: tt.want, uploadOK: !local || remote, downloadOK: !remote || local, localNewer: tt.newer}
				if d != want {
					t.Errorf("%s, empty here %t, there %t: %+v", tt.name, local, remote, d)
				}
				if !d.uploadOK && !d.downloadOK {
					t.Errorf("%s: no way out", tt.name)
				}
			}
		}
	}
	fresh := decide(collection.Col{Mod: 0, Scm: 5}, true, wire.Meta{Mod: 0, Scm: 6, Empty: true})
	if fresh.required != RequiredNone {
		t.Errorf("two new collections: %+v", fresh)
	}
}

// TestStatus is the table of §19.
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
		err := checkStatus("meta", &host.Response{Status: status})
		if fault.KindOf(err) != k {
			t.Errorf("%d: %v, want %v", status, err, k)
		}
		if e, ok := err.(*fault.Error); ok && (e.Hint == "" || e.Message == "") {
			t.Errorf("%d: no hint", status)
		}
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

// TestStepError keeps kind, hint and details, and leaves the original alone.
func TestStepError(t *testing.T) {
	t.Parallel()
	inner := fault.New(fault.Auth, "refused").WithHint("log in").With("a", 1)
	e, ok := fault.Step("meta", inner).(*fault.Error)
	if !ok || e.Kind != fault.Auth || e.Message != "meta: refused" || e.Hint != "log in" || e.Details["a"] != 1 || inner.Message != "refused" {
		t.Errorf("%+v, %+v", e, inner)
	}
	if fault.Step("meta", nil) != nil {
		t.Error("nil became an error")
	}
}
