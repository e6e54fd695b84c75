package collection_test

import (
	"fmt"
	"testing"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/wire"
)

// benchChunk is a slice of 250 rows of which none is there: 84 revlog entries, 83 notes, 83 cards from the given id.
func benchChunk(notetype, id int64) *wire.Chunk {
	c := &wire.Chunk{}
	for i := range int64(84) {
		c.Revlog = append(c.Revlog, wire.Revlog{ID: id + i, CardID: id + i, USN: 39, Ease: 3, Interval: 10, Factor: 2500, Time: 4000, Type: 1})
	}
	for i := range int64(83) {
		c.Notes = append(c.Notes, wire.Note{ID: id + i, GUID: fmt.Sprint("guid", id+i), NotetypeID: notetype, Mod: 1000, USN: 39, Tags: " verb chapter::one ",
			Fields: fmt.Sprintf("the question of the note with number %d, of usual length\x1fand its answer, which has some <b>markup</b> and an <img src=\"image-%d.jpg\">", id+i, id+i)})
		c.Cards = append(c.Cards, wire.Card{ID: id + i, NoteID: id + i, DeckID: 1, Mod: 1000, USN: 39, Type: 2, Queue: 2, Due: 500, Interval: 10, Factor: 2500, Reps: 7, Data: `{"s":12.5,"d":5.1,"dr":0.9}`})
	}
	return c
}

// BenchmarkApply stores slices of 250 new rows, then the same again, in one transaction.
func BenchmarkApply(b *testing.B) {
	for _, kind := range []string{"new", "replaced"} {
		b.Run(kind, func(b *testing.B) {
			db := mergeDB(b, "empty.anki2")
			chunks := make([]*wire.Chunk, 40)
			for i := range chunks {
				chunks[i] = benchChunk(basicNotetype(b, db), int64(1000+1000*i))
			}
			round := func() {
				err := applyTo(b, db, -1, func(a *collection.Applier) error {
					for _, c := range chunks {
						if err := a.Chunk(c); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			if kind == "replaced" {
				round()
			}
			rows := 0
			for b.Loop() {
				if kind == "new" {
					b.StopTimer()
					fillPending(b, db, 0, 0, 0)
					b.StartTimer()
				}
				round()
				rows += 250 * len(chunks)
			}
			perRow(b, rows)
		})
	}
}

func perRow(b *testing.B, rows int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(rows), "ns/row")
}

func BenchmarkSend(b *testing.B) {
	const n = 20_000
	db := mergeDB(b, "empty.anki2")
	fillPending(b, db, n, n, n)
	rows := 0
	b.Run("CopyPending", func(b *testing.B) {
		for b.Loop() {
			if _, err := collection.CopyPending(db); err != nil {
				b.Fatal(err)
			}
		}
		perRow(b, 3*n*b.N)
	})
	for _, size := range []int{250, 10_000} {
		b.Run(fmt.Sprint("Slicer", size), func(b *testing.B) {
			rows = 0
			for b.Loop() {
				rows += slice(b, db, size)
			}
			perRow(b, rows)
		})
	}
	b.Run("StampSent", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			for _, table := range []string{"revlog", "notes", "cards"} {
				mustExec(b, db, "UPDATE "+table+" SET usn = -1")
			}
			b.StartTimer()
			if err := collection.StampSent(db, syncUSN, false); err != nil {
				b.Fatal(err)
			}
		}
		perRow(b, 3*n*b.N)
	})
}

func slice(b *testing.B, db host.DB, size int) (rows int) {
	s, err := collection.NewSlicer(db, syncUSN, size)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	for c := (wire.Chunk{}); !c.Done; {
		if err := s.Next(&c); err != nil {
			b.Fatal(err)
		}
		rows += len(c.Revlog) + len(c.Notes) + len(c.Cards)
	}
	return rows
}
