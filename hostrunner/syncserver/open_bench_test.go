package syncserver_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/wire"
)

// BenchmarkOpenAccount is the first request of an account that nobody has used for a while.
func BenchmarkOpenAccount(b *testing.B) {
	s := onDisk(b, b.TempDir())
	c := newClient(b, s, serve(b, s), "ada")
	c.must("sync/upload", tenthOfM(b))
	c.put(file("a.jpg", "content"))
	header := http.Header{"Anki-Sync": {c.header()}}
	b.ReportAllocs()
	for b.Loop() {
		if n := s.Sweep(s.Now().Add(time.Hour)); n != 0 {
			b.Fatalf("%d accounts are open", n)
		}
		req := httptest.NewRequest("POST", "/sync/meta", frame(metaRequest))
		req.Header = header
		resp := httptest.NewRecorder()
		s.ServeHTTP(resp, req)
		m, err := wire.ParseMeta(mustDecompress(b, resp.Body.Bytes()))
		if err != nil || m.MediaUSN != 1 {
			b.Fatalf("%+v %v", m, err)
		}
	}
}

func mustDecompress(b *testing.B, frame []byte) []byte {
	b.Helper()
	got, err := wire.NewCodec().Decompress(nil, frame, 1<<20)
	if err != nil {
		b.Fatal(err)
	}
	return got
}
