package wire_test

import (
	"errors"
	"reflect"
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/wire"
)

// TestRequestsOfOurs: a server reads what our client sends.
func TestRequestsOfOurs(t *testing.T) {
	t.Parallel()
	if u, p, err := wire.ParseLoginRequest(wire.LoginRequest("ada", `p"ä`)); err != nil || u != "ada" || p != `p"ä` {
		t.Error(u, p, err)
	}
	if v, c, err := wire.ParseMetaRequest(wire.MetaRequest("me/1")); err != nil || v != 11 || c != "me/1" {
		t.Error(v, c, err)
	}
	if s, err := wire.ParseStartRequest(wire.StartRequest(-1, true)); err != nil || s != (wire.Start{MinUSN: -1, LocalNewer: true}) {
		t.Error(s, err)
	}
	g := wire.Graves{Cards: []int64{1, -2}, Notes: []int64{}, Decks: []int64{3}}
	if got, err := wire.ParseApplyGraves(wire.ApplyGravesRequest(g)); err != nil || !reflect.DeepEqual(got, g) {
		t.Error(got, err)
	}
	crt := int64(5)
	ch := &wire.Changes{
		Notetypes: [][]byte{[]byte(`{"id":1}`)}, Decks: [][]byte{}, DeckConfigs: [][]byte{}, Tags: []string{"t"},
		Config: []wire.ConfigEntry{{Key: "k", Value: []byte("[1]")}}, Crt: &crt,
	}
	if got, err := wire.ParseApplyChanges(wire.ApplyChangesRequest(ch)); err != nil || !reflect.DeepEqual(got, ch) {
		t.Error(got, err)
	}
	chunk := wire.Chunk{Done: true, Revlog: []wire.Revlog{{ID: 1, USN: 2}}, Cards: []wire.Card{}, Notes: []wire.Note{}}
	got := wire.Chunk{Revlog: []wire.Revlog{}, Cards: []wire.Card{}, Notes: []wire.Note{}}
	if err := wire.ParseApplyChunk(wire.ApplyChunkRequest(nil, &chunk), &got); err != nil || !reflect.DeepEqual(got, chunk) {
		t.Error(got, err)
	}
	c := wire.Counts{Cards: 1, Notes: 2, Revlog: 3, Graves: 4, Notetypes: 5, Decks: 6, DeckConfigs: 7}
	if got, err := wire.ParseSanityRequest(wire.SanityRequest(c)); err != nil || got != c {
		t.Error(got, err)
	}
}

// TestAnswersOfOurs: our client reads what a server of ours answers.
func TestAnswersOfOurs(t *testing.T) {
	t.Parallel()
	if key, err := wire.ParseLogin(wire.AppendLogin(nil, "k")); err != nil || key != "k" {
		t.Error(key, err)
	}
	for _, m := range []wire.Meta{
		{Mod: 1, Scm: 2, USN: 3, TS: 4, Cont: true, MediaUSN: 5, Empty: true},
		{Msg: `too "old"`, Slice: 2000, KeepsBackup: true, Events: true},
	} {
		if got, err := wire.ParseMeta(wire.AppendMeta(nil, &m)); err != nil || got != m {
			t.Errorf("%+v, %v", got, err)
		}
	}
	c, s := wire.Counts{Cards: 1, Graves: 2}, wire.Counts{Cards: 1, DeckConfigs: 7}
	if got, err := wire.ParseSanity(wire.AppendSanity(nil, true, c, &s)); err != nil || !got.OK || *got.Client != c || *got.Server != s {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := wire.ParseSanity(wire.AppendSanity(nil, false, c, nil)); err != nil || got.OK || *got.Client != c || got.Server != nil {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := wire.ParseFinish(wire.AppendFinish(nil, 1764000260123)); err != nil || got != 1764000260123 {
		t.Error(got, err)
	}
}

// TestRequestsByHand has what was sent to the real server of 26.9.3 by tools/probes/http_framing.py.
func TestRequestsByHand(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		graves string
		ok     bool
	}{
		{"null", true}, {`{"cards":[1],"notes":[2],"decks":[]}`, true}, {`{"cards":["1"],"notes":["2"],"decks":[]}`, true},
		{`{"cards":[1],"notes":["2"],"decks":[]}`, false}, {`{"cards":[]}`, false}, {`[]`, false}, {`"x"`, false}, {`{}`, false},
		{`{"cards":[],"notes":[],"decks":[],"x":1}`, true}, {`{"cards":["x"],"notes":[],"decks":[]}`, false},
	} {
		s, err := wire.ParseStartRequest([]byte(`{"minUsn":0,"lnewer":false,"graves":` + c.graves + `}`))
		if (err == nil) != c.ok || (s.Graves != nil) != (c.ok && c.graves != "null") {
			t.Errorf("graves %s: %+v, %v", c.graves, s, err)
		}
	}
	for text, ok := range map[string]bool{
		`{"lnewer":false}`: false, `{"minUsn":0}`: false, `{"minUsn":-1,"lnewer":true}`: true, `{"minUsn":"0","lnewer":true}`: false,
		`{"minUsn":0,"lnewer":0}`: false, `{"minUsn":0,"lnewer":true,"zz":1}`: true,
	} {
		if _, err := wire.ParseStartRequest([]byte(text)); (err == nil) != ok {
			t.Errorf("%s: %v", text, err)
		}
	}
	// The reference refuses other members; ours may get them from later clients.
	for text, ok := range map[string]bool{
		`{}`: true, `{"_pad":null}`: true, `{"x":1}`: true, `null`: false, ``: false, `[]`: true, ` [ null ] `: true, `[1]`: false,
		`[null,null]`: false, `[`: false, `{} x`: false, `[] x`: false,
	} {
		err := wire.ParseNoRequest([]byte(text))
		if (err == nil) != ok || err != nil && !errors.Is(err, fault.DamagedDownload) {
			t.Errorf("%s: %v", text, err)
		}
	}
	for text, want := range map[string]int{`{}`: 0, `{"slice":2000}`: 2000, `{"slice":-1}`: 0, `{"slice":"x"}`: 0, `[]`: 0} {
		if n, err := wire.ParseChunkRequest([]byte(text)); err != nil || n != want {
			t.Errorf("%s: %d, %v", text, n, err)
		}
	}
}

func TestRefusedRequests(t *testing.T) {
	t.Parallel()
	refused(t, wire.ParseStartRequest, `{"minUsn":99999999999,"lnewer":true}`)
	refused(t, wire.ParseApplyGraves, goodGraves, `{"chunk":null}`, `{"chunk":{"cards":[1.5],"decks":[],"notes":[]}}`)
	refused(t, wire.ParseApplyChanges, goodChanges, `{"changes":null}`, `{"changes":{}}`)
	refused(t, wire.ParseSanityRequest, `{"client":[[0,0,0],1,2,3,4,5,6]}`, `{"client":[[0,0],1,2,3,4,5,6,7]}`, `{"client":[0,1,2,3,4,5,6,7]}`,
		`{"client":[[0,0,0],1,2,3,4,5,6,-7]}`, `{"client":[[0,0,"0"],1,2,3,4,5,6,7]}`, `{"client":null}`)
	refused(t, func(b []byte) (string, error) { u, _, err := wire.ParseLoginRequest(b); return u, err }, `{"u":"x"}`, `{"u":1,"p":"x"}`)
	refused(t, func(b []byte) (int64, error) { v, _, err := wire.ParseMetaRequest(b); return v, err }, `{"v":11}`, `{"cv":"x"}`, `{"v":"11","cv":"x"}`)
	var c wire.Chunk
	for _, text := range []string{``, `{}`, `{"chunk":null}`, `{"chunk":[]}`, `{"done":true}`, `{"chunk":{"done":true}`, `{"chunk":{"done":true}}}`,
		`{"chunk":{"done":true}]`, `{"chunk":}`} {
		if err := wire.ParseApplyChunk([]byte(text), &c); !errors.Is(err, fault.DamagedDownload) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestApplyChunkAsSent: what reads the usual form without looking for its end accepts no less than what does.
func TestApplyChunkAsSent(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`{"chunk":{"done":true,"revlog":[[1,2,3,4,5,6,7,8,9]]}}`, ` { "chunk" : {"done":true,"revlog":[[1,2,3,4,5,6,7,8,9]]} } `,
		`{"chunk":{"done":true,"revlog":[[1,2,3,4,5,6,7,8,9]]},"x":{}}`, `{"x":[1],"chunk": {"revlog":[[1,2,3,4,5,6,7,8,9]],"done":true}}`} {
		var c wire.Chunk
		if err := wire.ParseApplyChunk([]byte(text), &c); err != nil || !c.Done || len(c.Revlog) != 1 || c.Revlog[0].Time != 8 {
			t.Errorf("%s: %+v, %v", text, c, err)
		}
	}
}
