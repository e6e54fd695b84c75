package coretest

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
)

// The part of TestHTTP about bodies made of parts.

func testBodyParts(t *testing.T, f *HTTPFixture) {
	large := strings.Repeat("0123456789", 200_000)
	a := install(t, f.Media, "a.bin", large, nil)
	b := install(t, f.Media, "ä.png", "image", nil)
	text := func(s string) host.BodyPart { return host.BodyPart{Bytes: []byte(s)} }
	media := func(name string, seen host.MediaFile, off, n int64) host.BodyPart {
		return host.BodyPart{Media: name, Seen: seen, Offset: off, Len: n}
	}
	for _, c := range []struct {
		name  string
		parts []host.BodyPart
		want  string
	}{
		{"bytes", []host.BodyPart{text("one"), text(""), text(" two")}, "one two"},
		{"a file", []host.BodyPart{media("ä.png", b, 0, 5)}, "image"},
		{"ranges", []host.BodyPart{text("<"), media("ä.png", b, 1, 3), text("|"), media("ä.png", b, 0, 1), text(">")}, "<mag|i>"},
		{"two files in turn", []host.BodyPart{
			media("a.bin", a, 5, 6), media("ä.png", b, 4, 1), media("a.bin", a, 0, 2), media("ä.png", b, 0, 0), media("ä.png", b, 5, 0), text("."),
		}, "567890e01."},
		{"large", []host.BodyPart{text("head"), media("a.bin", a, 0, 1_000_000), text("mid"), media("a.bin", a, 1_000_000, 1_000_000), text("tail")},
			"head" + large[:1_000_000] + "mid" + large[1_000_000:] + "tail"},
		{"nothing", []host.BodyPart{text("")}, ""},
	} {
		req := f.request("/echo")
		req.Parts, req.Limit = c.parts, 8<<20
		call := f.HTTP.Start(context.Background(), req)
		Must(t, WaitFor(context.Background(), f.HTTP, call))
		resp, err := call.Response()
		var e echoed
		if err == nil {
			err = json.Unmarshal(resp.Body, &e)
		}
		if err != nil || e.Body != c.want || e.Length != int64(len(c.want)) || e.Header["transfer-encoding"] != "" {
			t.Errorf("%s: %d bytes of %d announced arrived, %.50q…: %v", c.name, len(e.Body), e.Length, e.Body, err)
		}
		// Of a small body a host need not tell.
		if sent := call.Sent(); sent != int64(len(c.want)) && len(c.want) > 1<<20 {
			t.Errorf("%s: sent %d", c.name, sent)
		}
		call.Close()
	}
}

func testChangedParts(t *testing.T, f *HTTPFixture) {
	seen := install(t, f.Media, "a.bin", strings.Repeat("0123456789", 20_000), nil)
	small := install(t, f.Media, "b.bin", "small", nil)
	later, longer := seen, seen
	later.Modified++
	longer.Size++
	for _, c := range []struct {
		name string
		part host.BodyPart
		kind fault.Kind
	}{
		{"gone", host.BodyPart{Media: "none", Seen: seen, Len: 5}, fault.NotFound},
		{"of another time", host.BodyPart{Media: "a.bin", Seen: later, Len: 5}, fault.NotFound},
		{"of another size", host.BodyPart{Media: "a.bin", Seen: longer, Len: 5}, fault.NotFound},
		{"of another size, to the end", host.BodyPart{Media: "a.bin", Seen: longer, Len: longer.Size}, fault.NotFound},
		{"behind the end", host.BodyPart{Media: "b.bin", Seen: small, Offset: 1, Len: 5}, fault.Internal},
		{"in front", host.BodyPart{Media: "b.bin", Seen: small, Offset: -1, Len: 5}, fault.Internal},
		{"backwards", host.BodyPart{Media: "b.bin", Seen: small, Offset: 1, Len: -1}, fault.Internal},
	} {
		req := f.request("/echo")
		req.Parts = []host.BodyPart{{Bytes: []byte("head")}, {Media: "b.bin", Seen: small, Len: 5}, c.part}
		_, err := Do(context.Background(), f.HTTP, req)
		if fault.KindOf(err) != c.kind {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	req := f.request("/echo")
	req.Parts, req.Body = []host.BodyPart{{Bytes: []byte("x")}}, []byte("y")
	_, err := Do(context.Background(), f.HTTP, req)
	WantKind(t, err, fault.Internal)
	// The host goes on.
	req = f.request("/echo")
	req.Parts = []host.BodyPart{{Media: "b.bin", Seen: small, Len: 5}}
	if e := f.echo(t, req); e.Body != "small" {
		t.Errorf("arrived: %q", e.Body)
	}
}
