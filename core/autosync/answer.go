package autosync

import (
	"strconv"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/jsontext"
)

// answer starts what can be started and says when to look again.
func (s *Scheduler) answer(now int64) Answer {
	var a Answer
	wake := int64(never)
	if at := s.syncAt(); at <= now {
		s.startSync(now)
		a.Do = Sync
	} else {
		wake = at
	}
	if at := s.mediaAt(); at <= now { // not while a sync runs: that comes first
		s.beginMedia()
		s.media.start(now)
		a.Do = MediaSync
	} else {
		wake = min(wake, at)
	}
	if s.wantsLive() {
		if a.Live = s.listening != never || s.listenBefore <= now; !a.Live {
			wake = min(wake, s.listenBefore)
		}
	} else {
		s.listening = never
	}
	if wake != never {
		a.Wake = wake - now
	}
	var kind fault.Kind
	if a.Activity, kind = s.activity(); kind != 0 {
		a.Error = kind.String()
	}
	return a
}

// allowed reports whether anything may be done by itself.
func (s *Scheduler) allowed() bool {
	return s.open && s.loggedIn && s.set.AutoSync && s.network != Offline && !s.collection.stopped &&
		!(s.network == Metered && s.set.Metered == MeteredNone)
}

// quietAt returns when a sync is due because of edits alone.
func (s *Scheduler) quietAt() int64 {
	if s.firstEdit == never {
		return never
	}
	at := min(s.lastEdit+ms(Idle), s.firstEdit+ms(Longest))
	if s.lastQuiet != 0 {
		at = max(at, s.lastQuiet+ms(Apart))
	}
	return at
}

// syncAt returns when the next sync starts.
func (s *Scheduler) syncAt() int64 {
	if !s.allowed() || s.collection.busy() {
		return never
	}
	return s.collection.at(min(s.collection.due, s.quietAt()))
}

func (s *Scheduler) startSync(now int64) {
	if s.collection.failures > 0 {
		s.check = false
	} else if s.collection.due > now {
		s.lastQuiet, s.check = now, false
	}
	s.collection.start(now)
	s.beginSync()
}

// mediaAt returns when the next media sync starts.
func (s *Scheduler) mediaAt() int64 {
	if !s.allowed() || s.collection.busy() || s.media.busy() || s.media.stopped || !s.set.SyncMedia ||
		s.network == Metered && s.set.Metered != MeteredAll {
		return never
	}
	due := s.media.due
	if interval := int64(s.set.MediaInterval * 60_000); interval > 0 && s.visible {
		due = min(due, s.media.ended+interval)
	}
	return s.media.at(due)
}

func (s *Scheduler) wantsLive() bool {
	return s.allowed() && s.set.Live && s.visible && s.events
}

func (s *Scheduler) activity() (Activity, fault.Kind) {
	kind := s.collection.failed
	if kind == 0 {
		kind = s.media.failed
	}
	switch {
	case s.collection.busy() || s.media.busy():
		return Syncing, 0
	case !s.open || !s.loggedIn:
		return Idling, 0
	case s.collection.stopped:
		return Attention, s.collection.failed
	case s.media.stopped:
		return Attention, s.media.failed
	case s.network == Offline:
		return IsOffline, kind
	case unreachable(kind):
		return IsOffline, kind
	}
	return Idling, kind
}

// AppendJSON appends a as JSON.
func (a Answer) AppendJSON(dst []byte) []byte {
	dst = jsontext.PutText(append(dst, '{'), "do", string(a.Do))
	dst = jsontext.PutBool(dst, "live", a.Live)
	dst = jsontext.PutText(dst, "activity", string(a.Activity))
	dst = jsontext.PutText(dst, "error", a.Error)
	return append(jsontext.PutInt(dst, "wake_ms", a.Wake), '}')
}

// AppendJSON appends s as JSON.
func (s Settings) AppendJSON(dst []byte) []byte {
	dst = jsontext.PutBool(append(dst, '{'), "autoSync", s.AutoSync)
	dst = jsontext.PutBool(dst, "live", s.Live)
	dst = jsontext.PutBool(dst, "syncMedia", s.SyncMedia)
	dst = strconv.AppendFloat(jsontext.AppendKey(dst, "mediaInterval"), s.MediaInterval, 'f', -1, 64)
	return append(jsontext.PutText(dst, "metered", string(s.Metered)), '}')
}
