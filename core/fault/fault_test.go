package fault_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/cardferry/cardferry/core/fault"
)

// pinned are the numbers and names of the public contract: neither may ever change.
var pinned = []struct {
	kind   fault.Kind
	number uint8
	name   string
}{
	{fault.Other, 1, "other"}, {fault.Busy, 2, "busy"}, {fault.StorageFull, 3, "storage_full"}, {fault.NotFound, 4, "not_found"},
	{fault.InvalidInput, 5, "invalid_input"}, {fault.OneWayNeeded, 6, "one_way_needed"}, {fault.Auth, 7, "auth"},
	{fault.Offline, 8, "offline"}, {fault.Timeout, 9, "timeout"}, {fault.ProxyAuth, 10, "proxy_auth"},
	{fault.ServerError, 11, "server_error"}, {fault.Network, 12, "network"}, {fault.ServerMessage, 13, "server_message"},
	{fault.Clock, 14, "clock"}, {fault.ClientTooOld, 15, "client_too_old"}, {fault.TooLarge, 16, "too_large"},
	{fault.Sanity, 17, "sanity"}, {fault.Resync, 18, "resync"}, {fault.DatabaseCheck, 19, "database_check"},
	{fault.Conflict, 20, "conflict"}, {fault.DamagedFile, 21, "damaged_file"}, {fault.UnsupportedFile, 22, "unsupported_file"},
	{fault.DamagedDownload, 23, "damaged_download"}, {fault.NeedsDecision, 24, "needs_decision"}, {fault.Cancelled, 25, "cancelled"},
	{fault.NotWritable, 26, "not_writable"}, {fault.Closed, 27, "closed"}, {fault.Internal, 28, "internal"},
	{fault.UnsupportedBrowser, 29, "unsupported_browser"},
}

func TestKinds(t *testing.T) {
	t.Parallel()
	for _, p := range pinned {
		if uint8(p.kind) != p.number || p.kind.String() != p.name || fault.ParseKind(p.name) != p.kind {
			t.Errorf("%d %s: want %d %s", p.kind, p.kind, p.number, p.name)
		}
	}
	if kinds := fault.Kinds(); len(kinds) != len(pinned) || kinds[0] != fault.Other {
		t.Errorf("%d kinds, %d are pinned", len(kinds), len(pinned))
	}
	for _, k := range []fault.Kind{0, 30, 255} {
		if k.String() != "other" {
			t.Errorf("%d is %s", k, k)
		}
	}
	for _, name := range []string{"", "Busy", "no such kind"} {
		if k := fault.ParseKind(name); k != fault.Other {
			t.Errorf("%q is %s", name, k)
		}
	}
}

func TestKindOf(t *testing.T) {
	t.Parallel()
	auth := fault.New(fault.Auth, "refused")
	for _, tt := range []struct {
		err  error
		want fault.Kind
	}{
		{nil, 0}, {errors.New("x"), fault.Other}, {auth, fault.Auth}, {fault.Busy, fault.Busy},
		{fmt.Errorf("step: %w", auth), fault.Auth}, {fault.Wrap(fault.Network, auth, "step"), fault.Network},
		{fmt.Errorf("step: %w", fault.Busy), fault.Busy}, {context.Canceled, fault.Cancelled},
		{fmt.Errorf("step: %w", context.DeadlineExceeded), fault.Cancelled}, {errors.Join(errors.New("x"), auth), fault.Auth},
	} {
		if got := fault.KindOf(tt.err); got != tt.want {
			t.Errorf("%v: %v, want %v", tt.err, got, tt.want)
		}
	}
}

func TestError(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	for _, tt := range []struct {
		err  error
		want string
	}{
		{fault.New(fault.Auth, "%d times", 3), "3 times"}, {fault.Wrap(fault.Auth, cause, "step %s", "x"), "step x: cause"},
		{&fault.Error{Err: cause}, "cause"}, {fault.Busy, "busy"},
	} {
		if tt.err.Error() != tt.want {
			t.Errorf("got %q, want %q", tt.err, tt.want)
		}
	}
	err := fault.Wrap(fault.Network, fault.Wrap(fault.Offline, cause, "inner"), "outer")
	if !errors.Is(err, fault.Network) || !errors.Is(err, fault.Offline) || !errors.Is(err, cause) || errors.Is(err, fault.Auth) {
		t.Error("the chain does not match")
	}
	if fault.Wrap(fault.Other, nil, "step") != nil {
		t.Error("nil is wrapped")
	}
	e := fault.New(fault.Clock, "off").WithHint("set it").With("a", 1).With("b", "2")
	if e.Hint != "set it" || len(e.Details) != 2 || e.Details["b"] != "2" {
		t.Errorf("%+v", e)
	}
}
