package wire_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/core/wire"
)

// benchChunk is a slice as a server sends it: 250 rows of each kind, notes with a little HTML in two languages.
func benchChunk() *wire.Chunk {
	c := &wire.Chunk{Done: true}
	for i := range int64(250) {
		id := 1_700_000_000_000 + i*7919
		c.Revlog = append(c.Revlog, wire.Revlog{ID: id + 3, CardID: id, USN: 41, Ease: 3, Interval: 12 + int32(i), LastInterval: 5, Factor: 2500, Time: 4312, Type: 1})
		c.Cards = append(c.Cards, wire.Card{
			ID: id, NoteID: id - 1, DeckID: 1_650_000_000_000, Mod: id / 1000, USN: 41, Type: 2, Queue: 2, Due: 1904, Interval: 12,
			Factor: 2500, Reps: 9, Data: `{"pos":17,"s":12.3456,"d":5.123,"dr":0.9,"lrt":1763999000}`,
		})
		fields := fmt.Sprintf("der <b>Hund</b> %d\x1fthe \"dog\" barks&nbsp;loudly\n<img src=\"dog-%d.jpg\">\x1f犬が大きな声で吠える。", i, i)
		c.Notes = append(c.Notes, wire.Note{
			ID: id - 1, GUID: fmt.Sprintf("gK3!x}a%d", i), NotetypeID: 1_690_000_000_000, Mod: id / 1000, USN: 41,
			Tags: " animals verbs::irregular ", Fields: fields + strings.Repeat(" lorem ipsum", int(i%20)),
		})
	}
	return c
}

func BenchmarkParseChunk(b *testing.B) {
	whole := benchChunk()
	for _, kind := range []struct {
		name  string
		chunk wire.Chunk
	}{
		{"all", *whole}, {"revlog", wire.Chunk{Revlog: whole.Revlog}}, {"cards", wire.Chunk{Cards: whole.Cards}}, {"notes", wire.Chunk{Notes: whole.Notes}},
	} {
		b.Run(kind.name, func(b *testing.B) {
			text := wire.AppendChunk(nil, &kind.chunk)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			var c wire.Chunk
			for b.Loop() {
				if err := wire.ParseChunk(text, &c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAppendChunk(b *testing.B) {
	c := benchChunk()
	text := wire.AppendChunk(nil, c)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		text = wire.AppendChunk(text[:0], c)
	}
}

func BenchmarkCardData(b *testing.B) {
	const data = `{"pos":17,"s":12.3456,"d":5.123,"dr":0.9,"lrt":1763999000}`
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if wire.CardData(data) != data {
			b.Fatal("changed")
		}
	}
}

func BenchmarkCompress(b *testing.B) {
	text := wire.AppendChunk(nil, benchChunk())
	codec := wire.NewCodec()
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	var packed []byte
	for b.Loop() {
		packed = codec.Compress(packed[:0], text)
	}
	b.ReportMetric(float64(len(packed))/float64(len(text)), "ratio")
}

func BenchmarkDecompress(b *testing.B) {
	text := wire.AppendChunk(nil, benchChunk())
	codec := wire.NewCodec()
	packed := codec.Compress(nil, text)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	var out []byte
	for b.Loop() {
		var err error
		if out, err = codec.Decompress(out[:0], packed, 1<<20); err != nil {
			b.Fatal(err)
		}
	}
}
