package abi

import (
	"context"
	"time"

	"github.com/cardferry/cardferry/core/host"
)

var (
	_ host.Clock   = clockPort{}
	_ host.Random  = randomPort{}
	_ host.Text    = textPort{}
	_ host.Events  = eventsPort{}
	_ host.Yielder = yieldPort{}
)

// turnLength is how long, in milliseconds, a task computes before it gives the host a turn. A cancel is noticed with
// the next turn, so it bounds how late that is.
const turnLength = 100

type clockPort struct{ g *Guest }

func (p clockPort) Now() time.Time { return time.UnixMilli(p.g.imports.Now()) }

func (p clockPort) MinutesWest(t time.Time) int { return int(p.g.imports.MinutesWest(t.UnixMilli())) }

type randomPort struct{ g *Guest }

func (p randomPort) Random(b []byte) { p.g.imports.Random(b) }

type textPort struct{ g *Guest }

func (p textPort) NFC(s string) string  { return p.normalize(FormNFC, s) }
func (p textPort) NFKD(s string) string { return p.normalize(FormNFKD, s) }

// normalize makes room for a text that does not grow; few do.
func (p textPort) normalize(form int32, s string) string {
	buf := make([]byte, len(s))
	for {
		n := int(p.g.imports.Normalize(form, s, buf))
		if n < 0 {
			panic("abi: the host cannot normalise: " + p.g.imports.LastError()) // it always can
		}
		if n <= len(buf) {
			return string(buf[:n])
		}
		buf = make([]byte, n)
	}
}

type eventsPort struct{ g *Guest }

func (p eventsPort) Progress(r host.Progress) {
	p.g.imports.Progress(p.g.current().id, string(r.Stage), r.Done, r.Total)
}

type yieldPort struct{ g *Guest }

// Tick suspends the task if its turn has lasted long enough, or if the clock was set back.
func (p yieldPort) Tick(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	t := p.g.current()
	if passed := p.g.imports.Now() - t.turn; passed >= 0 && passed < turnLength {
		return nil
	}
	return p.Pause(ctx)
}

// Pause suspends the task until the others have had their turn.
func (p yieldPort) Pause(ctx context.Context) error {
	p.g.imports.Tick(p.g.current().id)
	p.g.suspend(forTick)
	return ctx.Err()
}
