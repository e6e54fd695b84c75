package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/cardferry/cardferry/hostrunner/anki"
)

// TestMain makes the test program the child that it starts.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == childCommand {
		exit(runChild(os.Args[2:]))
	}
	os.Exit(m.Run())
}

// TestWorkloads runs every kind of workload with a small collection.
func TestWorkloads(t *testing.T) {
	t.Parallel()
	anki.Need(t)
	dir := t.TempDir()
	b, err := newBench(options{repeat: 1, engines: []string{"wazero", "native"}, only: regexp.MustCompile("")}, dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.close)
	for _, w := range workloads() {
		if w.roundTrip > 0 || w.sizeName == "L" {
			continue
		}
		w.size = anki.Size{Notes: 300, Cards: 400, Reviews: 1000}
		row, err := b.run(t.Context(), w)
		if err != nil {
			t.Fatalf("%s: %v", w, err)
		}
		b.table.add(row)
	}
	for _, d := range []direction{down, up, same, scan} {
		w := mediaWorkload{MediaSet: anki.MediaSet{Files: 60, Size: 1000}, direction: d, alone: d == scan}
		if err := b.runMediaWorkload(t.Context(), w); err != nil {
			t.Fatal(err)
		}
	}
	b.only = regexp.MustCompile("server (idle|day M, real|2 users|.*beside|full upload L)") // one of each kind
	small := anki.Size{Notes: 300, Cards: 400, Reviews: 1000}
	sizes := serverSizes{large: small, middle: small, part: small, largeName: "L", samples: 3, media: anki.MediaSet{Files: 60, Size: 1000}, open: 2, crowds: []int{2}}
	if err := b.runServerWorkloads(t.Context(), sizes); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	b.table.print(&out)
	for _, want := range []string{"send all M", "full download M", "ratio", "peak memory", "60 × 1000", "1 request", "beside a full upload of L", "2 users at once", "least", "real CPU s"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, &out)
		}
	}
	t.Log("\n" + out.String())
}

func TestVerdict(t *testing.T) {
	t.Parallel()
	tab := newTable(nil)
	if tab.verdict(1, 1) != "ok" || tab.verdict(1.1, 1) != "OVER" || tab.exceeded != 1 {
		t.Error("budgets are not checked")
	}
	if m := median([]float64{3, 1, 2}); m != 2 {
		t.Error("median", m)
	}
}
