package mediause_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/mediause"
)

// large makes a collection of 100,000 notes of 200 bytes, nine of ten with a picture and a sound, and 150,000 cards: new,
// in review and suspended.
func large(b *testing.B) mediause.Collection {
	c := newCollection(b)
	run(b, c, `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99999)
		INSERT INTO notes SELECT 1700000000000 + i, i, (SELECT min(id) FROM notetypes), 0, 0, '', CASE i % 10 WHEN 0 THEN printf('%0200d', i)
		ELSE printf('die F\u00e4hre %d, %s', i, printf('%0100d', i)) || '<img src="paste-' || printf('%08d', i) || '.jpg">' || char(31) || '[sound:word-' || printf('%08d', i) || '.mp3]' END,
		'', 0, 0, '' FROM n`)
	run(b, c, `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 149999)
		INSERT INTO cards SELECT 1700000000000 + i, 1700000000000 + i * 2 / 3, 1, i % 2, 0, 0, CASE i % 4 WHEN 0 THEN 0 ELSE 2 END,
		CASE i % 4 WHEN 0 THEN 0 WHEN 1 THEN -1 ELSE 2 END, i % 1000, 0, 0, 0, 0, 0, 0, 0, 0, '{}' FROM n`)
	return c
}

func BenchmarkDue100k(b *testing.B) {
	c := large(b)
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		err := mediause.Due(b.Context(), c, coretest.NewClock(noon, 0), func(string, int) error {
			n++
			return nil
		})
		if err != nil || n != 180_000 {
			b.Fatal(n, err)
		}
	}
}

func BenchmarkCheck100k(b *testing.B) {
	c := large(b)
	for _, bench := range []struct{ name, picture string }{{"here", "paste-%08d.jpg"}, {"gone", "x%08d.jpg"}, {"capitals", "X%08d.JPG"}} {
		b.Run(bench.name, func(b *testing.B) {
			var names []string
			for i := range 100_000 {
				names = append(names, fmt.Sprintf(bench.picture, i))
			}
			slices.Sort(names)
			s := mediause.Store{
				Files: func(yield func(mediause.File, error) bool) {
					for _, name := range names {
						if !yield(mediause.File{Name: name, Size: 1, Regular: true}, nil) {
							return
						}
					}
				},
				Sum:    func(context.Context, string) (sum [20]byte, err error) { return sum, nil },
				Coming: func(string) (bool, error) { return false, nil },
			}
			b.ReportAllocs()
			for b.Loop() {
				r, err := mediause.Check(b.Context(), c, s)
				if err != nil || len(r.Missing) < 90_000 || len(r.Unused) < 10_000 {
					b.Fatal(len(r.Missing), len(r.Unused), err)
				}
			}
		})
	}
}
