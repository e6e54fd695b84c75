package mediawire_test

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// exchange is one recorded request of the real client, or one made by hand, and the answer of the real server (shared
// fixtures, media/wire/*.jsonl, without headers and repetitions).
type exchange struct {
	Scenario, Method string
	Status           int
	Upload           string // base64 of an archive made by hand
	Request          struct {
		JSON json.RawMessage
		Zip  *recordedZip
	}
	Response struct {
		JSON json.RawMessage
		Zip  *recordedZip
	}
}

// recordedZip describes an archive.
type recordedZip struct {
	Size    int64
	Entries []struct {
		Name string
		Size int64
		SHA1 string
	}
	Meta json.RawMessage
	File string // its bytes, in testdata/zips
}

func exchanges(t testing.TB) (list []exchange) {
	t.Helper()
	b, err := os.ReadFile("testdata/exchanges.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(b) {
		var e exchange
		unmarshal(t, line, &e)
		list = append(list, e)
	}
	return list
}

// archives returns the recorded archives by name.
func archives(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("testdata/zips/*.zip")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for _, f := range files {
		if all[f], err = os.ReadFile(f); err != nil {
			t.Fatal(err)
		}
	}
	for _, e := range exchanges(t) {
		if e.Upload != "" {
			b, err := base64.StdEncoding.DecodeString(e.Upload)
			if err != nil {
				t.Fatal(err)
			}
			all[e.Upload] = b
		}
	}
	return all
}

// member is a member of an archive made for a test.
type member struct {
	name, content string
	deflate       bool
}

// makeZip writes an archive; the list of names comes last unless it is among the members.
func makeZip(t testing.TB, names map[string]string, members ...member) []byte {
	t.Helper()
	if names != nil {
		list, err := json.Marshal(names)
		if err != nil {
			t.Fatal(err)
		}
		members = append(members, member{name: "_meta", content: string(list)})
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, m := range members {
		h := &zip.FileHeader{Name: m.name, Method: zip.Store}
		if m.deflate {
			h.Method = zip.Deflate
		}
		w, err := rawOrStreamed(z, h, []byte(m.content))
		if err == nil {
			_, err = w.Write([]byte(m.content))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
