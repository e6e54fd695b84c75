package mediawire_test

import (
	"encoding/hex"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/mediawire"
)

const sum = "7d5c2a2d6136fbf166211d5183bf66214a247f31"

func bytesOf(hexText string) string {
	b, _ := hex.DecodeString(hexText)
	return string(b)
}

// TestWrapper is the table of §3.3, and what is no answer at all.
func TestWrapper(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		usn  int32
		kind fault.Kind
	}{
		{`{"data":{"usn":812,"sk":"x"},"err":""}`, 812, 0},
		{`{"data":{"usn":-3},"err":"all is well"}`, -3, 0},
		{` {"data":{"usn":1,"more":[{}]}} `, 1, 0},
		{`{"data":null,"err":"quota exceeded"}`, 0, fault.ServerMessage},
		{`{"err":"quota exceeded"}`, 0, fault.ServerMessage},
		{`{"data":[1],"err":"no"}`, 0, fault.ServerMessage},
		{`{"data":{"usn":1.5},"err":""}`, 0, fault.DamagedDownload},
		{`{"data":{"usn":2147483648},"err":""}`, 0, fault.DamagedDownload},
		{`{"data":{},"err":null}`, 0, fault.DamagedDownload},
		{`{"data":null,"err":""}`, 0, fault.DamagedDownload},
		{`{}`, 0, fault.DamagedDownload}, {``, 0, fault.DamagedDownload}, {`[]`, 0, fault.DamagedDownload},
		{`{"data":{"usn":1}}x`, 0, fault.DamagedDownload},
	} {
		usn, err := mediawire.ParseBegin([]byte(c.text))
		if usn != c.usn || fault.KindOf(err) != c.kind {
			t.Errorf("%s: %d, %v", c.text, usn, err)
		}
	}
	_, err := mediawire.ParseBegin([]byte(`{"err":"quota exceeded"}`))
	if e := err.(*fault.Error); e.Message != "quota exceeded" || e.Details["server_message"] != "quota exceeded" {
		t.Errorf("%+v", e)
	}
}

func TestChanges(t *testing.T) {
	t.Parallel()
	good := func(rows string, after int32, want ...mediawire.Change) {
		t.Helper()
		got, err := mediawire.ParseChanges([]byte(`{"data":[`+rows+`],"err":""}`), after)
		if err != nil || len(got)+len(want) > 0 && !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", rows, got, err)
		}
	}
	good("", 0)
	good(`["cat.jpg",641,"`+sum+`"],["old \u00e9",645,""]`, 640,
		mediawire.Change{Name: "cat.jpg", USN: 641, SHA1: bytesOf(sum)}, mediawire.Change{Name: "old é", USN: 645})
	good(`["a",-5,"`+strings.ToUpper(sum)+`"]`, -6, mediawire.Change{Name: "a", USN: -5, SHA1: bytesOf(sum)})
	good(`["a",2,""],["b",2,""]`, 1, mediawire.Change{Name: "a", USN: 2}, mediawire.Change{Name: "b", USN: 2})
	for _, bad := range []string{"x", sum[1:], sum + "0", "g" + sum[1:], strings.Repeat("ü", 20)} {
		good(`["a",1,"`+bad+`"]`, 0, mediawire.Change{Name: "a", USN: 1, Bad: true})
	}
	for _, text := range []string{
		`["a",5,""]`, `["a",4,""]`, `["a",7,""],["b",6,""]`, `["a",6]`, `["a",6,"",1]`, `[1,6,""]`, `["a","6",""]`,
		`["a",6.0,""]`, `["a",6,null]`, `{"a":6}`, `"a"`, `["a",4294967296,""]`,
	} {
		if got, err := mediawire.ParseChanges([]byte(`{"data":[`+text+`],"err":""}`), 5); fault.KindOf(err) != fault.DamagedDownload || got != nil {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
}

func TestUploadAndSanity(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][2]int64{"[17,663]": {17, 663}, "[0,-1]": {0, -1}, "[4294967295,0]": {1<<32 - 1, 0}} {
		n, usn, err := mediawire.ParseUpload([]byte(`{"data":` + text + `,"err":""}`))
		if n != want[0] || int64(usn) != want[1] || err != nil {
			t.Errorf("%s: %d %d %v", text, n, usn, err)
		}
	}
	for _, text := range []string{"[17]", "[1,2,3]", "[-1,2]", `["1",2]`, "[1.0,2]", "1", "{}"} {
		if n, _, err := mediawire.ParseUpload([]byte(`{"data":` + text + `,"err":""}`)); fault.KindOf(err) != fault.DamagedDownload || n != 0 {
			t.Errorf("%s: %d, %v", text, n, err)
		}
	}
	for text, want := range map[string]fault.Kind{`"OK"`: 0, `"mediaSanity"`: 0, `"ok"`: fault.DamagedDownload, `true`: fault.DamagedDownload, `""`: fault.DamagedDownload} {
		ok, err := mediawire.ParseSanity([]byte(`{"data":` + text + `,"err":""}`))
		if ok != (text == `"OK"`) || fault.KindOf(err) != want {
			t.Errorf("%s: %v, %v", text, ok, err)
		}
	}
}

// TestExchanges: what the real client asked we would ask in the same words, and the real server's answers are read.
func TestExchanges(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	for _, e := range exchanges(t) {
		if e.Status != 200 || e.Method == mediawire.DownloadFiles && e.Response.JSON == nil && e.Response.Zip == nil {
			continue
		}
		seen[e.Method]++
		var request []byte
		var err error
		body := e.Response.JSON
		switch e.Method {
		case mediawire.Begin:
			var r struct{ V string }
			unmarshal(t, e.Request.JSON, &r)
			request = mediawire.BeginRequest(r.V)
			_, err = mediawire.ParseBegin(body)
		case mediawire.MediaChanges:
			var r struct{ LastUsn int32 }
			unmarshal(t, e.Request.JSON, &r)
			request = mediawire.ChangesRequest(r.LastUsn)
			var list []mediawire.Change
			list, err = mediawire.ParseChanges(body, r.LastUsn)
			sameChanges(t, body, list)
		case mediawire.DownloadFiles:
			var r struct{ Files []string }
			unmarshal(t, e.Request.JSON, &r)
			request = mediawire.DownloadRequest(r.Files)
		case mediawire.UploadChanges:
			_, _, err = mediawire.ParseUpload(body)
		case mediawire.MediaSanity:
			var r struct{ Local int64 }
			unmarshal(t, e.Request.JSON, &r)
			request = mediawire.SanityRequest(r.Local)
			_, err = mediawire.ParseSanity(body)
		}
		if err != nil {
			t.Errorf("%s %s: %v", e.Scenario, e.Method, err)
		}
		if request != nil && !reflect.DeepEqual(value(t, request), value(t, e.Request.JSON)) {
			t.Errorf("%s %s: we ask %s, the real client %s", e.Scenario, e.Method, request, e.Request.JSON)
		}
	}
	for _, m := range []string{mediawire.Begin, mediawire.MediaChanges, mediawire.DownloadFiles, mediawire.UploadChanges, mediawire.MediaSanity} {
		if seen[m] < 5 {
			t.Errorf("%d recorded exchanges of %s", seen[m], m)
		}
	}
}

// sameChanges compares decoded changes with their text.
func sameChanges(t *testing.T, body []byte, list []mediawire.Change) {
	t.Helper()
	var want struct{ Data [][3]any }
	unmarshal(t, body, &want)
	for i, row := range want.Data {
		got := [3]any{list[i].Name, float64(list[i].USN), hex.EncodeToString([]byte(list[i].SHA1))}
		if got != row {
			t.Errorf("%v, want %v", got, row)
		}
	}
	if len(list) != len(want.Data) {
		t.Errorf("%d changes, want %d", len(list), len(want.Data))
	}
}

func value(t testing.TB, text []byte) (v any) {
	t.Helper()
	unmarshal(t, text, &v)
	return v
}

func unmarshal(t testing.TB, text []byte, v any) {
	t.Helper()
	if err := json.Unmarshal(text, v); err != nil {
		t.Fatalf("%v in %.100s", err, text)
	}
}

func FuzzMessages(f *testing.F) {
	for _, e := range exchanges(f) {
		if len(e.Response.JSON) < 4<<10 {
			f.Add([]byte(e.Response.JSON))
		}
	}
	for _, text := range []string{`{"data":[["a",1,"` + sum + `"]],"err":""}`, `{"data":null,"err":"x"}`, `{"data":[["a",1,"x"],["b",1,""]]}`, `[`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		refused := func(err error) {
			if err != nil && fault.KindOf(err) != fault.DamagedDownload && fault.KindOf(err) != fault.ServerMessage {
				t.Errorf("refused with %v", err)
			}
		}
		_, err := mediawire.ParseBegin(b)
		refused(err)
		_, _, err = mediawire.ParseUpload(b)
		refused(err)
		_, err = mediawire.ParseSanity(b)
		refused(err)
		list, err := mediawire.ParseChanges(b, -1<<31)
		refused(err)
		if err != nil {
			return
		}
		rows := [][3]any{}
		for _, c := range list {
			row := [3]any{c.Name, c.USN, hex.EncodeToString([]byte(c.SHA1))}
			if c.Bad {
				row[2] = "bad"
			}
			rows = append(rows, row)
		}
		text, err := json.Marshal(map[string]any{"data": rows})
		if err != nil {
			t.Fatal(err)
		}
		again, err := mediawire.ParseChanges(text, -1<<31)
		if err != nil || !reflect.DeepEqual(again, list) {
			t.Errorf("%+v, then %+v, %v", list, again, err)
		}
	})
}
