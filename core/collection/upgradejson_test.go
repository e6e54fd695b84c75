package collection

import (
	"encoding/json"
	"testing"
)

func TestCollapse(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		` {"a" : 1 , "b":[ 1 , {"x":1,"x":2} ],"a":3}`: `{"a":3,"b":[1,{"x":2}]}`,
		`{}`: `{}`, `[]`: `[]`, ` [ ] `: `[]`, `"\u00e9 x"`: `"\u00e9 x"`, "\t1.50e3": `1.50e3`, `null`: `null`,
		`{"\u0061":1,"a":2}`: `{"a":2}`, `{"a":{"a":{"a":[[]]}}}`: `{"a":{"a":{"a":[[]]}}}`,
	} {
		got, err := collapse(json.RawMessage(in))
		if err != nil || string(got) != want {
			t.Errorf("%s: %s, %v; want %s", in, got, err, want)
		}
	}
}

func TestMembers(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"", "null", "[]", "5", `"x"`, `{"a"}`, `{"a":1`, `{} {}`, `{"a":1,}`, "{\"a\":\x00}"} {
		if list, err := members([]byte(in)); err == nil {
			t.Errorf("%q: %v", in, list)
		}
	}
	if text, err := textMember([]byte(`{"Name":"no","name":"yes","NAME":"no"}`), "name"); err != nil || text != "yes" {
		t.Error(text, err)
	}
}

// FuzzCollapse checks that the result is JSON of the same meaning, and stays as it is.
func FuzzCollapse(f *testing.F) {
	f.Add([]byte(` {"a" : 1 , "b":[ 1 , {"x":1,"x":2} ],"a":3}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		if !json.Valid(in) {
			return
		}
		once, err := collapse(in)
		if err != nil {
			t.Fatal(err)
		}
		twice, err := collapse(once)
		if err != nil || string(once) != string(twice) || !json.Valid(once) {
			t.Fatalf("%s: %s, %s, %v", in, once, twice, err)
		}
	})
}
