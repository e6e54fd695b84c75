package legacy_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/legacy"
)

// seeds adds the accepted inputs of the vectors for the given bases, and some on the edge of JSON.
func seeds(f *testing.F, bases ...string) {
	var v struct{ Cases []randomCase }
	read(f, "legacy_random.json", &v)
	for _, c := range v.Cases {
		for _, base := range bases {
			if c.Base == base && !c.Reject {
				f.Add([]byte(c.JSON))
			}
		}
	}
	f.Add([]byte(`{"id":1,"id":2,"x":{"a":[1e400]}}`))
	f.Add([]byte("{\"id\":\"\\ud800\",\"name\":\"\xff\"} x"))
	f.Add([]byte(strings.Repeat("[", 200)))
}

// checkRoundTrip parses b, and asks of accepted input that what is written from it is valid, parses to the same
// storage and is written identically. Values that lose precision on the way (collection-format.md §3.8) may need a
// few rounds to come to rest.
func checkRoundTrip(t *testing.T, b []byte, base string) {
	p, err := parse(base, b)
	if err != nil {
		return
	}
	for range 8 {
		out, err := p.AppendJSON(nil)
		if err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		checkKeys(t, out)
		next, err := parse(base, out)
		if err != nil {
			t.Fatalf("%s\nwas written as\n%s\nwhich is not accepted: %v", b, out, err)
		}
		again, err := next.AppendJSON(nil)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(out, again) {
			if third, _ := parse(base, again); !reflect.DeepEqual(third, next) {
				t.Fatalf("%s\nparses to different storage each time", again)
			}
			return
		}
		p = next
	}
	t.Fatalf("%s never comes to rest", b)
}

// checkKeys fails if b is not valid JSON or if an object of the first levels has a key twice.
func checkKeys(t *testing.T, b []byte) {
	t.Helper()
	if !json.Valid(b) {
		t.Fatalf("not JSON: %s", b)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	seen := map[string]bool{}
	for depth, isKey := 0, true; d.More() || depth > 0; {
		tok, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		switch v := tok.(type) {
		case json.Delim:
			if v == '{' || v == '[' {
				depth++
			} else {
				depth--
			}
			isKey = depth == 1
		case string:
			if depth == 1 && isKey {
				if seen[v] {
					t.Fatalf("key %q twice in %s", v, b)
				}
				seen[v], isKey = true, false
				continue
			}
			isKey = depth == 1
		default:
			isKey = depth == 1
		}
	}
}

func FuzzParseNotetype(f *testing.F) {
	seeds(f, "nt")
	f.Fuzz(func(t *testing.T, b []byte) { checkRoundTrip(t, b, "nt") })
}

func FuzzParseDeck(f *testing.F) {
	seeds(f, "deck", "fdeck")
	f.Fuzz(func(t *testing.T, b []byte) { checkRoundTrip(t, b, "deck") })
}

func FuzzParseDeckConfig(f *testing.F) {
	seeds(f, "dconf")
	f.Fuzz(func(t *testing.T, b []byte) { checkRoundTrip(t, b, "dconf") })
}

// FuzzBlobs writes objects from arbitrary blobs: nothing may panic, and what is written must be valid and accepted.
func FuzzBlobs(f *testing.F) {
	var v struct{ Cases []storageCase }
	read(f, "storage_to_json.json", &v)
	for _, c := range v.Cases {
		switch s := c.stored(f).(type) {
		case *legacy.DeckConfig:
			f.Add("c", s.Config, []byte(nil), []byte(nil))
		case *legacy.Deck:
			f.Add(s.Name, s.Common, s.Kind, []byte(nil))
		case *legacy.Notetype:
			f.Add("n\xff", s.Config, s.Fields[0].Config, s.Templates[0].Config)
		}
	}
	f.Add("groups", []byte("\x0b\x13\x08\x01\x14\x0c"), []byte("\x0a\x00\x1b"), []byte("\x00"))
	f.Fuzz(func(t *testing.T, name string, a, b, c []byte) {
		checkWritten(t, "dconf", &legacy.DeckConfig{Name: name, Config: a})
		checkWritten(t, "deck", &legacy.Deck{Name: name, Common: a, Kind: b})
		checkWritten(t, "nt", &legacy.Notetype{
			Name: name, Config: a,
			Fields:    []legacy.Field{{Name: name, Config: b}},
			Templates: []legacy.Template{{Name: name, Config: c}},
		})
		legacy.SortField(a)
	})
}

func checkWritten(t *testing.T, base string, p parsed) {
	t.Helper()
	out, err := p.AppendJSON(nil)
	if err != nil {
		return
	}
	checkKeys(t, out)
	if _, err := parse(base, out); err != nil {
		t.Errorf("%s\nis not accepted: %v", out, err)
	}
}
