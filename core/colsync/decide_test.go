package colsync

import (
	"testing"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/fault"
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
	for scm, want := range map[int64]Required{10: RequiredNormal, 11: RequiredFull} { // another device's sync ended in the millisecond of an edit here
		if d := decide(collection.Col{Mod: 10, Scm: scm, USN: 6}, false, wire.Meta{Mod: 10, Scm: 10, USN: 7}); d.required != want {
			t.Errorf("equal mod, other usn, scm %d: %+v", scm, d)
		}
	}
	fresh := decide(collection.Col{Mod: 0, Scm: 5}, true, wire.Meta{Mod: 0, Scm: 6, Empty: true})
	if fresh.required != RequiredNone {
		t.Errorf("two new collections: %+v", fresh)
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
