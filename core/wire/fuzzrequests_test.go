package wire_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/cardferry/cardferry/core/wire"
)

// FuzzRequests: what the server decodes is refused with fault.DamagedDownload or is JSON, and a request that has an encoder is read again
// as the same.
func FuzzRequests(f *testing.F) {
	f.Add([]byte(`{"u":"a","p":"b"}`))
	f.Add([]byte(`{"v":11,"cv":"a,b,c"}`))
	f.Add([]byte(`{"slice":250}`))
	seed(f, func(e exchange) json.RawMessage { return e.Request })
	f.Fuzz(func(t *testing.T, b []byte) {
		check := func(err error) {
			if err != nil {
				refusal(t, b, err)
			} else {
				valid(t, b)
			}
		}
		user, password, err := wire.ParseLoginRequest(b)
		check(err)
		if err == nil {
			if u, p, err := wire.ParseLoginRequest(wire.LoginRequest(user, password)); err != nil || u != user || p != password {
				t.Errorf("%q %q, %v, of %q", u, p, err, b)
			}
		}
		_, _, err = wire.ParseMetaRequest(b)
		check(err)
		_, err = wire.ParseStartRequest(b)
		check(err)
		_, err = wire.ParseChunkRequest(b)
		check(err)
		_, err = wire.ParseSanityRequest(b)
		check(err)
		_, err = wire.ParseApplyChanges(b)
		check(err)
		g, err := wire.ParseApplyGraves(b)
		check(err)
		if err == nil {
			text := wire.ApplyGravesRequest(g)
			if again, err := wire.ParseApplyGraves(text); err != nil || !bytes.Equal(text, wire.ApplyGravesRequest(again)) {
				t.Errorf("%s: %v", text, err)
			}
		}
		var c, again wire.Chunk
		err = wire.ParseApplyChunk(bytes.Clone(b), &c)
		check(err)
		if err == nil {
			text := wire.ApplyChunkRequest(nil, &c)
			if err := wire.ParseApplyChunk(bytes.Clone(text), &again); err != nil || !bytes.Equal(text, wire.ApplyChunkRequest(nil, &again)) {
				t.Errorf("%s: %v", text, err)
			}
		}
	})
}
