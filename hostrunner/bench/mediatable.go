package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// mediaRow is a measured media workload.
type mediaRow struct {
	mediaWorkload
	result map[string]measured // by engine
}

// printMedia shows times, speeds, ratios and peak memory of the media workloads.
func (t *table) printMedia(out io.Writer) {
	if len(t.media) == 0 {
		return
	}
	fmt.Fprintln(out)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "media\tfiles\tRTT\treal s\tfiles/s\tMB/s\tMiB\t")
	for i, e := range t.engines {
		fmt.Fprintf(w, "%s s\tfiles/s\tMB/s\tMiB\tratio\t", e)
		if i == 0 {
			fmt.Fprint(w, "budgets\t\trequests\t")
		}
	}
	fmt.Fprintln(w)
	for _, r := range t.media {
		base, compared := r.result[real]
		fmt.Fprintf(w, "%s\t%d × %d\t%d ms\t", r.direction, r.Files, r.Size, r.roundTrip.Milliseconds())
		r.printSpeed(w, base, compared)
		for i, e := range t.engines {
			m := r.result[e]
			r.printSpeed(w, m, true)
			if compared {
				fmt.Fprintf(w, "%.2f\t", m.Seconds/base.Seconds)
			} else {
				fmt.Fprint(w, "\t")
			}
			if i == 0 {
				budgets, verdict := t.judge(r, m, base)
				fmt.Fprintf(w, "%s\t%s\t%d\t", budgets, verdict, m.Requests)
			}
		}
		fmt.Fprintln(w)
	}
	_ = w.Flush()
}

// printSpeed shows a time, and what it means where files are moved.
func (r mediaRow) printSpeed(w io.Writer, m measured, known bool) {
	switch {
	case !known:
		fmt.Fprint(w, "\t\t\t\t")
	case r.direction == down || r.direction == up:
		fmt.Fprintf(w, "%.3f\t%.0f\t%.1f\t%d\t", m.Seconds, float64(r.Files)/m.Seconds, float64(r.bytes())/1e6/m.Seconds, m.Kilobytes>>10)
	default:
		fmt.Fprintf(w, "%.3f\t%.0f\t\t%d\t", m.Seconds, float64(r.Files)/m.Seconds, m.Kilobytes>>10)
	}
}

// judge compares a result with the budgets: the ratio or the time, the peak memory, and one request where nothing is to do.
func (t *table) judge(r mediaRow, m, base measured) (budgets, verdict string) {
	over := func(value, limit float64) {
		if value > limit {
			verdict = "OVER"
		}
	}
	verdict = "ok"
	budgets = fmt.Sprintf("≤ %d MiB", memoryBudget)
	over(float64(m.Kilobytes)/1024, memoryBudget)
	if r.budget > 0 {
		budgets = fmt.Sprintf("≤ %.2f, %s", r.budget, budgets)
		over(m.Seconds/base.Seconds, r.budget)
	}
	if r.seconds > 0 {
		budgets = fmt.Sprintf("≤ %.0f s, %s", r.seconds, budgets)
		over(m.Seconds, r.seconds)
	}
	if r.direction == same || r.direction == scan {
		budgets = "1 request, " + budgets
		over(float64(m.Requests), 1)
	}
	if verdict != "ok" {
		t.exceeded++
	}
	return budgets, verdict
}
