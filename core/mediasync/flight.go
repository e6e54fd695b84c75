package mediasync

import (
	"context"
	"slices"
	"time"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/remote"
)

const (
	// firstInFlight is how many requests are under way at first; with each answer it is one more, up to maxInFlight: at a
	// round trip of 50 ms more than 16 gain nothing (§15).
	firstInFlight = 4
	maxInFlight   = 16
	// maxBytes bounds what the requests under way carry together, as far as that is known.
	maxBytes = 48 << 20
	// maxFailures is how many requests in a row may fail before the sync gives up.
	maxFailures = 3
	// slowFactor and slowTime tell a server or network that is overloaded by requests at once from one that is far away.
	slowFactor = 4
	slowTime   = 250 * time.Millisecond
)

// job is one request of a transfer.
type job struct {
	names   []string // of a download
	entries []sent   // of an upload
	bytes   int64    // as far as known
	call    host.Call
	base    string // of the server that it went to
	started time.Time
}

// flight keeps several requests under way.
type flight struct {
	run    *syncRun
	method string
	jobs   []*job
	calls  []host.Call // of jobs
	window int
	bytes  int64
	best   time.Duration // shortest time to an answer
	failed int           // in a row
}

func (r *syncRun) newFlight(method string) *flight {
	return &flight{run: r, method: method, window: firstInFlight}
}

// room reports whether one more request of that size may start.
func (f *flight) room(bytes int64) bool {
	return len(f.jobs) == 0 || len(f.jobs) < f.window && f.bytes+bytes <= maxBytes
}

func (f *flight) start(ctx context.Context, j *job, req *host.Request) {
	j.base, j.started = f.run.server.Base, f.run.Host.Clock.Now()
	j.call = f.run.server.Send(ctx, req)
	f.jobs, f.calls = append(f.jobs, j), append(f.calls, j.call)
	f.bytes += j.bytes
}

// next waits for an answer and returns its job, whose call the caller closes.
func (f *flight) next(ctx context.Context) (*job, error) {
	for {
		i, err := f.run.Host.HTTP.Wait(ctx, f.calls)
		if err != nil {
			return nil, err
		}
		if i >= 0 {
			j := f.jobs[i]
			f.jobs, f.calls = slices.Delete(f.jobs, i, i+1), slices.Delete(f.calls, i, i+1)
			f.bytes -= j.bytes
			return j, nil
		}
	}
}

// good takes note of an answer: more requests at a time, unless answers take much longer than they could.
func (f *flight) good(j *job) {
	f.failed = 0
	took := f.run.Host.Clock.Now().Sub(j.started)
	if f.best == 0 || took < f.best {
		f.best = took
	}
	if took > slowFactor*f.best+slowTime {
		f.window = max(f.window-1, 2)
	} else {
		f.window = min(f.window+1, maxInFlight)
	}
}

// bad takes note of a request that has failed and reports whether going on with fewer at a time may help.
func (f *flight) bad(err error) bool {
	f.failed++
	f.window = max(f.window/2, 1)
	switch fault.KindOf(err) {
	case fault.Network, fault.ServerError, fault.DamagedDownload:
		return f.failed <= maxFailures
	}
	return false
}

// close ends what is still under way.
func (f *flight) close() {
	for _, c := range f.calls {
		c.Close()
	}
}

// moved follows a redirect. The requests that were under way at the time are all answered by one.
func (f *flight) moved(j *job, resp *host.Response) error {
	if j.base != f.run.server.Base {
		return nil
	}
	if f.run.moves++; f.run.moves > 1 {
		return remote.CheckStatus(f.method, resp)
	}
	return f.run.server.Redirect(f.method, resp)
}
