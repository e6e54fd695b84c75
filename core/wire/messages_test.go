package wire_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/wire"
)

const (
	goodMeta    = `{"mod":1,"scm":2,"usn":3,"ts":4,"msg":"m","cont":true,"hostNum":0,"media_usn":5}`
	goodChanges = `{"models":[],"decks":[[],[]],"tags":[]}`
	goodGraves  = `{"cards":[],"decks":[],"notes":[]}`
)

// with returns text with one part of it replaced, "" removes it.
func with(text, old, replacement string) string { return strings.Replace(text, old, replacement, 1) }

// refused checks that each text is refused by parse, with the right kind and nothing else.
func refused[T any](t *testing.T, parse func([]byte) (T, error), texts ...string) {
	t.Helper()
	for _, text := range append(texts, "", "null", "{", "[]", "{}{}", `{"a":}`, "\xff") {
		v, err := parse([]byte(text))
		if !errors.Is(err, fault.DamagedDownload) {
			t.Errorf("%s: %v", text, err)
		}
		if !reflect.ValueOf(&v).Elem().IsZero() {
			t.Errorf("%s: an error and %+v", text, v)
		}
	}
}

func TestParseMeta(t *testing.T) {
	t.Parallel()
	want := wire.Meta{Mod: 1, Scm: 2, USN: 3, TS: 4, Msg: "m", Cont: true, MediaUSN: 5}
	extra := want
	extra.Slice, extra.KeepsBackup, extra.Events = 2000, true, true
	empty := want
	empty.Empty = true
	for text, want := range map[string]wire.Meta{
		goodMeta: want,
		with(goodMeta, `{`, ` { "x" : [ {} ] , `):                                                      want,
		with(goodMeta, `{`, `{"empty":true,`):                                                          empty,
		with(goodMeta, `{`, `{"empty":false,`):                                                         want,
		with(goodMeta, `{`, `{"cardferry":{"slice":2000,"keeps_backup":true,"events":true,"more":1},`): extra,
		// Another server's key of that name is none of our business.
		with(goodMeta, `{`, `{"cardferry":5,`):                want,
		with(goodMeta, `{`, `{"cardferry":{"slice":"many"},`): want,
		with(goodMeta, `{`, `{"cardferry":{"slice":-1},`):     want,
		with(goodMeta, `"m"`, `"\u006d"`):                     want,
	} {
		if got, err := wire.ParseMeta([]byte(text)); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	var bad []string
	for _, part := range []string{`"mod":1,`, `"scm":2,`, `"usn":3,`, `"ts":4,`, `"msg":"m",`, `"cont":true,`, `"hostNum":0,`} {
		key, _, _ := strings.Cut(part, ":")
		bad = append(bad, with(goodMeta, part, ""), with(goodMeta, part, key+":null,"), with(goodMeta, part, key+":1.5,"), with(goodMeta, part, key+":[],"))
	}
	bad = append(bad, with(goodMeta, `,"media_usn":5`, ""), with(goodMeta, ":3", ":-1"), with(goodMeta, ":3", ":-7"), with(goodMeta, ":3", ":2147483648"), with(goodMeta, ":3", ":2147483647"),
		with(goodMeta, ":true", ":1"), with(goodMeta, `{`, `{"empty":0,`), with(goodMeta, `"m"`, `"\ud800"`), with(goodMeta, ":1", ":1e3"), with(goodMeta, ":1", ":9223372036854775808"))
	refused(t, wire.ParseMeta, bad...)
}

func TestParseGraves(t *testing.T) {
	t.Parallel()
	got, err := wire.ParseGraves([]byte(` { "notes" : [ 1 , -2 ] , "x":{}, "cards":[3], "decks":[] } `))
	if text := wire.AppendGraves(nil, got); err != nil || string(text) != `{"cards":[3],"decks":[],"notes":[1,-2]}` {
		t.Errorf("%s, %v", text, err)
	}
	refused(t, wire.ParseGraves, `{"cards":[],"decks":[]}`, with(goodGraves, "[]", "null"), with(goodGraves, "[]", "{}"), with(goodGraves, "[]", `["1"]`),
		with(goodGraves, "[]", "[1.0]"), with(goodGraves, "[]", "[1e3]"), with(goodGraves, "[]", "[-0]"), with(goodGraves, "[]", "[null]"), with(goodGraves, "[]", "[[1]]"),
		with(goodGraves, "[]", "[9223372036854775808]"), with(goodGraves, "[]", "[1,]"), with(goodGraves, "[]", "[1 2]"), with(goodGraves, "[]", "[1"), with(goodGraves, "[]", "[01]"))
}

func TestParseChanges(t *testing.T) {
	t.Parallel()
	text := `{"x":1,"conf":{"b":[1, 2],"a":{"z":1,"y":"<&\u00e9>"},"b":1e5},"models":[{"id":1,"id":2}],"decks":[[{}],[{"a":null}]],"tags":["a::ü","\ud83d\ude00"],"crt":-5}`
	c, err := wire.ParseChanges([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	// Keys in their order, values as they came, the last of two.
	want := `{"models":[{"id":1,"id":2}],"decks":[[{}],[{"a":null}]],"tags":["a::ü","😀"],"conf":{"a":{"z":1,"y":"<&\u00e9>"},"b":1e5},"crt":-5}`
	if got := wire.AppendChanges(nil, c); string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for text, absent := range map[string]bool{
		goodChanges: true, with(goodChanges, "{", `{"conf":null,"crt":null,`): true, with(goodChanges, "{", `{"conf":{},"crt":0,`): false,
	} {
		c, err := wire.ParseChanges([]byte(text))
		if err != nil || (c.Config == nil) != absent || (c.Crt == nil) != absent {
			t.Errorf("%s: %+v, %v", text, c, err)
		}
	}
	refused(t, wire.ParseChanges, with(goodChanges, `"tags":[]`, `"x":[]`), with(goodChanges, `"models":[]`, `"x":[]`), with(goodChanges, `"decks"`, `"x"`),
		with(goodChanges, "[[],[]]", "[]"), with(goodChanges, "[[],[]]", "[[]]"), with(goodChanges, "[[],[]]", "[[],[],[]]"), with(goodChanges, "[[],[]]", "[[],null]"), with(goodChanges, "[[],[]]", "[[],{}]"),
		with(goodChanges, `"models":[]`, `"models":null`), with(goodChanges, `"models":[]`, `"models":[null]`), with(goodChanges, `"models":[]`, `"models":[[]]`), with(goodChanges, `"models":[]`, `"models":[5]`),
		with(goodChanges, `"models":[]`, `"models":[{"a":01}]`), with(goodChanges, `"models":[]`, `"models":[{"a":"\ud800"}]`), with(goodChanges, `"models":[]`, `"models":[{a:1}]`),
		with(goodChanges, `"tags":[]`, `"tags":[1]`), with(goodChanges, `"tags":[]`, `"tags":null`), with(goodChanges, "{", `{"conf":[],`), with(goodChanges, "{", `{"conf":5,`),
		with(goodChanges, "{", `{"crt":1.5,`), with(goodChanges, "{", `{"crt":"1",`))
}

func TestParseSanity(t *testing.T) {
	t.Parallel()
	counts := wire.Counts{Cards: 1, Notes: 2, Revlog: 3, Graves: 0, Notetypes: 5, Decks: 6, DeckConfigs: 7}
	const list = `[[0,0,0],1,2,3,0,5,6,7]`
	for text, want := range map[string]wire.SanityResult{
		`{"status":"ok","c":` + list + `,"s":` + list + `}`: {OK: true, Client: &counts, Server: &counts},
		`{"status":"bad","c":` + list + `,"s":null,"x":1}`:  {Client: &counts},
		`{"status":"bad"}`: {},
		`{"status":"\u006fk","c":[],"s":[[0,0,0],1,2,3,4,5,6]}`: {OK: true},
		`{"status":"ok","c":{},"s":[[0,0,0],1,2,3,4,5,6,"7"]}`:  {OK: true},
		`{"status":"ok","c":[0,1,2,3,0,5,6,7,8],"s":[1.5]}`:     {OK: true},
	} {
		if got, err := wire.ParseSanity([]byte(text)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	refused(t, wire.ParseSanity, `{}`, `{"status":null}`, `{"status":"OK"}`, `{"status":""}`, `{"status":true}`, `{"status":"ok","c":[}`, `{"status":"ok","c":"\ud800"}`)
}

func TestParseFinishAndLogin(t *testing.T) {
	t.Parallel()
	if at, err := wire.ParseFinish([]byte(" 1764000260123\n")); err != nil || at != 1764000260123 {
		t.Error(at, err)
	}
	refused(t, wire.ParseFinish, "0", "-1", "-0", "1.0", "1e12", `"1764000260123"`, "true", "1 2", "01", "9223372036854775808", "-", " ")
	if key, err := wire.ParseLogin([]byte(`{"key":"5d1c","x":{}}`)); err != nil || key != "5d1c" {
		t.Error(key, err)
	}
	refused(t, wire.ParseLogin, `{}`, `{"key":null}`, `{"key":5}`, `{"key":""}`, `{"KEY":"a"}`, `{"key":"a"`)
}

func TestRequests(t *testing.T) {
	t.Parallel()
	crt := int64(-1)
	for _, c := range []struct{ got, want string }{
		{string(wire.MetaRequest(`cardferry,1.0 ("x")`)), `{"v":11,"cv":"cardferry,1.0 (\"x\")"}`},
		{string(wire.LoginRequest("a<b>&é", "p\"\\\n\x01\x7f\u2028")), "{\"u\":\"a<b>&é\",\"p\":\"p\\\"\\\\\\n\\u0001\x7f\u2028\"}"},
		{string(wire.StartRequest(-1, false)), `{"minUsn":-1,"lnewer":false,"graves":null}`},
		{string(wire.StartRequest(41, true)), `{"minUsn":41,"lnewer":true,"graves":null}`},
		{string(wire.ApplyGravesRequest(wire.Graves{Notes: []int64{1, 2}})), `{"chunk":{"cards":[],"decks":[],"notes":[1,2]}}`},
		{string(wire.ApplyChangesRequest(&wire.Changes{})), `{"changes":{"models":[],"decks":[[],[]],"tags":[]}}`},
		{string(wire.ApplyChangesRequest(&wire.Changes{Config: []wire.ConfigEntry{}, Crt: &crt})), `{"changes":{"models":[],"decks":[[],[]],"tags":[],"conf":{},"crt":-1}}`},
		{string(wire.ApplyChunkRequest(nil, &wire.Chunk{})), `{"chunk":{"done":false}}`},
		{string(wire.ApplyChunkRequest(nil, &wire.Chunk{Done: true, Revlog: []wire.Revlog{{ID: 1}}})), `{"chunk":{"done":true,"revlog":[[1,0,0,0,0,0,0,0,0]]}}`},
		{string(wire.SanityRequest(wire.Counts{Cards: 812, Notes: 640, Revlog: 5120, Graves: 3, Notetypes: 7, Decks: 12, DeckConfigs: 4})), `{"client":[[0,0,0],812,640,5120,3,7,12,4]}`},
		{wire.Header("9f2c", "1.4.0,3f9c2ab1,linux", "kQz81b", 0), `{"v":11,"k":"9f2c","c":"1.4.0,3f9c2ab1,linux","s":"kQz81b"}`},
		{wire.Header("9f2c", "1", "kQz81b", 17), `{"v":11,"k":"9f2c","c":"1","s":"kQz81b","n":17}`},
		{wire.Header("", "é\x7f\n\"日😀", "s", 0), `{"v":11,"k":"","c":"\u00e9\u007f\n\"\u65e5\ud83d\ude00","s":"s"}`},
	} {
		if c.got != c.want {
			t.Errorf("got  %s\nwant %s", c.got, c.want)
		}
	}
}

// TestTextThatIsNoUTF8 sends what an old file may contain: no server takes the bytes as they are.
func TestTextThatIsNoUTF8(t *testing.T) {
	t.Parallel()
	text := wire.AppendChunk(nil, &wire.Chunk{Notes: []wire.Note{{Fields: "a\xffb\xe6\x97c", GUID: "\xed\xa0\x80"}}})
	var c wire.Chunk
	if err := wire.ParseChunk(text, &c); err != nil {
		t.Fatal(err)
	}
	if got := strings.Trim(c.Notes[0].Fields, "abc"); !strings.HasPrefix(c.Notes[0].Fields, "a\ufffdb\ufffd") {
		t.Errorf("%q", got)
	}
}
