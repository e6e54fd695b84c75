package main

import (
	"fmt"
	"time"

	"github.com/cardferry/cardferry/hostrunner/anki"
)

// What a client is asked to do.
const (
	doSync     = "sync"
	doUpload   = "upload"
	doDownload = "download"
	doMedia    = "media"
)

// workload is one row of the table.
type workload struct {
	name           string
	do             string
	size           anki.Size
	sizeName       string
	roundTrip      time.Duration
	client, server state
	// budget is the largest allowed ratio of our time to the real client's.
	budget float64
	// times is how often one client repeats the workload, where that changes nothing.
	times int
	// once leaves out the repetitions, where they would take minutes.
	once bool
}

// String names the workload for -run.
func (w workload) String() string {
	return fmt.Sprintf("%s %s %dms", w.name, w.sizeName, w.roundTrip.Milliseconds())
}

// memoryBudget is what guest and SQLite may take at most, in MiB (64 MB).
const memoryBudget = 61

func workloads() (list []workload) {
	at := func(w workload, roundTrip time.Duration, budget float64) {
		w.roundTrip, w.budget = roundTrip, budget
		if w.times == 0 {
			w.times = 1
		}
		list = append(list, w)
	}
	const far = 50 * time.Millisecond
	M := func(w workload) workload { w.size, w.sizeName = anki.SizeM, "M"; return w }
	L := func(w workload) workload { w.size, w.sizeName, w.once = anki.SizeL, "L", true; return w }

	same := M(workload{name: "no change", do: doSync, client: clean, server: clean, times: 20})
	day := M(workload{name: "day", do: doSync, client: reviewed, server: clean})
	for _, w := range []workload{same, day} {
		at(w, 0, 1.05)
		at(w, far, 1.05)
	}
	up := workload{name: "send all", do: doSync, client: pending, server: bare}
	down := workload{name: "receive all", do: doSync, client: bare, server: ahead}
	for _, w := range []workload{up, down} {
		at(M(w), 0, 1.0)
		distant := M(w)
		distant.once = true
		at(distant, far, 0.2)
	}
	upload := workload{name: "full upload", do: doUpload, client: clean, server: none}
	download := workload{name: "full download", do: doDownload, client: none, server: clean}
	at(M(upload), 0, 0.8)
	at(M(download), 0, 1.1)
	at(L(upload), 0, 0.25)
	at(L(download), 0, 1.1)
	at(L(up), 0, 1.0)
	at(L(down), 0, 1.0)
	return list
}
