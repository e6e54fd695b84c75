package main

import (
	"context"
	"fmt"
	"os"

	"github.com/cardferry/cardferry/hostrunner/anki"
)

// parts is the number of sizes of a workload, each twice the one before.
const parts = 3

// linear are the workloads that move everything.
func linear() []workload {
	return []workload{
		{name: "send all", do: doSync, client: pending, server: bare},
		{name: "receive all", do: doSync, client: bare, server: ahead},
		{name: "full upload", do: doUpload, client: clean, server: none},
		{name: "full download", do: doDownload, client: none, server: clean},
	}
}

// linearity measures the workloads that move everything, at three sizes: the cost of a row must not grow.
func (b *bench) linearity(ctx context.Context) error {
	largest := anki.SizeL
	if b.short {
		largest = anki.SizeM
	}
	repeat := b.repeat
	if !b.short {
		repeat = 1
	}
	for _, w := range linear() {
		l := line{name: w.name}
		for i := range parts {
			part := 1 << (parts - 1 - i)
			w.size = anki.Size{Notes: largest.Notes / part, Cards: largest.Cards / part, Reviews: largest.Reviews / part}
			w.sizeName, w.times = fmt.Sprintf("1/%d", part), 1
			rows := w.size.Notes + w.size.Cards + w.size.Reviews
			var list []measured
			for range repeat {
				m, err := b.measure(ctx, w, b.engines[0])
				if err != nil {
					return err
				}
				list = append(list, m)
			}
			m := middle(list)
			fmt.Fprintf(os.Stderr, "linear: %s %d rows: %.3f s\n", w.name, rows, m.Seconds)
			l.sizes, l.micros = append(l.sizes, rows), append(l.micros, m.Seconds*1e6/float64(rows))
		}
		l.growth = l.micros[parts-1] / l.micros[0]
		b.table.lines = append(b.table.lines, l)
	}
	return nil
}
