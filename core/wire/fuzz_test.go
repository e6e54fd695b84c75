package wire_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/wire"
)

// Every decoder refuses a text with fault.DamagedDownload and nothing else, or returns a value whose text is read as
// the same value and written as the same text. What it accepts is valid JSON to another decoder as well.

// refusal checks an error that a decoder returned for b.
func refusal(t *testing.T, b []byte, err error) {
	t.Helper()
	if !errors.Is(err, fault.DamagedDownload) {
		t.Errorf("refused with %v", err)
	}
}

// valid checks a text that a decoder accepted.
func valid(t *testing.T, b []byte) {
	t.Helper()
	if !json.Valid(b) {
		t.Errorf("accepted %q", b)
	}
}

// seed adds the recorded texts of some methods, at most a few kilobytes each.
func seed(f *testing.F, text func(exchange) json.RawMessage) {
	f.Helper()
	for _, e := range exchanges(f) {
		if b := text(e); b != nil && len(b) < 4<<10 {
			f.Add([]byte(b))
		}
	}
}

func FuzzParseChunk(f *testing.F) {
	for _, c := range goodChunks {
		f.Add([]byte(c.text))
	}
	for _, c := range badChunks {
		f.Add([]byte(c.text))
	}
	seed(f, func(e exchange) json.RawMessage {
		if e.Method == "chunk" {
			return e.Response
		}
		return nil
	})
	f.Fuzz(func(t *testing.T, b []byte) {
		input := bytes.Clone(b)
		var c, again wire.Chunk
		err := wire.ParseChunk(input, &c)
		if !bytes.Equal(b, input) {
			t.Error("the input has changed")
		}
		if err != nil {
			refusal(t, b, err)
			if !reflect.DeepEqual(c, wire.Chunk{Revlog: c.Revlog[:0], Cards: c.Cards[:0], Notes: c.Notes[:0]}) {
				t.Errorf("an error and %+v", c)
			}
			return
		}
		valid(t, b)
		text := wire.AppendChunk(nil, &c)
		clear(input) // strings must not change with it
		if err := wire.ParseChunk(text, &again); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		if got := wire.AppendChunk(nil, &again); !bytes.Equal(got, text) || again.Len() != c.Len() {
			t.Errorf("wrote\n%s\nthen\n%s", text, got)
		}
	})
}

func FuzzParseGraves(f *testing.F) {
	for _, text := range []string{goodGraves, `{"cards":[1,-2],"x":{},"decks":[9223372036854775807],"notes":[ 3 ]}`, `{"cards":[1.5]}`, `{"cards":[1,]}`, `{"cards":null}`, `[`} {
		f.Add([]byte(text))
	}
	seed(f, func(e exchange) json.RawMessage {
		if e.Method == "start" {
			return e.Response
		}
		return nil
	})
	f.Fuzz(func(t *testing.T, b []byte) {
		g, err := wire.ParseGraves(b)
		if err != nil {
			refusal(t, b, err)
			return
		}
		valid(t, b)
		text := wire.AppendGraves(nil, g)
		again, err := wire.ParseGraves(text)
		if err != nil || !reflect.DeepEqual(again, g) || !bytes.Equal(wire.AppendGraves(nil, again), text) {
			t.Errorf("%+v, then %+v, %v", g, again, err)
		}
	})
}

func FuzzParseChanges(f *testing.F) {
	for _, text := range []string{
		goodChanges, with(goodChanges, "{", `{"conf":null,"crt":null,`), with(goodChanges, "{", `{"conf":{"a":1,"b":[ {} ],"a":"\u00e9"},"crt":-5,`),
		with(goodChanges, `"models":[]`, `"models":[{"a":{}}]`), with(goodChanges, `"tags":[]`, `"tags":["\ud83d\ude00"]`), with(goodChanges, "[[],[]]", "[[]]"),
	} {
		f.Add([]byte(text))
	}
	seed(f, func(e exchange) json.RawMessage {
		if e.Method == "applyChanges" {
			return e.Response
		}
		return nil
	})
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := wire.ParseChanges(b)
		if err != nil {
			refusal(t, b, err)
			if c != nil {
				t.Errorf("an error and %+v", c)
			}
			return
		}
		valid(t, b)
		text := wire.AppendChanges(nil, c)
		valid(t, text)
		again, err := wire.ParseChanges(text)
		if err != nil || !reflect.DeepEqual(again, c) || !bytes.Equal(wire.AppendChanges(nil, again), text) {
			t.Errorf("%s, then %+v, %v", text, again, err)
		}
	})
}

func FuzzParseMeta(f *testing.F) {
	for _, text := range []string{
		goodMeta, with(goodMeta, "{", `{"empty":true,"cardferry":{"slice":2000,"keeps_backup":true,"events":true},`), with(goodMeta, "{", `{"cardferry":{"slice":-1,"events":0},`),
		with(goodMeta, `"m"`, `"\ud83d\ude00"`), with(goodMeta, ":3", ":-1"), with(goodMeta, ":3", ":1e3"),
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := wire.ParseMeta(b)
		if err != nil {
			refusal(t, b, err)
			if m != (wire.Meta{}) {
				t.Errorf("an error and %+v", m)
			}
			return
		}
		valid(t, b)
		if again, err := wire.ParseMeta(metaJSON(t, m)); err != nil || again != m {
			t.Errorf("%+v, then %+v, %v", m, again, err)
		}
	})
}

func FuzzParseSanity(f *testing.F) {
	for _, text := range []string{`{"status":"ok","c":[[0,0,0],1,2,3,0,5,6,7],"s":null}`, `{"status":"bad","c":[[0,0,0],1],"s":{}}`, `{"status":"maybe"}`, `{}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := wire.ParseSanity(b)
		if err != nil {
			refusal(t, b, err)
			return
		}
		valid(t, b)
		if r.Client != nil {
			text := append(append([]byte(`{"status":"ok","c":`), member(t, wire.SanityRequest(*r.Client), "client")...), '}')
			if again, err := wire.ParseSanity(text); err != nil || !reflect.DeepEqual(again.Client, r.Client) {
				t.Errorf("%+v, then %+v, %v", r.Client, again.Client, err)
			}
		}
	})
}

func FuzzParseFinish(f *testing.F) {
	for _, text := range []string{"1764000260123", " 1\n", "0", "-0", "1.0", "[", `"`, "01"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		at, err := wire.ParseFinish(b)
		if err != nil {
			refusal(t, b, err)
			return
		}
		if want, _ := json.Marshal(at); !bytes.Equal(bytes.Trim(b, " \t\r\n"), want) {
			t.Errorf("%q read as %d", b, at)
		}
	})
}

func FuzzParseLogin(f *testing.F) {
	for _, text := range []string{`{"key":"5d1c"}`, `{"key":""}`, `{"key":"\ud83d\ude00","x":[]}`, `{"key":null}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		key, err := wire.ParseLogin(b)
		if err != nil {
			refusal(t, b, err)
			return
		}
		valid(t, b)
		// The key goes into a header.
		header := wire.Header(key, "c", "s", 0)
		for _, c := range []byte(header) {
			if c < ' ' || c > '~' {
				t.Errorf("header %q", header)
			}
		}
		if got := decode[string](t, member(t, []byte(header), "k")); got != key {
			t.Errorf("key %q in the header is %q", key, got)
		}
	})
}

// FuzzCardData: the result is an object that stays as it is.
func FuzzCardData(f *testing.F) {
	for _, c := range cardDataProbes {
		f.Add(c[0])
	}
	f.Fuzz(func(t *testing.T, data string) {
		got := wire.CardData(data)
		valid(t, []byte(got))
		if again := wire.CardData(got); again != got && !bytes.Contains([]byte(got), []byte("null")) {
			// Rounding moves very large numbers a second time, the reference as well; nothing else may change.
			if len(member(t, []byte(again), "cd")) != len(member(t, []byte(got), "cd")) || !reflect.DeepEqual(member(t, []byte(again), "lrt"), member(t, []byte(got), "lrt")) {
				t.Errorf("%s, then %s, then %s", data, got, again)
			}
		}
	})
}

// FuzzDecompress: whatever comes is refused, or is a payload within the limit that the stream reader agrees on.
func FuzzDecompress(f *testing.F) {
	for _, frame := range recordedFrames(f) {
		f.Add(frame)
		f.Add(append(bytes.Clone(frame), "rest"...))
	}
	codec := wire.NewCodec()
	for _, text := range []string{"", "{}", string(recordedPayload())} {
		f.Add(codec.Compress(nil, []byte(text)))
	}
	const limit = 1 << 20
	f.Fuzz(func(t *testing.T, b []byte) {
		codec := wire.NewCodec()
		out, err := codec.Decompress(nil, b, limit)
		z, zerr := wire.NewReader(bytes.NewReader(b))
		if zerr != nil {
			t.Fatal(zerr)
		}
		streamed, zerr := io.ReadAll(io.LimitReader(z, limit+1))
		if zerr != nil {
			refusal(t, b, zerr)
		}
		if err != nil {
			refusal(t, b, err)
			if out != nil {
				t.Errorf("an error and %d bytes", len(out))
			}
			return
		}
		if len(out) > limit || zerr != nil || !bytes.Equal(out, streamed) {
			t.Errorf("%d bytes, streamed %d bytes and %v", len(out), len(streamed), zerr)
		}
		if again, err := codec.Decompress(nil, codec.Compress(nil, out), limit); err != nil || !bytes.Equal(again, out) {
			t.Errorf("compressed again: %d bytes, %v", len(again), err)
		}
	})
}
