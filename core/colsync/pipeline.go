package colsync

import (
	"context"
	"slices"

	"github.com/cardferry/cardferry/core/host"
)

const (
	// maxInFlight is how many requests of one kind may be under way: 16 take 0.13–0.15 of the reference's time at
	// 50 ms, and more gain little (design.md §3).
	maxInFlight = 16
	// firstInFlight is where the window begins; it grows by one with each answer.
	firstInFlight = 4
)

// pipeline keeps several requests of one method in flight.
type pipeline struct {
	a      *attempt
	ctx    context.Context
	method string
	window int
	calls  []inFlight
	spare  [][]byte // payloads of answered requests, to be used again
	body   []byte   // of the last answer; reused
	// onAnswer handles the body of an answer, which is valid during the call; nil ignores it.
	onAnswer func(body []byte) error
}

func (a *attempt) newPipeline(ctx context.Context, method string) *pipeline {
	return &pipeline{a: a, ctx: ctx, method: method, window: min(firstInFlight, a.inFlight)}
}

// inFlight is a request with its payload, which belongs to the host until the answer is there.
type inFlight struct {
	host.Call
	payload []byte
}

// payload returns an empty slice, with the memory of a payload that is not needed any more if there is one.
func (p *pipeline) payload() []byte {
	if n := len(p.spare); n > 0 {
		b := p.spare[n-1]
		p.spare = p.spare[:n-1]
		return b[:0]
	}
	return nil
}

// send starts a request, first waiting for answers while the window is full. The pipeline keeps the payload.
func (p *pipeline) send(payload []byte) error {
	for len(p.calls) >= p.window {
		if err := p.one(); err != nil {
			return err
		}
	}
	p.calls = append(p.calls, inFlight{p.a.remote.Start(p.ctx, p.method, payload), payload})
	if len(p.calls) > 1 {
		p.a.overlapped = true
	}
	return nil
}

// one waits for one answer.
func (p *pipeline) one() error {
	waiting := make([]host.Call, len(p.calls))
	for i, c := range p.calls {
		waiting[i] = c.Call
	}
	i, err := p.a.remote.Host.HTTP.Wait(p.ctx, waiting)
	if err != nil || i < 0 {
		return err
	}
	call := p.calls[i]
	p.calls = slices.Delete(p.calls, i, i+1)
	defer call.Close()
	body, err := p.a.remote.AnswerInto(p.body[:0], p.method, call)
	if err != nil {
		return err
	}
	p.body, p.spare = body, append(p.spare, call.payload)
	p.window = min(p.window+1, p.a.inFlight)
	if p.onAnswer != nil {
		return p.onAnswer(body)
	}
	return nil
}

// drain waits for all answers.
func (p *pipeline) drain() error {
	for len(p.calls) > 0 {
		if err := p.one(); err != nil {
			return err
		}
	}
	return nil
}

// close ends what is still in flight.
func (p *pipeline) close() {
	for _, c := range p.calls {
		c.Close()
	}
}
