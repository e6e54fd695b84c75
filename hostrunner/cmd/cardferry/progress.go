package main

import (
	"io"
	"time"

	"github.com/cardferry/cardferry/core/host"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// bar shows the running stage on a terminal.
type bar struct {
	pool  *mpb.Progress
	stage host.Stage
	bar   *mpb.Bar
}

func newBar(w io.Writer) *bar {
	return &bar{pool: mpb.New(mpb.WithOutput(w), mpb.WithWidth(48), mpb.WithRefreshRate(100*time.Millisecond))}
}

// stageText is what a person reads for each stage.
var stageText = map[host.Stage]string{
	host.StageConnect: "connecting", host.StageGraves: "deletions", host.StageChanges: "decks and notetypes",
	host.StageChunks: "cards and reviews", host.StageFinish: "checking", host.StageUpload: "uploading",
	host.StageDownload: "downloading", host.StageCheck: "checking the file",
}

func (b *bar) set(p host.Progress) {
	if b.bar == nil || b.stage != p.Stage {
		b.end()
		b.stage = p.Stage
		b.bar = b.pool.AddBar(p.Total, mpb.BarRemoveOnComplete(),
			mpb.PrependDecorators(decor.Name(stageText[p.Stage], decor.WCSyncSpaceR)),
			mpb.AppendDecorators(decor.CurrentNoUnit("%d", decor.WCSyncSpace)))
	}
	if p.Total > 0 {
		b.bar.SetTotal(p.Total, false)
	}
	b.bar.SetCurrent(p.Done)
}

// end completes the current stage's bar.
func (b *bar) end() {
	if b.bar != nil {
		b.bar.SetTotal(-1, true)
		b.bar = nil
	}
}

func (b *bar) close() {
	b.end()
	b.pool.Shutdown()
}
