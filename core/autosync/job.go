package autosync

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/cardferry/cardferry/core/fault"
)

// Times are in Unix milliseconds; never is later than all of them.
const never = math.MaxInt64

func ms(d time.Duration) int64 { return d.Milliseconds() }

// job is one of the two things that are done: syncing the collection, syncing media files.
type job struct {
	running bool  // as we answered
	manual  int   // how many the user has started
	due     int64 // when there is a reason
	retry   int64 // not before, after a failure
	spent   int64 // until when the allowance is used up (Cost)
	ended   int64
	well    int64 // when it last ended well
	// failures counts those in a row, failed is the last one's kind; stopped: the user must act.
	failures int
	failed   fault.Kind
	stopped  bool
}

func (j *job) busy() bool { return j.running || j.manual > 0 }

// want makes a run due.
func (j *job) want(at int64) { j.due = min(j.due, at) }

// at returns when a run may start that is due then, or is to be tried again.
func (j *job) at(due int64) int64 {
	if j.failures > 0 && !j.stopped {
		due = min(due, j.retry)
	}
	if due == never {
		return never
	}
	return max(due, j.retry, j.spent-(Burst-1)*ms(Cost))
}

// start begins a run.
func (j *job) start(now int64) {
	j.running, j.due = true, never
	j.spent = max(j.spent, now) + ms(Cost)
}

// forgive lets the next run start at once, whatever went wrong before.
func (j *job) forgive() {
	j.retry, j.failures, j.failed, j.stopped = 0, 0, 0, false
}

// end notes how a run ended.
func (j *job) end(now int64, kind fault.Kind, random func(int64) int64) {
	j.ended = now
	switch {
	case kind == 0:
		j.forgive()
		j.well = now
	case kind == fault.Cancelled: // says nothing about the server
	case passing(kind) || doubtful(kind) && j.failures < Doubts:
		j.failures++
		j.failed, j.retry = kind, now+backOff(j.failures, random)
	default:
		j.failed, j.stopped = kind, true
	}
}

// backOff returns how long to wait after so many failures.
func backOff(failures int, random func(int64) int64) int64 {
	wait := min(ms(FirstRetry)<<min(failures-1, 20), ms(LastRetry))
	return wait - random(wait/2)
}

// passing reports whether a later try may go well without anybody doing anything.
func passing(kind fault.Kind) bool {
	return unreachable(kind) || kind == fault.Conflict || kind == fault.Busy
}

// unreachable reports whether the failure means that the server cannot be reached.
func unreachable(kind fault.Kind) bool {
	switch kind {
	case fault.Offline, fault.Timeout, fault.Network, fault.ServerError:
		return true
	}
	return false
}

// doubtful reports whether a later try may go well, but not for long: a network that answers in the server's place, a
// structure that is being changed elsewhere.
func doubtful(kind fault.Kind) bool {
	switch kind {
	case fault.ProxyAuth, fault.DamagedDownload, fault.Resync:
		return true
	}
	return false
}

// below returns a random number from 0 to n-1, 0 if there is none.
func (s *Scheduler) below(n int64) int64 {
	if n <= 0 {
		return 0
	}
	var b [8]byte
	s.random.Random(b[:])
	return int64(binary.LittleEndian.Uint64(b[:]) % uint64(n))
}
