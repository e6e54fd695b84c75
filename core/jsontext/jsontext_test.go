package jsontext_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/cardferry/cardferry/core/jsontext"
)

func TestValid(t *testing.T) {
	t.Parallel()
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for text, want := range map[string]bool{
		`null`: true, ` true `: true, `-0`: true, `1.5e-7`: true, `"\u00e9\ud83d\ude00\/"`: true, `{"a":[1,{}],"a":2}`: true,
		"\t\r\n[ ]": true, deep(128): true, `123456789012345678901234567890`: true, `1e308`: true, "\"\x7f\"": true,
		``: false, ` `: false, `nul`: false, `nulll`: false, `01`: false, `+1`: false, `.5`: false, `1.`: false, `1e`: false,
		`-`: false, `'a'`: false, `"a`: false, "\"\n\"": false, `"\x"`: false, `"\u12g4"`: false, `[1,]`: false, `[1 2]`: false,
		`{"a"}`: false, `{"a":}`: false, `{a:1}`: false, `{"a":1,}`: false, `1 2`: false, "[\u00a0]": false, "\ufeff1": false,
		`"\ud83d"`: false, `"\ude00"`: false, `"\ud83dx"`: false, `"\ud83d\u0041"`: false,
		"\"\xff\"": false, "\"\xc3\"": false, "\"\xed\xa0\x80\"": false, "\"\xf4\x90\x80\x80\"": false,
		`1e309`: false, `-1e400`: false, strings.Repeat("9", 400): false, deep(129): false, deep(1_000_000): false,
	} {
		if got := jsontext.Valid([]byte(text)); got != want {
			t.Errorf("%.40q: %t", text, got)
		}
	}
}

func TestParseObject(t *testing.T) {
	t.Parallel()
	list, err := jsontext.ParseObject([]byte(` { "a" : [ 1 , 2 ] , "\u0062":"x\ny", "a":null } `))
	want := []jsontext.Member{{Key: "a", Raw: []byte("[ 1 , 2 ]")}, {Key: "b", Raw: []byte(`"x\ny"`)}, {Key: "a", Raw: []byte("null")}}
	if err != nil || !reflect.DeepEqual(list, want) {
		t.Errorf("%q, %v", list, err)
	}
	if raw := jsontext.Get(list, "a"); string(raw) != "null" {
		t.Errorf("the last of equal keys: %s", raw)
	}
	if raw := jsontext.Get(list, "A"); raw != nil {
		t.Errorf("keys have case: %s", raw)
	}
	for _, text := range []string{"", "[]", "null", `{}{}`, `{"a":1]`, `{"a":1`, `{"a":"\ud800"}`} {
		if list, err := jsontext.ParseObject([]byte(text)); err == nil || list != nil {
			t.Errorf("%s: %q, %v", text, list, err)
		}
	}
	text := `{"a":[1,{"b":"\u00e9é"}],"c":-1.5e2,"d":[true,false,null]}`
	for i := range text {
		if _, err := jsontext.ParseObject([]byte(text[:i])); err == nil {
			t.Errorf("%s: no error", text[:i])
		}
	}
}

func TestElements(t *testing.T) {
	t.Parallel()
	list, ok := jsontext.Elements([]byte(`[1, "a,]" ,[2,3],{}]`))
	if got := string(bytes.Join(list, []byte("|"))); !ok || got != `1|"a,]"|[2,3]|{}` {
		t.Errorf("%s, %t", got, ok)
	}
	if list, ok := jsontext.Elements([]byte("[]")); !ok || len(list) != 0 {
		t.Errorf("%q, %t", list, ok)
	}
	for _, text := range []string{"", "{}", "1", `"[]"`} {
		if _, ok := jsontext.Elements([]byte(text)); ok {
			t.Errorf("%q: no array", text)
		}
	}
}

func TestValues(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{"0": 0, "-1": -1, "9223372036854775807": 1<<63 - 1, "-9223372036854775808": -1 << 63} {
		if v, ok := jsontext.Int([]byte(text)); !ok || v != want {
			t.Errorf("%s: %d, %t", text, v, ok)
		}
	}
	for _, text := range []string{"", "-0", "5.0", "1e2", "9223372036854775808", `"5"`, "null", "true", "+5", "0x5", "1_0"} {
		if v, ok := jsontext.Int([]byte(text)); ok {
			t.Errorf("%s is no integer: %d", text, v)
		}
	}
	if _, ok := jsontext.IntIn([]byte("256"), 0, 255); ok {
		t.Error("256 is not below 256")
	}
	if v, ok := jsontext.Int32([]byte("-2147483648")); !ok || v != -1<<31 {
		t.Error(v, ok)
	}
	if _, ok := jsontext.Int32([]byte("2147483648")); ok {
		t.Error("2147483648 has 33 bits")
	}
	if v, ok := jsontext.Float([]byte("1.5e2")); !ok || v != 150 {
		t.Error(v, ok)
	}
	for _, text := range []string{"", "NaN", "Inf", "null", `"1"`} {
		if _, ok := jsontext.Float([]byte(text)); ok {
			t.Errorf("%s is no number", text)
		}
	}
	if v, ok := jsontext.Strings([]byte(`["a","\u0062"]`)); !ok || !reflect.DeepEqual(v, []string{"a", "b"}) {
		t.Error(v, ok)
	}
	for _, text := range []string{"{}", "[1]", `["a",null]`, ""} {
		if v, ok := jsontext.Strings([]byte(text)); ok {
			t.Errorf("%s: %q", text, v)
		}
	}
	for _, text := range []string{"", "True", "1", "null"} {
		if _, ok := jsontext.Bool([]byte(text)); ok {
			t.Errorf("%s is no bool", text)
		}
	}
}

type point struct{ x, y int64 }

func (p point) AppendJSON(dst []byte) []byte {
	return append(jsontext.PutInt(jsontext.PutInt(append(dst, '{'), "x", p.x), "y", p.y), '}')
}

func TestAppendAny(t *testing.T) {
	t.Parallel()
	got := jsontext.AppendAny(nil, map[string]any{
		"b": true, "a": nil, "i": 1, "i32": int32(-2), "i64": int64(1) << 62, "s": "q\"", "l": []string{"x", "y"}, "e": []string{},
		"c": map[string]int64{"two": 2, "one": 1}, "p": point{3, 4}, "m": map[string]any{},
	})
	const want = `{"a":null,"b":true,"c":{"one":1,"two":2},"e":[],"i":1,"i32":-2,"i64":4611686018427387904,"l":["x","y"],"m":{},"p":{"x":3,"y":4},"s":"q\""}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	defer func() {
		if recover() == nil {
			t.Error("a channel was written")
		}
	}()
	jsontext.AppendAny(nil, make(chan int))
}

func TestAny(t *testing.T) {
	t.Parallel()
	got, ok := jsontext.Any([]byte(`{"a":[1,-1.5,"x",null,true],"b":{"c":12345678901234567890}}`))
	want := map[string]any{"a": []any{int64(1), -1.5, "x", nil, true}, "b": map[string]any{"c": 12345678901234567890.0}}
	if !ok || !reflect.DeepEqual(got, want) {
		t.Errorf("%#v, %t", got, ok)
	}
}

func TestAppendString(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": `""`, "a\"b\\c/": `"a\"b\\c/"`, "\b\f\n\r\t\x00\x1f\x7f": `"\b\f\n\r\t\u0000\u001f` + "\x7f\"",
		"é\u2028😀": "\"é\u2028😀\"", "a\xffb\xc3": "\"a\ufffdb\ufffd\"", "<&>": `"<&>"`,
	} {
		if got := string(jsontext.AppendString(nil, in)); got != want {
			t.Errorf("%q: %s", in, got)
		}
	}
}

func TestAppendCompact(t *testing.T) {
	t.Parallel()
	if got := string(jsontext.AppendCompact(nil, []byte("{ \"a \\\" b\" :\n[ 1 , \"\\\\\" ] }"))); got != `{"a \" b":[1,"\\"]}` {
		t.Error(got)
	}
}

// FuzzValid compares with encoding/json. That one is laxer in three ways, and stricter in depth only.
func FuzzValid(f *testing.F) {
	for _, text := range []string{`{"a":[1,-2.5e3,"\u00e9\n",true,false,null]}`, `"\ud800"`, "\"\xff\"", `1e999`, `[[[]]]`, ` [ ] `, `{"a":1,"a":2}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		ok := jsontext.Valid(b)
		if std := json.Valid(b); ok && !std {
			t.Fatalf("%q is no JSON", b)
		} else if !ok {
			lax := !utf8.Valid(b) || bytes.Contains(b, []byte(`\u`)) || bytes.ContainsAny(b, "eE") || len(b) > 128
			if std && !lax {
				t.Fatalf("%q is JSON", b)
			}
			return
		}
		compact := jsontext.AppendCompact(nil, bytes.TrimSpace(b))
		var std bytes.Buffer
		if err := json.Compact(&std, b); err != nil || std.String() != string(compact) {
			t.Fatalf("%q, %q: %v", compact, std.String(), err)
		}
		if members, err := jsontext.ParseObject(compact); err == nil {
			var std map[string]json.RawMessage
			if err := json.Unmarshal(compact, &std); err != nil {
				t.Fatal(err)
			}
			for k, v := range std {
				if got := jsontext.Get(members, k); string(got) != string(v) {
					t.Fatalf("%q: %s, want %s", k, got, v)
				}
			}
		}
		if text, ok := jsontext.String(compact); ok {
			var std string
			if err := json.Unmarshal(compact, &std); err != nil || std != text {
				t.Fatalf("%q, want %q", text, std)
			}
			if again, ok := jsontext.String(jsontext.AppendString(nil, text)); !ok || again != text {
				t.Fatalf("%q became %q", text, again)
			}
		}
	})
}
