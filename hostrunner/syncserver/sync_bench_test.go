package syncserver_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/wire"
)

// BenchmarkSmallSync plays what a client sends that has answered one card since the last time.
func BenchmarkSmallSync(b *testing.B) {
	s := onDisk(b, b.TempDir())
	c := newClient(b, s, serve(b, s), "ada")
	file := tenthOfM(b)
	c.must("sync/upload", file)
	own, err := collection.Counts(opened(b, file))
	coretest.Must(b, err)
	own.Graves = 0
	codec := wire.NewCodec()
	// A real client does not announce the length of anything.
	frames, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(2<<20), zstd.WithLowerEncoderMem(true))
	coretest.Must(b, err)
	var header http.Header
	send := func(method string, message []byte) []byte {
		var body bytes.Buffer
		frames.Reset(&body)
		_, err := frames.Write(message)
		coretest.Must(b, errors.Join(err, frames.Close()))
		req := httptest.NewRequest("POST", "/sync/"+method, struct{ io.Reader }{&body})
		req.Header = header
		resp := httptest.NewRecorder() // rather than a connection, which would cost more than all of this
		s.ServeHTTP(resp, req)
		if resp.Code != http.StatusOK {
			b.Fatalf("%s: %d", method, resp.Code)
		}
		got, err := codec.Decompress(nil, resp.Body.Bytes(), 1<<20)
		coretest.Must(b, err)
		return got
	}
	card := wire.Card{ID: 1, NoteID: 1, DeckID: 1, Mod: 1700000000, Type: 2, Queue: 2, Due: 1, Interval: 10, Factor: 2500}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		header = http.Header{"Anki-Sync": {c.other(fmt.Sprint(i)).header()}}
		m, err := wire.ParseMeta(send("meta", wire.MetaRequest("bench")))
		coretest.Must(b, err)
		send("start", wire.StartRequest(m.USN, true))
		send("applyChanges", wire.ApplyChangesRequest(&wire.Changes{}))
		send("chunk", wire.ChunkRequest(0))
		card.Mod++
		card.Reps++
		card.USN = m.USN
		send("applyChunk", wire.ApplyChunkRequest(nil, &wire.Chunk{Cards: []wire.Card{card}, Done: true}))
		result, err := wire.ParseSanity(send("sanityCheck2", wire.SanityRequest(own)))
		coretest.Must(b, err)
		if !result.OK {
			b.Fatalf("%+v", result)
		}
		send("finish", []byte("{}"))
	}
}

// tenthOfM returns a collection of 2,000 cards with the statistics that a real client makes.
func tenthOfM(b *testing.B) []byte {
	const numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
	return changed(b, "empty.anki2",
		fmt.Sprintf(numbers, 2000)+"INSERT INTO notes SELECT i, 'guid' || i, (SELECT min(id) FROM notetypes), 1700000000, 0, '', 'front', 'front', 1, 0, '' FROM n",
		fmt.Sprintf(numbers, 2000)+"INSERT INTO cards SELECT i, i, 1, 0, 1700000000, 0, 2, 2, i, 10, 2500, 5, 0, 0, 0, 0, 0, '' FROM n",
		fmt.Sprintf(numbers, 10000)+"INSERT INTO revlog SELECT 1600000000000 + i, i % 2000 + 1, 0, 3, 10, 5, 2500, 6000, 1 FROM n", "ANALYZE")
}
