package syncserver_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/wire"
	"github.com/cardferry/cardferry/hostrunner/syncserver"
)

// FuzzServer: any request of somebody who is logged in, in any state of a session, has an answer that is not the server's own failure.
func FuzzServer(f *testing.F) {
	codec := wire.NewCodec()
	for _, r := range []struct{ path, body string }{
		{"sync/meta", `{"v":11,"cv":"a,b,c"}`}, {"sync/start", `{"minUsn":0,"lnewer":true}`}, {"sync/applyGraves", `{"chunk":{"cards":[1],"decks":[2],"notes":[]}}`},
		{"sync/applyChanges", `{"changes":{"models":[],"decks":[[],[]],"tags":["a"]}}`}, {"sync/chunk", `{"_pad":null}`},
		{"sync/applyChunk", `{"chunk":{"done":true,"revlog":[],"cards":[],"notes":[[1,"guid",2,3,-1,"","a\u001fb","","",0,""]]}}`},
		{"sync/sanityCheck2", `{"client":[[0,0,0],0,0,0,0,0,0,0,0]}`}, {"sync/finish", `{}`}, {"sync/abort", `{}`}, {"sync/upload", "SQLite format 3\x00"},
		{"sync/download", `{}`}, {"sync/hostKey", `{"u":"a","p":"b"}`}, {"msync/begin", `{}`}, {"msync/mediaChanges", `{"lastUsn":0}`},
		{"msync/uploadChanges", "PK\x03\x04"}, {"msync/downloadFiles", `{"files":["a"]}`}, {"msync/mediaSanity", `{"local":0}`},
		{"api/signup", `{"user":"x","password":"y"}`}, {"api/devices", ""}, {"metrics", ""}, {"sync/%2e%2e/x", ""},
	} {
		f.Add(r.path, []byte(r.body), true)
	}
	s := &syncserver.Server{Passwords: cheap}
	url := serve(f, s)
	c := newClient(f, s, url, "fuzz")
	f.Fuzz(func(t *testing.T, path string, body []byte, compress bool) {
		target := "/" + strings.TrimLeft(path, "/")
		r, err := http.NewRequest("POST", "http://server"+target, nil)
		if err != nil || strings.Contains(path, "events") { // it is endless
			t.Skip()
		}
		if compress {
			body = codec.Compress(nil, body)
		}
		r.Body, r.ContentLength = http.NoBody, 0
		if len(body) > 0 {
			r = httptest.NewRequest("POST", "http://server/", bytes.NewReader(body)).WithContext(t.Context())
			u, err := r.URL.Parse(target)
			if err != nil {
				t.Skip()
			}
			r.URL = u
		}
		r.Header.Set("anki-sync", c.header())
		rec := httptest.NewRecorder()
		s.ServeHTTP(rec, r)
		if rec.Code >= 500 && rec.Code != http.StatusNotImplemented { // which clients of other versions get
			t.Errorf("%s: %d %s", path, rec.Code, rec.Body)
		}
	})
}
