package syncserver

import (
	"bytes"
	"context"
	"runtime/debug"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/wire"
)

// Between two slices a client has work of its own, most of the time of a long sync. Ours is done meanwhile: a slice is stored after it was
// acknowledged, and the next one prepared after the last was sent. The account's lock is not given back before, so the next request finds
// everything in order; what went wrong is what it is told. Nothing counts before the session's end anyway.

// laterBytes bounds the slices that are stored later: a session has no more than this waiting.
const laterBytes = 4 << 20

// goOn does what need not be waited for. It has the account's lock, and gives it back.
func (t *tenant) goOn(do func(ctx context.Context)) {
	s := t.server
	t.registry.stay(t)
	s.requests.Add(1) // of the request that is still under way
	go func() {
		defer s.requests.Done()
		defer t.registry.leave(t)
		defer func() { <-t.lock }()
		defer func() {
			if r := recover(); r != nil { // nobody knows in what state the collection is
				s.Log.Error("a defect", "account", string(t.id), "error", r, "stack", string(debug.Stack()))
				t.closeCollection()
			}
		}()
		ctx, cancel := context.WithTimeout(context.Background(), s.Limits.Work)
		defer cancel()
		do(ctx)
	}()
}

// stay counts somebody more who uses an account that is in use.
func (g *registry) stay(t *tenant) {
	g.mu.Lock()
	defer g.mu.Unlock()
	t.users++
}

// later does something of the session's after the request. An error is that of the next request.
func (s *session) later(t *tenant, do func() error) {
	t.next = func(ctx context.Context) {
		limitTo(ctx, s.db)
		s.failed = do()
	}
}

// prepared is a slice that is ready to be sent.
type prepared struct {
	body []byte // compressed
	size int    // before
	done bool
}

// nextSlice takes the next slice, which may have been prepared. It uses the memory of t, and nothing of it stays there.
func (s *session) nextSlice(t *tools) (p prepared, err error) {
	if s.ahead != nil {
		p, s.ahead = *s.ahead, nil
		return p, nil
	}
	slice := chunks.Get().(*wire.Chunk)
	defer chunks.Put(slice)
	if err := s.slicer.Next(slice); err != nil {
		return p, err
	}
	t.payload = wire.AppendChunk(t.payload[:0], slice)
	t.body = t.Compress(t.body[:0], t.payload)
	return prepared{bytes.Clone(t.body), len(t.payload), slice.Done}, nil
}

// lookAhead prepares the slice after this one.
func (s *session) lookAhead() error {
	t := toolbox.Get().(*tools)
	defer t.giveBack()
	p, err := s.nextSlice(t)
	if err == nil {
		s.ahead = &p
	}
	return err
}

// listFor lists the rows for the client, at the first call, and sets the size of slices.
func (s *session) listFor(size int) (err error) {
	if s.slicer == nil {
		if err := s.slices.StoreAll(); err != nil {
			return err
		}
		s.slicer, err = collection.ListSince(s.db, s.minUSN, size)
	}
	if err == nil {
		s.slicer.SetSize(size)
	}
	return err
}
