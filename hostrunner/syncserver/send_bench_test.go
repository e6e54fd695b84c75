package syncserver_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/wire"
	"github.com/cardferry/cardferry/hostrunner/anki"
)

// BenchmarkSendAll plays what a client sends whose 2,000 notes, 2,000 cards and 10,000 reviews the server has not got yet. cpu-ms is what
// counts: many users share a machine.
func BenchmarkSendAll(b *testing.B) {
	const usn = 7
	s := onDisk(b, b.TempDir())
	url := serve(b, s)
	bare := generated(b, anki.Generated{Seed: 1, RowUSN: usn - 1, USN: usn, Mod: 1, LS: 1})
	pending := generated(b, anki.Generated{Seed: 1, Size: anki.Size{Notes: 2000, Cards: 2000, Reviews: 10_000}, RowUSN: -1, USN: usn, Mod: 1, LS: 1})
	slices, own := frames(b, pending, usn)
	var used time.Duration
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		c := newClient(b, s, url, fmt.Sprint("user", n))
		c.must("sync/upload", bare)
		header := http.Header{"Anki-Sync": {c.header()}}
		send := func(method string, frame []byte) []byte {
			req := httptest.NewRequest("POST", "/sync/"+method, struct{ io.Reader }{bytes.NewReader(frame)}) // of no announced length
			req.Header = header
			resp := httptest.NewRecorder()
			s.ServeHTTP(resp, req)
			if resp.Code != http.StatusOK {
				b.Fatalf("%s: %d", method, resp.Code)
			}
			return resp.Body.Bytes()
		}
		n++
		before := processorTime(b)
		b.StartTimer()
		message := func(method string, m []byte) []byte { return send(method, wire.NewCodec().Compress(nil, m)) }
		message("meta", wire.MetaRequest("bench"))
		message("start", wire.StartRequest(usn, true))
		message("applyChanges", wire.ApplyChangesRequest(&wire.Changes{}))
		message("chunk", wire.ChunkRequest(0))
		for _, frame := range slices {
			send("applyChunk", frame)
		}
		answer, err := wire.NewCodec().Decompress(nil, message("sanityCheck2", wire.SanityRequest(own)), 1<<20)
		coretest.Must(b, err)
		if result, err := wire.ParseSanity(answer); err != nil || !result.OK {
			b.Fatalf("%+v, %v", result, err)
		}
		message("finish", []byte("{}"))
		b.StopTimer()
		used += processorTime(b) - before
		b.StartTimer()
	}
	b.ReportMetric(float64(used.Microseconds())/1000/float64(n), "cpu-ms/op")
}

func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	coretest.Must(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func generated(b *testing.B, g anki.Generated) []byte {
	path := filepath.Join(b.TempDir(), "generated.anki2")
	coretest.Must(b, anki.Generate(path, g))
	file, err := os.ReadFile(path)
	coretest.Must(b, err)
	return file
}

// frames returns the slices that a client sends, compressed, and its counts.
func frames(b *testing.B, file []byte, usn int64) (list [][]byte, own wire.Counts) {
	db := opened(b, file)
	own, err := collection.Counts(db)
	coretest.Must(b, err)
	own.Graves = 0
	_, err = collection.CopyPending(db)
	coretest.Must(b, err)
	slicer, err := collection.NewSlicer(db, usn, 250)
	coretest.Must(b, err)
	defer slicer.Close()
	codec := wire.NewCodec()
	for c := (wire.Chunk{}); !c.Done; {
		coretest.Must(b, slicer.Next(&c))
		list = append(list, codec.Compress(nil, wire.ApplyChunkRequest(nil, &c)))
	}
	return list, own
}
