package edit_test

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkAddNotes adds lists of notes, each in one call. What a note costs must not grow with the list, nor with what can be taken back.
func BenchmarkAddNotes(b *testing.B) {
	for _, notes := range []int{100, 1000, 10_000} {
		b.Run(fmt.Sprint(notes), func(b *testing.B) {
			a := newApp(b)
			for i := 0; b.Loop(); i++ {
				var ops strings.Builder
				for n := range notes {
					fmt.Fprintf(&ops, `,{"op":"addNote","notetypeId":$basic,"deckId":1,"fields":["front %d.%d","back"],"tags":["tag%d"]}`, i, n, n)
				}
				if got := a.do("[" + ops.String()[1:] + "]"); len(got) != notes {
					b.Fatalf("%d results", len(got))
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*notes), "µs/note")
		})
	}
}
