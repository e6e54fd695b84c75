package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"time"

	"github.com/cardferry/cardferry/core/colsync"
	"github.com/cardferry/cardferry/core/service"
	"github.com/cardferry/cardferry/hostrunner"
)

// childCommand makes this program measure one workload of ours, in a process of its own: so memory is that of the workload.
const childCommand = "child"

// childTask is what a child is asked to do.
type childTask struct {
	Engine, Dir, Cache, Do string
	Profile                string // file for a CPU profile, "" for none
	Account                colsync.Account
	Times                  int
}

// measured is what a child, or the real client, has found.
type measured struct {
	Seconds   float64
	Kilobytes int64 // peak memory beyond what the process had when its collection was open
	Requests  int
}

func runChild(args []string) error {
	var task childTask
	if err := json.Unmarshal([]byte(args[0]), &task); err != nil {
		return err
	}
	m, err := task.run(context.Background())
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(m)
}

func (c childTask) run(ctx context.Context) (m measured, err error) {
	engine, err := hostrunner.ParseEngine(c.Engine)
	if err != nil {
		return m, err
	}
	rt, err := hostrunner.New(ctx, hostrunner.Options{CacheDir: c.Cache})
	if err != nil {
		return m, err
	}
	p, err := rt.Open(ctx, hostrunner.OpenOptions{Dir: c.Dir, Engine: engine, Create: true})
	if err != nil {
		return m, err
	}
	defer p.Close()
	if _, err := p.Status(ctx, service.StatusParams{Offline: true}); err != nil { // opens the collection
		return m, err
	}
	stop, err := c.startProfile()
	if err != nil {
		return m, err
	}
	defer stop()
	debug.FreeOSMemory()
	resetPeak()
	before := kilobytes("VmRSS")
	var seconds []float64
	for range c.Times {
		began := time.Now()
		if m.Requests, err = c.once(ctx, p); err != nil {
			return m, err
		}
		seconds = append(seconds, time.Since(began).Seconds())
	}
	m.Seconds, m.Kilobytes = median(seconds), kilobytes("VmHWM")-before
	return m, nil
}

// startProfile starts a CPU profile if one is wanted, and returns what ends it.
func (c childTask) startProfile() (stop func(), err error) {
	if c.Profile == "" {
		return func() {}, nil
	}
	f, err := os.Create(c.Profile)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() {
		pprof.StopCPUProfile()
		_ = f.Close()
	}, nil
}

// once runs the workload and returns the number of requests, where that is known.
func (c childTask) once(ctx context.Context, p *hostrunner.Profile) (int, error) {
	transfer := service.TransferParams{Account: &c.Account}
	switch c.Do {
	case doUpload:
		_, err := p.Upload(ctx, transfer)
		return 0, err
	case doDownload:
		_, err := p.Download(ctx, transfer)
		return 0, err
	case doMedia:
		r, err := p.MediaSync(ctx, service.MediaSyncParams{Account: &c.Account})
		if err == nil && len(r.SetAside) > 0 {
			err = fmt.Errorf("set aside: %v", r.SetAside[0])
		}
		return int(r.RoundTrips), err
	}
	r, err := p.Sync(ctx, service.SyncParams{Account: &c.Account})
	if err == nil && r.Required != colsync.RequiredNone {
		err = fmt.Errorf("a %s sync is required", r.Required)
	}
	return r.RoundTrips, err
}

// median returns the middle value.
func median(list []float64) float64 {
	list = slices.Sorted(slices.Values(list))
	return list[len(list)/2]
}
