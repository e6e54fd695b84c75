package syncserver_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/wire"
	"github.com/cardferry/cardferry/hostrunner/anki"
)

// BenchmarkReceiveAll plays what a client asks for that has got none of 2,000 notes, 2,000 cards and 10,000 reviews yet, with the slices of the real
// client and of ours. cpu-ms is what counts: many users share a machine.
func BenchmarkReceiveAll(b *testing.B) {
	const usn = 7
	file := generated(b, anki.Generated{Seed: 1, Size: anki.Size{Notes: 2000, Cards: 2000, Reviews: 10_000}, RowUSN: usn - 1, USN: usn, Mod: 1, LS: 1})
	for _, slice := range []int{0, 2000} {
		b.Run(fmt.Sprint("slices of ", max(slice, 250)), func(b *testing.B) {
			s := onDisk(b, b.TempDir())
			c := newClient(b, s, serve(b, s), "ada")
			c.must("sync/upload", file)
			codec := wire.NewCodec()
			header := http.Header{"Anki-Sync": {c.header()}}
			message := func(method string, m []byte) []byte {
				req := httptest.NewRequest("POST", "/sync/"+method, frame(string(m)))
				req.Header = header
				resp := httptest.NewRecorder()
				s.ServeHTTP(resp, req)
				answer, err := codec.Decompress(nil, resp.Body.Bytes(), 8<<20)
				if resp.Code != http.StatusOK || err != nil {
					b.Fatalf("%s: %d %v", method, resp.Code, err)
				}
				return answer
			}
			var used time.Duration
			b.ReportAllocs()
			for b.Loop() {
				before := processorTime(b)
				message("meta", wire.MetaRequest("bench"))
				message("start", wire.StartRequest(0, false))
				rows := 0
				for got := (wire.Chunk{}); !got.Done; rows += got.Len() {
					coretest.Must(b, wire.ParseChunk(message("chunk", wire.ChunkRequest(slice)), &got))
				}
				if rows != 14_000 {
					b.Fatalf("%d rows", rows)
				}
				message("abort", []byte("{}"))
				used += processorTime(b) - before
			}
			b.ReportMetric(float64(used.Microseconds())/1000/float64(b.N), "cpu-ms/op")
		})
	}
}
