package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/cardferry/cardferry/core/host"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// bar shows the running stage on one line of a terminal, and nothing once it is closed.
type bar struct {
	pool *mpb.Progress
	line *mpb.Bar

	mu   sync.Mutex
	now  host.Progress
	pace pace
}

// barWidth leaves room for the texts beside the bar on a terminal of 80 columns.
const barWidth = 30

func newBar(w io.Writer) *bar {
	b := &bar{pool: mpb.New(mpb.WithOutput(w), mpb.WithWidth(barWidth), mpb.WithRefreshRate(100*time.Millisecond))}
	// A total of 0 keeps the line from completing by itself at the end of each stage.
	b.line = b.pool.New(0, mpb.BarStyle().Lbound("[").Filler("=").Tip(">").Padding(" ").Rbound("]"),
		mpb.BarFillerMiddleware(b.whenKnown),
		mpb.PrependDecorators(decor.Any(func(decor.Statistics) string { return fmt.Sprintf("%-20s", b.name()) })),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return b.amount() })))
	return b
}

// stageText is what a person reads for each stage.
var stageText = map[host.Stage]string{
	host.StageConnect: "connecting", host.StageGraves: "deletions", host.StageChanges: "decks and notetypes",
	host.StageChunks: "cards and reviews", host.StageFinish: "comparing", host.StageUpload: "uploading",
	host.StageDownload: "downloading", host.StageCheck: "checking the file",
	host.StageMediaIndex: "listing media", host.StageMediaDownload: "media downloads", host.StageMediaUpload: "media uploads",
}

func (b *bar) set(p host.Progress) {
	b.mu.Lock()
	b.now = p
	b.pace.set(p, time.Now())
	b.mu.Unlock()
	b.line.SetTotal(max(p.Total, 1), false)
	b.line.SetCurrent(p.Done)
}

// whenKnown leaves out the bar of a stage whose total is not known.
func (b *bar) whenKnown(filler mpb.BarFiller) mpb.BarFiller {
	return mpb.BarFillerFunc(func(w io.Writer, s decor.Statistics) error {
		b.mu.Lock()
		total := b.now.Total
		b.mu.Unlock()
		if total <= 0 {
			return nil
		}
		return filler.Fill(w, s)
	})
}

func (b *bar) name() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.now.Stage == "" {
		return "starting"
	}
	return stageText[b.now.Stage]
}

// amount says how much of the stage is done, in bytes, rows or files, how fast, and how long the rest takes.
func (b *bar) amount() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	show := func(n int64) string { return fmt.Sprint(n) }
	if b.now.Stage == host.StageUpload || b.now.Stage == host.StageDownload {
		show = size
	}
	switch {
	case b.now.Total > 0:
		return show(b.now.Done) + " of " + show(b.now.Total) + b.paceText(show)
	case b.now.Done > 0:
		return show(b.now.Done)
	}
	return ""
}

func (b *bar) paceText(show func(int64) string) string {
	rate, left := b.pace.rate, b.pace.left
	if rate < 1 || left <= 0 {
		return ""
	}
	return fmt.Sprintf(", %s/s, %s left", show(int64(rate)), left.Round(time.Second))
}

func (b *bar) close() {
	b.line.Abort(true)
	b.pool.Wait()
}
