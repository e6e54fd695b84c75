// Package testservice has methods that tests of the engines call instead of those of core/service: each uses a port, or ends
// badly. Both engines run it, the guest in the place of wasm/guest/main.go (see ../testguest).
package testservice

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
)

// Service answers the methods.
type Service struct{ host.Host }

type params struct {
	URL    string `json:"url"`
	N      int    `json:"n"`
	SQL    string `json:"sql"`
	Name   string `json:"name"`
	Stream bool   `json:"stream"`
}

// Call runs a method.
func (s Service) Call(ctx context.Context, method string, raw []byte) ([]byte, error) {
	var p params
	if err := json.Unmarshal(raw, &p); err != nil {
		return nil, err
	}
	v, err := s.run(ctx, method, p)
	if err != nil {
		return nil, err
	}
	return json.Marshal(v)
}

func (s Service) run(ctx context.Context, method string, p params) (any, error) {
	switch method {
	case "echo":
		return p, nil
	case "panic":
		panic("ouch")
	case "exit":
		os.Exit(3)
	case "memory":
		var keep [][]byte
		for {
			keep = append(keep, make([]byte, 1<<20))
		}
	case "garbage":
		var keep [8][]byte // 8 MB of 1 GB stay in use
		for i := range p.N {
			keep[i%len(keep)] = append(make([]byte, 1<<20-1), byte(i))
		}
		return len(append(keep[0], keep[p.N%len(keep)]...)), nil
	case "stack":
		return depth(1), nil
	case "nothing":
		_, err := s.HTTP.Wait(ctx, nil)
		return nil, err
	case "spin":
		for {
			if err := s.Yield.Tick(ctx); err != nil {
				return nil, err
			}
		}
	case "get":
		return s.get(ctx, p)
	case "query":
		return s.query(ctx, p)
	case "left open":
		db, err := s.SQL.Open(ctx, p.Name, host.Create)
		if err != nil {
			return nil, err
		}
		return nil, db.Exec("CREATE TABLE t(x); BEGIN; INSERT INTO t VALUES (1)")
	case "nfc":
		return s.Text.NFC(p.Name), nil
	case "nfkd":
		return s.Text.NFKD(p.Name), nil
	case "file":
		return s.file(p)
	case "progress":
		for done := range int64(3) { // the last one is held until the end
			s.Events.Progress(host.Progress{Stage: host.StageChunks, Done: done, Total: 3})
		}
		return nil, nil
	case "ports":
		b := make([]byte, 16)
		s.Random.Random(b)
		s.Events.Progress(host.Progress{Stage: host.StageChunks, Done: 1, Total: 2})
		now := s.Clock.Now()
		return map[string]any{"random": b, "now": now.UnixMilli(), "west": s.Clock.MinutesWest(now)}, nil
	}
	return nil, fault.New(fault.InvalidInput, "no method %s", method)
}

func depth(n int) int { return depth(n+1) + depth(n+2) + 1 }

// get sends n requests at once, and returns status and length of each answer in the order of their arrival.
func (s Service) get(ctx context.Context, p params) (any, error) {
	var calls []host.Call
	var body []byte
	if p.Name == "" {
		body = []byte("body")
	}
	for range max(p.N, 1) {
		c := s.HTTP.Start(ctx, &host.Request{
			Method: "POST", URL: p.URL, Body: body, BodyFile: p.Name, Stream: p.Stream, Limit: 1 << 20, Stall: 30 * time.Second,
		})
		defer c.Close()
		calls = append(calls, c)
	}
	var got [][2]int
	wakes := 0
	for len(calls) > 0 {
		i, err := s.HTTP.Wait(ctx, calls)
		if err != nil {
			return nil, err
		}
		if i < 0 {
			wakes++
			continue
		}
		r, err := calls[i].Response()
		if err != nil {
			return nil, err
		}
		n := len(r.Body)
		if p.Stream && r.Status == 200 {
			k, err := io.Copy(io.Discard, reader{ctx, calls[i]})
			if err != nil {
				return nil, err
			}
			n += int(k)
		}
		got = append(got, [2]int{r.Status, n})
		calls = append(calls[:i], calls[i+1:]...)
	}
	return map[string]any{"got": got, "wakes": wakes}, nil
}

type reader struct {
	ctx context.Context
	c   host.Call
}

func (r reader) Read(p []byte) (int, error) { return r.c.Read(r.ctx, p) }

// query opens a database, runs SQL, closes, and returns the first columns.
func (s Service) query(ctx context.Context, p params) (any, error) {
	db, err := s.SQL.Open(ctx, p.Name, host.Create)
	if err != nil {
		return nil, err
	}
	values := []any{}
	for row, rerr := range rows.Query(db, p.SQL) {
		if err = rerr; err == nil {
			values = append(values, row[0].Any())
		}
	}
	return values, errors.Join(err, db.Close())
}

func (s Service) file(p params) (any, error) {
	f, err := s.Files.Create(p.Name)
	if err != nil {
		return nil, err
	}
	if _, err = f.Write(make([]byte, p.N)); err != nil {
		return nil, err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return nil, err
	}
	info, err := s.Files.Stat(p.Name)
	if err != nil {
		return nil, err
	}
	list, err := s.Files.List(p.Name)
	return []any{info.Size, time.Since(info.Modified) < time.Hour, len(list)}, err
}
