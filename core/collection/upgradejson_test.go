package collection

import (
	"encoding/json"
	"testing"

	"github.com/cardferry/cardferry/core/jsontext"
)

func TestCollapse(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"a" : 1 , "b":[ 1 , {"x":1,"x":2} ],"a":3}`: `{"a":3,"b":[1,{"x":2}]}`,
		`{}`: `{}`, `[ ]`: `[]`, `"\u00e9 x"`: `"\u00e9 x"`, `1.50e3`: `1.50e3`, `null`: `null`,
		`{"\u0061":1,"a":2}`: `{"a":2}`, `{"a":{"a":{"a":[[],{},""]}}}`: `{"a":{"a":{"a":[[],{},""]}}}`,
	} {
		if got := appendCollapsed(nil, []byte(in)); string(got) != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func TestTextMember(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"Name":"no","name":"yes","NAME":"no"}`: "yes", `{"name":1}`: "", `{}`: "", `[]`: "", `{"name":"a","name":"b"}`: "b",
	} {
		if got := textMember([]byte(in), "name"); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

// FuzzCollapse checks that the result means the same to a decoder for which the last of equal keys counts.
func FuzzCollapse(f *testing.F) {
	f.Add([]byte(` {"a" : 1 , "b":[ 1 , {"x":1,"x":2} ],"a":3}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		members, err := jsontext.ParseObject(in)
		if err != nil {
			return
		}
		for _, m := range members {
			once := appendCollapsed(nil, m.Raw)
			if twice := appendCollapsed(nil, once); string(once) != string(twice) {
				t.Fatalf("%s: %s, then %s", in, once, twice)
			}
			if got, want := canonicalJSON(t, once), canonicalJSON(t, m.Raw); got != want {
				t.Fatalf("%s: %s, want %s", in, got, want)
			}
		}
	})
}

func canonicalJSON(t *testing.T, raw []byte) string {
	t.Helper()
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
