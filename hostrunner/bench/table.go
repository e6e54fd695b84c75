package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// row is a measured workload.
type row struct {
	workload
	result map[string]measured // by engine
}

// table is what is printed at the end.
type table struct {
	engines  []string
	rows     []row
	lines    []line
	media    []mediaRow
	servers  []serverRow
	exceeded int
}

// line is a row of the table about growth.
type line struct {
	name   string
	sizes  []int
	micros []float64 // per row
	growth float64
}

func newTable(engines []string) *table { return &table{engines: engines} }

func (t *table) add(r row) { t.rows = append(t.rows, r) }

// verdict counts what is over its budget.
func (t *table) verdict(value, budget float64) string {
	if value <= budget {
		return "ok"
	}
	t.exceeded++
	return "OVER"
}

func (t *table) print(out io.Writer) {
	t.printRows(out)
	t.printMemory(out)
	t.printLines(out)
	t.printMedia(out)
	t.printServers(out)
}

func (t *table) printRows(out io.Writer) {
	if len(t.rows) == 0 {
		return
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "workload\tRTT\treal s\t")
	for i, e := range t.engines {
		fmt.Fprintf(w, "%s s\tratio\t", e)
		if i == 0 {
			fmt.Fprint(w, "budget\t\trequests\t")
		}
	}
	fmt.Fprintln(w)
	for _, r := range t.rows {
		base := r.result[real].Seconds
		fmt.Fprintf(w, "%s %s\t%d ms\t%.3f\t", r.name, r.sizeName, r.roundTrip.Milliseconds(), base)
		for i, e := range t.engines {
			m := r.result[e]
			ratio := m.Seconds / base
			fmt.Fprintf(w, "%.3f\t%.2f\t", m.Seconds, ratio)
			if i == 0 {
				fmt.Fprintf(w, "≤ %.2f\t%s\t%d\t", r.budget, t.verdict(ratio, r.budget), m.Requests)
			}
		}
		fmt.Fprintln(w)
	}
	_ = w.Flush()
}

// printMemory shows the peak memory beyond what a process had with its collection open, MiB.
func (t *table) printMemory(out io.Writer) {
	if len(t.rows) == 0 || t.rows[0].result[real].Kilobytes == 0 {
		return
	}
	fmt.Fprintln(out)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "peak memory, MiB\tRTT\treal\t")
	for i, e := range t.engines {
		fmt.Fprintf(w, "%s\t", e)
		if i == 0 {
			fmt.Fprint(w, "budget\t\t")
		}
	}
	fmt.Fprintln(w)
	for _, r := range t.rows {
		fmt.Fprintf(w, "%s %s\t%d ms\t%d\t", r.name, r.sizeName, r.roundTrip.Milliseconds(), r.result[real].Kilobytes>>10)
		for i, e := range t.engines {
			mib := float64(r.result[e].Kilobytes) / 1024
			fmt.Fprintf(w, "%.0f\t", mib)
			if i == 0 {
				fmt.Fprintf(w, "≤ %d\t%s\t", memoryBudget, t.verdict(mib, memoryBudget))
			}
		}
		fmt.Fprintln(w)
	}
	_ = w.Flush()
}

// maxGrowth is how much more a row may cost in the largest of three collections than in the smallest, for noise.
const maxGrowth = 1.3

func (t *table) printLines(out io.Writer) {
	if len(t.lines) == 0 {
		return
	}
	fmt.Fprintln(out)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "µs per row\t")
	for _, n := range t.lines[0].sizes {
		fmt.Fprintf(w, "%d rows\t", n)
	}
	fmt.Fprintln(w, "growth\tbudget\t\t")
	for _, l := range t.lines {
		fmt.Fprintf(w, "%s\t", l.name)
		for _, us := range l.micros {
			fmt.Fprintf(w, "%.1f\t", us)
		}
		fmt.Fprintf(w, "%.2f\t≤ %.2f\t%s\t\n", l.growth, maxGrowth, t.verdict(l.growth, maxGrowth))
	}
	_ = w.Flush()
}
