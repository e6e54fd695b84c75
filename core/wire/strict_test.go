package wire_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/wire"
)

// row returns a chunk of one row of the given kind with element i replaced by text, or one element more (i = -1) or
// less (i = -2).
func row(kind string, i int, text string) string {
	rows := map[string][]string{
		"revlog": {"1", "2", "3", "1", "0", "0", "0", "0", "0"},
		"cards":  {"1", "2", "3", "0", "5", "6", "0", "0", "0", "0", "0", "0", "0", "0", "0", "0", "0", `"{}"`},
		"notes":  {"1", `"g"`, "2", "3", "4", `""`, `"a"`, `""`, `""`, "0", `""`},
	}
	r := slices.Clone(rows[kind])
	switch i {
	case -1:
		r = append(r, text)
	case -2:
		r = r[:len(r)-1]
	default:
		r[i] = text
	}
	return fmt.Sprintf(`{"done":true,%q:[[%s]]}`, kind, strings.Join(r, ","))
}

// goodChunks are read as if they were the chunk behind them.
var goodChunks = []struct{ name, text, same string }{
	{"nothing", `{}`, `{"done":false}`},
	{"white space", " {\t\"done\" :\r true , \"cards\" : [ ] } \n", `{"done":true}`},
	{"white space in a row", strings.ReplaceAll(row("cards", 0, "1"), ",", " ,\n "), row("cards", 0, "1")},
	{"unknown members", `{"x":[{"y":[1,null,"z",{}]},-1.5e+3],"done":true,"x":false}`, `{"done":true}`},
	{"escaped key", `{"d\u006fne":true}`, `{"done":true}`},
	{"surrogate pair", row("cards", 17, `"\ud83d\ude00"`), row("cards", 17, `"😀"`)},
	{"all escapes", row("notes", 6, `"\"\\\/\b\f\n\r\t\u00e9\u001F"`), row("notes", 6, `"\"\\/\b\f\n\r\té\u001f"`)},
	{"U+FFFD", row("notes", 6, `"\ufffd�"`), row("notes", 6, `"��"`)},
	// Sent to the real server of 26.9.3 as well (the others of its kind are in wire_ranges.json):
	{"ivl above 2^31", row("cards", 9, "2147483653"), row("cards", 9, "2147483653")},
	{"ivl of 32 bits and more", row("cards", 9, "6442450949"), row("cards", 9, "2147483653")},
	{"ivl negative, low bits positive", row("cards", 9, "-4294967291"), row("cards", 9, "0")},
	{"ivl huge", row("cards", 9, "1e30"), row("cards", 9, "4294967295")},
	{"ivl of 64 bits", row("cards", 9, "18446744073709551615"), row("cards", 9, "4294967295")},
	{"due of 64 bits", row("cards", 8, "18446744073709551621"), row("cards", 8, "-1")},
	{"due -0", row("cards", 8, "-0"), row("cards", 8, "0")},
	{"due tiny", row("cards", 8, "5e-400"), row("cards", 8, "0")},
	{"mod hugely negative", row("cards", 4, "-1e30"), row("cards", 4, "-9223372036854775808")},
	{"mod of 64 bits", row("cards", 4, "18446744073709551615"), row("cards", 4, "9223372036854775807")},
	{"factor of 32 bits and more", row("revlog", 6, "6442450949"), row("revlog", 6, "2147483653")},
	{"review type float", row("revlog", 8, "1.0"), row("revlog", 8, "0")},
	{"review type -0", row("revlog", 8, "-0"), row("revlog", 8, "0")},
	{"review type huge", row("revlog", 8, "18446744073709551616"), row("revlog", 8, "0")},
	{"review type array", row("revlog", 8, "[[[1]]]"), row("revlog", 8, "0")},
	// Ours only:
	{"ends of 64 bits", row("cards", 0, "-9223372036854775808"), row("cards", 0, "-9223372036854775808")},
	{"19 digits", row("cards", 0, "9223372036854775807"), row("cards", 0, "9223372036854775807")},
	{"sort field as a number", row("notes", 7, "17"), row("notes", 7, `""`)},
	{"checksum as a number", row("notes", 8, "1.5"), row("notes", 8, `""`)},
	{"sort field of any kind", row("notes", 7, `{"a":[null]}`), row("notes", 7, `""`)},
}

// badChunks are refused.
var badChunks = []struct{ name, text string }{
	{"empty", ""}, {"array", "[]"}, {"null", "null"}, {"number", "5"}, {"open", "{"}, {"key only", `{"done"`}, {"no value", `{"done":}`},
	{"comma at the end", `{"done":true,}`}, {"comma first", `{,"done":true}`}, {"two values", `{"done":true}{}`}, {"rest", `{"done":true} x`},
	{"byte order mark", "\ufeff{}"}, {"NUL after the end", "{}\x00"}, {"NUL for a value", "{\"done\":\x00}"},
	{"done null", `{"done":null}`}, {"done 1", `{"done":1}`}, {"done text", `{"done":"true"}`}, {"done cut", `{"done":tru}`},
	{"done twice", `{"done":true,"done":true}`}, {"cards twice", `{"cards":[],"cards":[]}`}, {"cards twice, escaped", `{"cards":[],"c\u0061rds":[]}`},
	{"cards null", `{"cards":null}`}, {"cards object", `{"cards":{}}`}, {"card object", `{"cards":[{}]}`}, {"card null", `{"cards":[null]}`},
	{"empty card", `{"cards":[[]]}`}, {"array open", `{"cards":[`}, {"row open", `{"cards":[[1`}, {"comma in array", `{"cards":[,]}`},
	{"comma after row", strings.Replace(row("cards", 0, "1"), "]]", "],]", 1)}, {"key without quotes", `{done:true}`},
	{"revlog too long", row("revlog", -1, "0")}, {"card too long", row("cards", -1, "0")}, {"note too long", row("notes", -1, "0")},
	{"revlog too short", row("revlog", -2, "")}, {"card too short", row("cards", -2, "")}, {"note too short", row("notes", -2, "")},
	{"no UTF-8", row("notes", 6, "\"\xff\"")}, {"cut UTF-8", row("notes", 6, "\"\xe6\x97\"")}, {"surrogate in UTF-8", row("notes", 6, "\"\xed\xa0\x80\"")},
	{"overlong UTF-8", row("notes", 6, "\"\xc0\x80\"")},
	{"high surrogate", row("notes", 6, `"\ud83d"`)}, {"high surrogate and text", row("notes", 6, `"\ud83dabcdef"`)}, {"two high surrogates", row("notes", 6, `"\ud83d\ud83d"`)},
	{"low surrogate", row("notes", 6, `"\ude00"`)}, {"surrogates swapped", row("notes", 6, `"\ude00\ud83d"`)},
	{"unknown escape", row("notes", 6, `"\x41"`)}, {"half an escape", row("notes", 6, `"\u12"`)}, {"escape of no hex", row("notes", 6, `"\u12g4"`)},
	{"open string", `{"x":"`}, {"open escape", `{"x":"\`}, {"control character", row("notes", 6, "\"a\x1fb\"")}, {"line feed", row("notes", 6, "\"\n\"")},
	{"leading zero", row("cards", 0, "01")}, {"plus", row("cards", 0, "+1")}, {"minus alone", row("cards", 0, "-")}, {"hexadecimal", row("cards", 0, "0x1")},
	{"id float", row("cards", 0, "1.0")}, {"id exponent", row("cards", 0, "1e3")}, {"id -0", row("cards", 0, "-0")}, {"id of 65 bits", row("cards", 0, "9223372036854775808")},
	{"id text", row("cards", 0, `"1"`)}, {"id null", row("cards", 0, "null")}, {"id missing", row("cards", 0, "")}, {"id two", row("cards", 0, "1 2")},
	{"point without digits", row("cards", 8, "1.")}, {"point first", row("cards", 8, ".5")}, {"exponent without digits", row("cards", 8, "1e")}, {"NaN", row("cards", 8, "NaN")},
	{"due beyond floats", row("cards", 8, "1e400")}, {"due bool", row("cards", 8, "true")}, {"due leading zero", row("cards", 8, "00")}, {"due -01", row("cards", 8, "-01.5")},
	{"review type beyond floats", row("revlog", 8, "1e400")}, {"review type missing", row("revlog", 8, "")}, {"review type of bad text", row("revlog", 8, `"\ud800"`)},
	{"usn of 33 bits", row("cards", 5, "2147483648")}, {"usn float", row("cards", 5, "5.0")},
	{"pending revlog", row("revlog", 2, "-1")}, {"pending card", row("cards", 5, "-1")}, {"pending note", row("notes", 4, "-1")},
	{"reps negative", row("cards", 11, "-1")}, {"reps -0", row("cards", 11, "-0")}, {"ease negative", row("revlog", 3, "-1")}, {"ease 256", row("revlog", 3, "256")},
	{"note mod float", row("notes", 3, "1.5")}, {"guid number", row("notes", 1, "5")}, {"tags null", row("notes", 5, "null")}, {"fields missing", row("notes", 6, "")},
	{"note flags text", row("notes", 9, `"0"`)}, {"note flags negative", row("notes", 9, "-1")}, {"note data number", row("notes", 10, "0")},
	{"unknown member broken", `{"x":[1,}`}, {"unknown member of no UTF-8", "{\"x\":\"\xff\"}"}, {"unknown member with a lone surrogate", `{"x":"\ud800"}`},
	{"unknown member mismatched", `{"x":[}]}`}, {"unknown member too deep", `{"x":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}`},
	{"sort field too deep", row("notes", 7, strings.Repeat(`[{"a":`, 100))},
}

func TestParseChunkAccepts(t *testing.T) {
	t.Parallel()
	for _, c := range goodChunks {
		var got, want wire.Chunk
		if err := wire.ParseChunk([]byte(c.text), &got); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if err := wire.ParseChunk([]byte(c.same), &want); err != nil {
			t.Errorf("%s: %v", c.same, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n%+v\n%+v", c.name, got, want)
		}
		if text := wire.AppendChunk(nil, &got); string(text) != c.same {
			t.Errorf("%s: written as\n%s\n%s", c.name, text, c.same)
		}
	}
}

func TestParseChunkRefuses(t *testing.T) {
	t.Parallel()
	// Each is read into a chunk that was used before, of which nothing may be left.
	var c wire.Chunk
	for _, bad := range badChunks {
		if err := wire.ParseChunk(wire.AppendChunk(nil, benchChunk()), &c); err != nil {
			t.Fatal(err)
		}
		err := wire.ParseChunk([]byte(bad.text), &c)
		if !errors.Is(err, fault.DamagedDownload) {
			t.Errorf("%s: %v", bad.name, err)
		}
		if c.Done || c.Len() != 0 {
			t.Errorf("%s: an error and %d rows", bad.name, c.Len())
		}
	}
}

// TestParseChunkPrefixes cuts a chunk at every byte.
func TestParseChunkPrefixes(t *testing.T) {
	t.Parallel()
	one := benchChunk()
	one.Revlog, one.Cards, one.Notes = one.Revlog[:2], one.Cards[:2], one.Notes[:2]
	text := wire.AppendChunk(nil, one)
	var c wire.Chunk
	for i := range text {
		if err := wire.ParseChunk(text[:i:i], &c); !errors.Is(err, fault.DamagedDownload) {
			t.Errorf("%d bytes: %v", i, err)
		}
	}
}

func TestParseChunkKeepsNothingOfItsInput(t *testing.T) {
	t.Parallel()
	want := benchChunk()
	text := wire.AppendChunk(nil, want)
	var first, second wire.Chunk
	if err := wire.ParseChunk(text, &first); err != nil {
		t.Fatal(err)
	}
	kept := slices.Clone(first.Notes)
	clear(text)
	if err := wire.ParseChunk(wire.AppendChunk(nil, want), &second); err != nil {
		t.Fatal(err)
	}
	// Reading another one into first must not change strings that were taken out of it.
	if err := wire.ParseChunk([]byte(strings.ReplaceAll(string(wire.AppendChunk(nil, want)), "Hund", "Katz")), &first); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(kept, want.Notes) || !reflect.DeepEqual(&second, want) {
		t.Error("strings have changed")
	}
}

func TestEndlessNesting(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", 1<<20)
	object := strings.Repeat(`{"a":`, 1<<18)
	for _, open := range []string{deep, object, strings.Repeat(`[{"a":`, 1<<18)} {
		var c wire.Chunk
		_, gerr := wire.ParseGraves([]byte(`{"cards":` + open))
		_, cerr := wire.ParseChanges([]byte(`{"models":[],"tags":[],"decks":[[],[]],"conf":{"x":` + open))
		_, merr := wire.ParseMeta([]byte(open))
		_, serr := wire.ParseSanity([]byte(`{"status":"ok","c":` + open))
		_, ferr := wire.ParseFinish([]byte(open))
		_, lerr := wire.ParseLogin([]byte(`{"key":` + open))
		for i, err := range []error{wire.ParseChunk([]byte(`{"x":`+open), &c), wire.ParseChunk([]byte(row("notes", 7, open)), &c), gerr, cerr, merr, serr, ferr, lerr} {
			if !errors.Is(err, fault.DamagedDownload) {
				t.Errorf("%d %.6s: %v", i, open, err)
			}
		}
		if got := wire.CardData(`{"pos":1,"x":` + open); got != "{}" {
			t.Errorf("card data %.6s: %s", open, got)
		}
	}
}

// TestWrongTypes puts a value of every JSON type into every element of every row: what is accepted is exactly what
// §9.4 to §9.6 allow.
func TestWrongTypes(t *testing.T) {
	t.Parallel()
	values := []struct{ class, text string }{
		{"i", "7"}, {"f", "1.5"}, {"s", `"x"`}, {"x", "null"}, {"x", "true"}, {"x", "[1]"}, {"x", `{"a":1}`},
	}
	// Per element the classes it takes: i integers, f floats, s strings, x anything else.
	allowed := map[string][]string{
		"revlog": {"i", "i", "i", "i", "if", "if", "if", "if", "ifsx"},
		"cards":  {"i", "i", "i", "i", "if", "i", "", "", "if", "if", "i", "i", "i", "i", "if", "i", "i", "s"},
		"notes":  {"i", "s", "i", "i", "i", "s", "s", "ifsx", "ifsx", "i", "s"},
	}
	for kind, classes := range allowed {
		for i, class := range classes {
			for _, v := range values {
				var c wire.Chunk
				err := wire.ParseChunk([]byte(row(kind, i, v.text)), &c)
				if ok := strings.Contains(class, v.class); ok != (err == nil) {
					t.Errorf("%s element %d = %s: %v", kind, i, v.text, err)
				}
				if err != nil && !errors.Is(err, fault.DamagedDownload) {
					t.Errorf("%s element %d = %s: %v", kind, i, v.text, err)
				}
				if err == nil && !json.Valid(wire.AppendChunk(nil, &c)) {
					t.Errorf("%s element %d = %s: written as no JSON", kind, i, v.text)
				}
			}
		}
	}
}
