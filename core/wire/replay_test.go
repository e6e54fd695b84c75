package wire_test

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"testing"

	"github.com/cardferry/cardferry/core/wire"
)

// exchange is one recorded request of the real client and the answer of the real server (shared fixtures, wire/*.jsonl,
// without headers and repetitions).
type exchange struct {
	Scenario, Method  string
	Request, Response json.RawMessage
}

func exchanges(t testing.TB) (list []exchange) {
	t.Helper()
	b, err := os.ReadFile("testdata/exchanges.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(b) {
		var e exchange
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		list = append(list, e)
	}
	return list
}

// member returns the value of a key of an object.
func member(t testing.TB, object []byte, key string) json.RawMessage {
	t.Helper()
	var m map[string]json.RawMessage
	if err := json.Unmarshal(object, &m); err != nil {
		t.Fatalf("%v in %.100s", err, object)
	}
	return m[key]
}

// value decodes JSON without loss, for comparisons.
func value(t testing.TB, text []byte) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v in %.100s", err, text)
	}
	return v
}

func decode[T any](t testing.TB, text []byte) (v T) {
	t.Helper()
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%v in %.100s", err, text)
	}
	return v
}

// TestExchanges reads everything that was recorded and writes it again: what the real client sent is what we would
// send, and what the real server answered survives our types.
func TestExchanges(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	for _, e := range exchanges(t) {
		seen[e.Method]++
		same := func(what string, got, want []byte) {
			t.Helper()
			if !reflect.DeepEqual(value(t, got), value(t, want)) {
				t.Errorf("%s %s: %s is\n%s\nwant\n%s", e.Scenario, e.Method, what, got, want)
			}
		}
		ok := func(err error) {
			t.Helper()
			if err != nil {
				t.Errorf("%s %s: %v", e.Scenario, e.Method, err)
			}
		}
		switch e.Method {
		case "hostKey":
			same("request", wire.LoginRequest(decode[string](t, member(t, e.Request, "u")), decode[string](t, member(t, e.Request, "p"))), e.Request)
			key, err := wire.ParseLogin(e.Response)
			ok(err)
			same("key", wire.LoginRequest(key, ""), wire.LoginRequest(decode[string](t, member(t, e.Response, "key")), ""))
		case "meta":
			same("request", wire.MetaRequest(decode[string](t, member(t, e.Request, "cv"))), e.Request)
			m, err := wire.ParseMeta(e.Response)
			ok(err)
			same("response", metaJSON(t, m), e.Response)
		case "start":
			same("request", wire.StartRequest(decode[int32](t, member(t, e.Request, "minUsn")), decode[bool](t, member(t, e.Request, "lnewer"))), e.Request)
			g, err := wire.ParseGraves(e.Response)
			ok(err)
			same("response", wire.AppendGraves(nil, g), e.Response)
		case "applyGraves":
			g, err := wire.ParseGraves(member(t, e.Request, "chunk"))
			ok(err)
			same("request", wire.ApplyGravesRequest(g), e.Request)
		case "applyChanges":
			c, err := wire.ParseChanges(member(t, e.Request, "changes"))
			ok(err)
			same("request", wire.ApplyChangesRequest(c), e.Request)
			c, err = wire.ParseChanges(e.Response)
			ok(err)
			same("response", wire.AppendChanges(nil, c), e.Response)
		case "chunk":
			var c wire.Chunk
			ok(wire.ParseChunk(e.Response, &c))
			same("response", wire.AppendChunk(nil, &c), e.Response)
		case "applyChunk":
			var c wire.Chunk
			ok(wire.ParseChunk(member(t, e.Request, "chunk"), &c))
			same("request", wire.ApplyChunkRequest(nil, &c), e.Request)
		case "sanityCheck2":
			r, err := wire.ParseSanity(e.Response)
			ok(err)
			if status := decode[string](t, member(t, e.Response, "status")); r.OK != (status == "ok") {
				t.Errorf("%s: status %s read as %v", e.Scenario, status, r.OK)
			}
			if r.Client != nil {
				same("counts", member(t, wire.SanityRequest(*r.Client), "client"), member(t, e.Response, "c"))
			}
		case "finish":
			at, err := wire.ParseFinish(e.Response)
			ok(err)
			if at != decode[int64](t, e.Response) {
				t.Errorf("%s: finish is %d", e.Scenario, at)
			}
		default:
			t.Errorf("method %s is not tested", e.Method)
		}
	}
	for _, m := range []string{"hostKey", "meta", "start", "applyGraves", "applyChanges", "chunk", "applyChunk", "sanityCheck2", "finish"} {
		if seen[m] == 0 {
			t.Errorf("no exchange of %s", m)
		}
	}
}

// metaJSON writes what a server would have answered.
func metaJSON(t testing.TB, m wire.Meta) []byte {
	t.Helper()
	v := map[string]any{
		"mod": m.Mod, "scm": m.Scm, "usn": m.USN, "ts": m.TS, "msg": m.Msg, "cont": m.Cont, "hostNum": m.HostNum,
		"empty": m.Empty, "media_usn": m.MediaUSN,
	}
	if m.Slice != 0 || m.KeepsBackup || m.Events {
		v["cardferry"] = map[string]any{"slice": m.Slice, "keeps_backup": m.KeepsBackup, "events": m.Events}
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
