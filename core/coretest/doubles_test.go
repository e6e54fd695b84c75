package coretest_test

import (
	"bytes"
	"context"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
)

func TestScriptedHTTP(t *testing.T) {
	t.Parallel()
	files := coretest.NewFiles()
	files.Put("cardferry.tmp/up", []byte("from a file"))
	h := &coretest.HTTP{Files: files, Answer: func(_ context.Context, req *host.Request) (*host.Response, error) {
		if req.URL == "lost" {
			return nil, fault.New(fault.Network, "lost")
		}
		return &host.Response{Status: 200, Body: append([]byte("got "), req.Body...)}, nil
	}}
	resp, err := coretest.Do(t.Context(), h, &host.Request{URL: "a", BodyFile: "cardferry.tmp/up"})
	if err != nil || string(resp.Body) != "got from a file" {
		t.Errorf("answer: %+v, %v", resp, err)
	}
	_, err = coretest.Do(t.Context(), h, &host.Request{URL: "lost"})
	coretest.WantKind(t, err, fault.Network)
	_, err = coretest.Do(t.Context(), h, &host.Request{URL: "a", Body: []byte("long"), Limit: 3})
	coretest.WantKind(t, err, fault.DamagedDownload)

	call := h.Start(t.Context(), &host.Request{URL: "b", Body: []byte("x"), Stream: true, Limit: 3})
	if call.Sent() != 0 {
		t.Error("sent before the wait")
	}
	coretest.Must(t, coretest.WaitFor(t.Context(), h, call))
	if b, err := io.ReadAll(coretest.Body(t.Context(), call)); string(b) != "got x" || err != nil || call.Sent() != 1 {
		t.Errorf("stream: %q, %v, sent %d", b, err, call.Sent())
	}
	call.Close()

	h.Pick = func(n int) int { return n - 1 }
	calls := []host.Call{h.Start(t.Context(), &host.Request{URL: "1"}), h.Start(t.Context(), &host.Request{URL: "2"})}
	if i, err := h.Wait(t.Context(), calls); i != 1 || err != nil {
		t.Errorf("picked %d, %v", i, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = h.Wait(ctx, calls[:1])
	coretest.WantKind(t, err, fault.Cancelled)
	var urls []string
	for _, r := range h.Requests() {
		urls = append(urls, r.URL)
	}
	if !slices.Equal(urls, []string{"a", "lost", "a", "b", "2"}) {
		t.Errorf("requests %q", urls)
	}
}

func TestFailingFiles(t *testing.T) {
	t.Parallel()
	files := coretest.NewFiles()
	files.Fail = func(step, name string) error {
		if step == "write" && name == "a" {
			return fault.New(fault.StorageFull, "full")
		}
		return nil
	}
	coretest.WantKind(t, coretest.WriteFile(files, "a", []byte("x")), fault.StorageFull)
	coretest.Must(t, coretest.WriteFile(files, "b", []byte("x")))
	if got := files.Get("b"); string(got) != "x" || files.Get("c") != nil {
		t.Errorf("b has %q", got)
	}
}

func TestClockRandomEvents(t *testing.T) {
	t.Parallel()
	start := time.Unix(1_700_000_000, 0)
	c := coretest.NewClock(start, -60)
	c.Advance(time.Hour)
	if got := c.Now().Sub(start); got != time.Hour || c.MinutesWest(start) != -60 {
		t.Errorf("the clock moved by %v", got)
	}
	var a, b [40]byte
	coretest.NewRandom(7).Random(a[:])
	coretest.NewRandom(7).Random(b[:])
	if a != b || bytes.Count(a[:], []byte{0}) > 10 {
		t.Errorf("random: %x, %x", a, b)
	}
	var e coretest.Events
	for _, s := range []host.Stage{host.StageConnect, host.StageChunks, host.StageConnect} {
		e.Progress(host.Progress{Stage: s, Done: 1})
	}
	if got := e.Stages(); !slices.Equal(got, []host.Stage{host.StageConnect, host.StageChunks}) || len(e.List()) != 3 {
		t.Errorf("stages %v", got)
	}
}
