package colsync

import (
	"context"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/wire"
)

// sliceSize is the number of rows in a slice of ours, unless our own server takes more (§7.6).
const sliceSize = 250

const (
	// sliceHead is how much of a slice is compared with the one before: more than the ids of its first row, which are in no other.
	sliceHead = 1 << 10
	// maxSame is how often a slice may come again: a server, or a cache before it, that never says done would be asked for ever.
	// Only empty slices are alike by right.
	maxSame = 32
)

// receiveChunks stages all of the server's slices: the first alone, as it may be the only one, then several requests
// at once. A done slice may overtake others, so all answers are waited for.
func (a *attempt) receiveChunks(ctx context.Context) error {
	done := false
	p := a.newPipeline(ctx, "chunk")
	defer p.close()
	var c wire.Chunk
	var head []byte
	same := 0
	p.onAnswer = func(body []byte) error {
		if err := wire.ParseChunk(body, &c); err != nil {
			return fault.Step("chunk", err)
		}
		if h := body[:min(len(body), sliceHead)]; c.Done || string(h) != string(head) {
			head, same = append(head[:0], h...), 0
		} else if same++; same == maxSame {
			return fault.New(fault.DamagedDownload, "chunk: the server sends the same rows again and again").WithHint(wire.Hint)
		}
		done = done || c.Done
		a.received.addChunk(&c)
		a.syncer.progress(host.StageChunks, a.chunkRows(), 0)
		return a.inbox.add(&c)
	}
	for first := true; !done; first = false {
		if err := p.send(wire.ChunkRequest(a.sliceWanted())); err != nil {
			return err
		}
		if first {
			if err := p.drain(); err != nil {
				return err
			}
		}
	}
	return p.drain()
}

// chunkRows is the number of rows received and sent so far.
func (a *attempt) chunkRows() (n int64) {
	for _, k := range []string{"notes", "cards", "revlog"} {
		n += a.received[k] + a.sent[k]
	}
	return n
}

// sendChunks sends the copied rows; the done slice goes last and alone.
func (a *attempt) sendChunks(ctx context.Context) error {
	slicer, err := collection.NewSlicer(a.db(), a.usn(), max(sliceSize, a.sliceWanted()))
	if err != nil {
		return err
	}
	defer slicer.Close()
	total := a.chunkRows() + a.toSend
	p := a.newPipeline(ctx, "applyChunk")
	defer p.close()
	for c := (wire.Chunk{}); !c.Done; {
		if err := slicer.Next(&c); err != nil {
			return err
		}
		if c.Done {
			if err := p.drain(); err != nil {
				return err
			}
		}
		if err := p.send(wire.ApplyChunkRequest(p.payload(), &c)); err != nil {
			return err
		}
		a.sent.addChunk(&c)
		a.syncer.progress(host.StageChunks, a.chunkRows(), total)
	}
	return p.drain()
}

// sliceWanted is the number of rows in a slice that our own server gives and takes, 0 with others.
func (a *attempt) sliceWanted() int {
	if a.meta.Slice <= sliceSize {
		return 0
	}
	return min(a.meta.Slice, maxSlice)
}

// maxSlice bounds the memory of a slice whatever a server offers.
const maxSlice = 10_000
