package legacy_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/legacy"
)

func read(t testing.TB, name string, into any) {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		t.Fatal(err)
	}
}

// parsed is what all three kinds of objects have in common for the tests.
type parsed interface {
	AppendJSON(dst []byte) ([]byte, error)
}

func parse(base string, b []byte) (parsed, error) {
	switch base {
	case "nt":
		return legacy.ParseNotetype(b)
	case "dconf":
		return legacy.ParseDeckConfig(b)
	}
	return legacy.ParseDeck(coretest.Text{}, b)
}

// blobs returns what an object stores, in hex, in the order of the vectors' members.
func blobs(p parsed) storedBlobs {
	switch v := p.(type) {
	case *legacy.Notetype:
		s := storedBlobs{Config: hex.EncodeToString(v.Config)}
		for _, f := range v.Fields {
			s.Fields = append(s.Fields, hex.EncodeToString(f.Config))
		}
		for _, f := range v.Templates {
			s.Templates = append(s.Templates, hex.EncodeToString(f.Config))
		}
		return s
	case *legacy.Deck:
		return storedBlobs{Common: hex.EncodeToString(v.Common), Kind: hex.EncodeToString(v.Kind)}
	case *legacy.DeckConfig:
		return storedBlobs{Config: hex.EncodeToString(v.Config)}
	}
	return storedBlobs{}
}

type storedBlobs struct {
	Config, Common, Kind string
	Fields, Templates    []string
}

type legacyVectors struct {
	Bases map[string]map[string]any
	Cases []legacyCase
}

type legacyCase struct {
	Base, Path string
	Value      any
	Set        map[string]any
	Remove     bool
	Reject     bool
	Stored     storedBlobs
	SentBack   map[string]any `json:"sent_back"`
}

func (c legacyCase) String() string {
	v, _ := json.Marshal(c.Value)
	switch {
	case c.Set != nil:
		v, _ = json.Marshal(c.Set)
	case c.Remove:
		v = []byte("removed")
	}
	return fmt.Sprintf("%s %s %s", c.Base, c.Path, v)
}

// input makes the object that was sent. Numbers keep their text.
func (c legacyCase) input(t *testing.T, bases map[string]map[string]any) []byte {
	t.Helper()
	o := clone(t, bases[c.Base])
	for k, v := range c.Set {
		o[k] = v
	}
	if c.Path != "" {
		keys := strings.Split(c.Path, ".")
		var at any = o
		for _, k := range keys[:len(keys)-1] {
			at = child(at, k)
		}
		if last := keys[len(keys)-1]; c.Remove {
			delete(at.(map[string]any), last)
		} else {
			at.(map[string]any)[last] = c.Value
		}
	}
	b, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func child(v any, key string) any {
	if list, ok := v.([]any); ok {
		i, _ := strconv.Atoi(key)
		return list[i]
	}
	return v.(map[string]any)[key]
}

func clone(t *testing.T, o map[string]any) (out map[string]any) {
	t.Helper()
	b, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return decode(t, b)
}

func decode(t testing.TB, b []byte) (out map[string]any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&out); err != nil {
		t.Fatalf("%v in %s", err, b)
	}
	return out
}

// sameJSON compares values; numbers are equal if they are as text or as float32, in which the protocol has them.
func sameJSON(a, b any) bool {
	switch x := a.(type) {
	case json.Number:
		y, ok := b.(json.Number)
		if !ok {
			return false
		}
		fx, _ := strconv.ParseFloat(x.String(), 32)
		fy, _ := strconv.ParseFloat(y.String(), 32)
		isInt := !strings.ContainsAny(x.String()+y.String(), ".eE")
		return x == y || !isInt && fx == fy
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for k, v := range x {
			w, ok := y[k]
			if !ok || !sameJSON(v, w) {
				return false
			}
		}
		return true
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !sameJSON(x[i], y[i]) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(a, b)
}

// sameBlob compares blobs in hex, the members of "other" without regard to their order.
func sameBlob(t *testing.T, a, b string) bool {
	t.Helper()
	if a == b {
		return true
	}
	const other = "fa0f"
	headA, restA, okA := strings.Cut(a, other)
	headB, restB, okB := strings.Cut(b, other)
	return okA && okB && headA == headB && sameJSON(object(t, restA), object(t, restB))
}

func object(t *testing.T, h string) any {
	t.Helper()
	b, err := hex.DecodeString(h)
	if err != nil {
		t.Fatal(err)
	}
	return decode(t, b[bytes.IndexByte(b, '{'):])
}

func sameBlobs(t *testing.T, a, b storedBlobs) bool {
	t.Helper()
	listA := append(append([]string{a.Config, a.Common, a.Kind}, a.Fields...), a.Templates...)
	listB := append(append([]string{b.Config, b.Common, b.Kind}, b.Fields...), b.Templates...)
	if len(a.Fields) != len(b.Fields) || len(listA) != len(listB) {
		return false
	}
	for i := range listA {
		if !sameBlob(t, listA[i], listB[i]) {
			return false
		}
	}
	return true
}

// TestLegacyVectors has what the real server stored for each object that it was sent, and what it sent later.
func TestLegacyVectors(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"legacy_json.json"} {
		var v legacyVectors
		read(t, name, &v)
		for _, c := range v.Cases {
			c.check(t, v.Bases)
		}
	}
}

func (c legacyCase) check(t *testing.T, bases map[string]map[string]any) {
	t.Helper()
	in := c.input(t, bases)
	p, err := parse(c.Base, in)
	if c.Reject || err != nil {
		if !c.Reject || !errors.Is(err, fault.DamagedDownload) {
			t.Errorf("%v: error %v, want rejection: %t", c, err, c.Reject)
		}
		return
	}
	if got := blobs(p); !sameBlobs(t, got, c.Stored) {
		t.Errorf("%v:\n got %v\nwant %v", c, got, c.Stored)
	}
	out, err := p.AppendJSON(nil)
	if err != nil {
		t.Errorf("%v: %v", c, err)
		return
	}
	if len(c.SentBack) == 0 {
		return // stored with a usn for which the server does not send it
	}
	got := decode(t, out)
	for k, want := range c.SentBack {
		if !sameJSON(got[k], want) {
			t.Errorf("%v: sent back %q: %v, want %v", c, k, got[k], want)
		}
	}
	for k, was := range bases[c.Base] {
		_, listed := c.SentBack[k]
		if c.Base == "both" && k == "conf" {
			continue // a key of the other kind, which is not sent on
		}
		if !listed && k != "id" && k != "name" && !sameJSON(got[k], was) {
			t.Errorf("%v: sent back %q: %v, want %v as in the base", c, k, got[k], was)
		}
	}
	for k := range got {
		_, inBase := bases[c.Base][k]
		if _, listed := c.SentBack[k]; !listed && !inBase {
			t.Errorf("%v: sent back %q, which the real program did not", c, k)
		}
	}
}

type storageCase struct {
	Kind      string
	Config    string
	Common    string
	Container string `json:"kind_container"`
	Fields    []string
	Templates []string
	JSON      map[string]any
}

// TestStorageVectors has what the real server sent for blobs that were written into its file.
func TestStorageVectors(t *testing.T) {
	t.Parallel()
	var v struct{ Cases []storageCase }
	read(t, "storage_to_json.json", &v)
	for _, c := range v.Cases {
		out, err := c.stored(t).AppendJSON(nil)
		if err != nil {
			t.Errorf("%s %s: %v", c.Kind, c.JSON["name"], err)
			continue
		}
		if got := decode(t, out); !sameJSON(got, withoutNull(c.JSON)) {
			t.Errorf("%s %s:\n got %v\nwant %v", c.Kind, c.JSON["name"], got, c.JSON)
		}
		if again, _ := c.stored(t).AppendJSON([]byte("[")); string(again) != "["+string(out) {
			t.Errorf("%s %s: not deterministic:\n%s\n%s", c.Kind, c.JSON["name"], out, again)
		}
	}
}

func (c storageCase) stored(t testing.TB) parsed {
	t.Helper()
	unhex := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	id, _ := c.JSON["id"].(json.Number).Int64()
	name := c.JSON["name"].(string)
	switch c.Kind {
	case "deck config":
		return &legacy.DeckConfig{ID: id, Name: name, Config: unhex(c.Config)}
	case "deck":
		native := strings.ReplaceAll(name, "::", "\x1f")
		return &legacy.Deck{ID: id, Name: native, Common: unhex(c.Common), Kind: unhex(c.Container)}
	}
	n := &legacy.Notetype{ID: id, Name: name, Config: unhex(c.Config)}
	for _, f := range c.Fields {
		n.Fields = append(n.Fields, legacy.Field{Name: "F", Config: unhex(f)})
	}
	for _, f := range c.Templates {
		n.Templates = append(n.Templates, legacy.Template{Name: "T", Config: unhex(f)})
	}
	return n
}
