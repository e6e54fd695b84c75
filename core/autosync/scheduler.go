package autosync

import (
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
)

// Scheduler is the state of one profile. It is not safe for use by several goroutines.
type Scheduler struct {
	clock  host.Clock
	random host.Random

	seen     int64 // the clock at the last event
	open     bool
	set      Settings
	network  Network
	loggedIn bool
	visible  bool

	collection, media job

	// dirty: there are edits that the server does not have. Those that no sync has started since began at firstEdit.
	dirty               bool
	firstEdit, lastEdit int64
	lastQuiet           int64 // when a sync last started because of edits alone

	// usn is the server's number as of our last sync; heard what the server has said while one was running.
	usn, heard int64
	hearing    bool
	// mediaUSN is the number as of our last media sync, mediaAim the latest one, mediaRun that of the running one.
	mediaUSN, mediaAim, mediaRun int64

	// check: the reason for the next sync is only that there may be something on the server; checking: for the running one.
	check, checking bool
	fruitless       int // syncs in a row that were made because of a change and brought nothing

	events       bool // the server has them
	listening    int64
	deafness     int   // failures to listen
	listenBefore int64 // not to be tried before
}

// New returns a scheduler. It does nothing before it is told that a profile was opened.
func New(clock host.Clock, random host.Random) *Scheduler {
	s := &Scheduler{clock: clock, random: random, set: Defaults()}
	s.reset(0)
	return s
}

// reset forgets everything but what the profile has used of its allowance.
func (s *Scheduler) reset(now int64) {
	*s = Scheduler{
		clock: s.clock, random: s.random, seen: s.seen, set: s.set,
		collection: job{due: never, spent: s.collection.spent}, media: job{due: never, spent: s.media.spent, ended: now},
		firstEdit: never, lastEdit: never, usn: -1, mediaUSN: -1, mediaAim: -1, listening: never,
	}
}

// Settings returns the settings as they are now.
func (s *Scheduler) Settings() Settings { return s.set }

// Handle notes what has happened and returns what to do. Errors: fault.InvalidInput, with nothing noted.
func (s *Scheduler) Handle(e Event) (Answer, error) {
	if err := check(e); err != nil {
		return Answer{}, err
	}
	now := s.now()
	switch e.Kind {
	case Opened:
		s.opened(e, now)
	case Account:
		s.account(e.LoggedIn, now)
	case Hidden, Closing:
		s.hidden(now)
	case Visible:
		s.shown(now)
	case Edited:
		s.edited(e.Media, now)
	case Net:
		s.net(e.Network, now)
	case Changed:
		s.changed(e, now)
	case Listening:
		s.listening = now
		s.wantCheck(now)
	case Deaf:
		s.deaf(now)
	case Settled:
		s.settings(e.Settings, now)
	case Began:
		s.began(e.What)
	case Finished:
		s.finished(e, now)
	}
	return s.answer(now), nil
}

func check(e Event) error {
	switch e.Kind {
	case Opened, Settled:
		if err := e.Settings.Check(); err != nil {
			return err
		}
	case Began, Finished:
		if e.What != Sync && e.What != MediaSync {
			return fault.New(fault.InvalidInput, "what must be sync or mediaSync, not %q", string(e.What))
		}
	case Account, Hidden, Visible, Closing, Edited, Net, Changed, Listening, Deaf, Wake:
	default:
		return fault.New(fault.InvalidInput, "there is no event %q", string(e.Kind))
	}
	switch e.Network {
	case "", Unmetered, Metered, Offline:
		return nil
	}
	return fault.New(fault.InvalidInput, "the network must be unmetered, metered or offline, not %q", string(e.Network))
}

// now returns the time. If the clock was set back, all that was noted moves with it, or everything would have to wait for the
// old time to come again.
func (s *Scheduler) now() int64 {
	now := s.clock.Now().UnixMilli()
	if back := s.seen - now; back > 0 {
		for _, t := range []*int64{
			&s.firstEdit, &s.lastEdit, &s.lastQuiet, &s.listening, &s.listenBefore,
			&s.collection.due, &s.collection.retry, &s.collection.spent, &s.collection.ended, &s.collection.well,
			&s.media.due, &s.media.retry, &s.media.spent, &s.media.ended, &s.media.well,
		} {
			if *t != never {
				*t -= back
			}
		}
	}
	s.seen = now
	return now
}

func (s *Scheduler) opened(e Event, now int64) {
	s.reset(now)
	s.open, s.set, s.network, s.loggedIn, s.visible, s.dirty = true, e.Settings, e.Network, e.LoggedIn, !e.Hidden, e.Pending
	if s.loggedIn {
		s.collection.want(now)
	}
}

func (s *Scheduler) account(loggedIn bool, now int64) {
	running, media, dirty := s.collection, s.media, s.dirty
	visible, network, open := s.visible, s.network, s.open
	s.reset(now)
	s.open, s.visible, s.network, s.dirty, s.loggedIn = open, visible, network, dirty, loggedIn
	s.collection.running, s.collection.manual = running.running, running.manual
	s.media.running, s.media.manual = media.running, media.manual
	if loggedIn {
		s.collection.want(now + ms(AfterLogin))
	}
}

func (s *Scheduler) hidden(now int64) {
	s.visible = false
	if s.dirty || now-s.collection.well >= ms(Fresh) {
		s.atOnce(now)
	}
}

func (s *Scheduler) shown(now int64) {
	was := s.visible
	s.visible = true
	if !was && now-s.collection.well >= ms(Glance) {
		s.atOnce(now)
	}
}

// atOnce wants a sync that does not wait for the time of a retry.
func (s *Scheduler) atOnce(now int64) {
	s.check = false
	s.collection.retry, s.media.retry = 0, 0
	if s.loggedIn {
		s.collection.want(now)
	}
}

func (s *Scheduler) edited(media bool, now int64) {
	if media {
		s.media.want(now + ms(Idle))
		return
	}
	s.dirty = true
	s.firstEdit, s.lastEdit = min(s.firstEdit, now), now
}

func (s *Scheduler) net(n Network, now int64) {
	was := s.network
	s.network = n
	if was != Offline || n == Offline {
		return
	}
	for _, j := range []*job{&s.collection, &s.media} {
		if !j.stopped || doubtful(j.failed) {
			j.forgive()
		}
	}
	s.listenBefore, s.deafness = 0, 0
	s.atOnce(now)
}

// wantCheck wants a sync since the server may have something.
func (s *Scheduler) wantCheck(at int64) {
	s.check = s.check || s.collection.due == never
	s.collection.want(at)
}

// changed: another device has synced. The number of our own sync is no news; nor is it while that sync runs, which is why it is
// compared at its end.
func (s *Scheduler) changed(e Event, now int64) {
	if e.MediaUSN >= 0 {
		s.mediaAim = e.MediaUSN
		if s.mediaAim != s.mediaUSN && !s.media.busy() {
			s.media.want(now)
		}
	}
	switch {
	case s.collection.busy():
		s.hearing, s.heard = true, e.USN
	case e.Empty && s.usn >= 0 && e.USN == s.usn+1: // and we have missed nothing else
		s.usn = e.USN
	case e.USN < 0 || e.USN != s.usn:
		s.wantCheck(now + s.patience())
	}
}

// patience is how long a sync because of a change waits, if those before brought nothing.
func (s *Scheduler) patience() int64 {
	if s.fruitless < 2 {
		return 0
	}
	return backOff(s.fruitless-1, s.below)
}

func (s *Scheduler) deaf(now int64) {
	if s.listening != never && now-s.listening >= ms(Steady) {
		s.deafness = 0
	}
	s.listening = never
	s.deafness++
	s.listenBefore = now + backOff(s.deafness, s.below)
}

func (s *Scheduler) settings(set Settings, now int64) {
	was := s.set
	s.set = set
	again := s.collection.stopped || s.collection.failures > 0 || !was.AutoSync && set.AutoSync
	if s.media.stopped || s.media.failures > 0 || !was.SyncMedia && set.SyncMedia {
		s.media.forgive()
		s.media.want(now)
	}
	s.collection.forgive()
	if again {
		s.atOnce(now)
	}
}

// began: the user syncs, which is what we would have done, and makes everything right again that needed them.
func (s *Scheduler) began(what Action) {
	if what == MediaSync {
		s.media.manual++
		s.beginMedia()
		s.media.forgive()
		s.media.due = never
		return
	}
	s.collection.manual++
	s.collection.forgive()
	s.collection.due = never
	s.beginSync()
	if s.media.failed != 0 && s.media.failed != fault.NeedsDecision {
		s.media.forgive()
		s.media.want(s.seen) // after this
	}
}

func (s *Scheduler) beginSync() {
	s.firstEdit, s.lastEdit = never, never
	s.checking, s.check, s.hearing = s.check && !s.dirty, false, false
}

func (s *Scheduler) beginMedia() { s.mediaRun = s.mediaAim }

func (s *Scheduler) finished(e Event, now int64) {
	j := &s.collection
	if e.What == MediaSync {
		j = &s.media
	}
	if e.Manual && j.manual == 0 || !e.Manual && !j.running {
		return // of a time before the profile was opened
	}
	if e.Manual {
		j.manual--
	} else {
		j.running = false
	}
	j.end(now, e.Error, s.below)
	switch {
	case e.What == MediaSync && e.Error == 0:
		if s.mediaUSN = s.mediaRun; s.mediaAim != s.mediaUSN {
			s.media.want(now)
		}
	case e.What == MediaSync && e.Error == fault.Cancelled && e.Manual:
		j.due, j.retry = never, now+ms(Longest) // the user did not want it now
	case e.What == Sync && e.Error == 0:
		s.synced(e, now)
	case e.What == Sync && e.Error == fault.Cancelled && s.dirty:
		j.want(now + ms(Longest)) // the user did not want it now
	}
}

// synced: a sync has ended well.
func (s *Scheduler) synced(e Event, now int64) {
	r := e.Report
	s.dirty = s.firstEdit != never
	s.usn = r.USN
	if r.HasEvents {
		s.events = r.Events
	}
	if r.MediaUSN >= 0 {
		s.mediaAim = r.MediaUSN
	}
	switch {
	case r.Received > 0 || !s.checking:
		s.fruitless = 0
	default:
		s.fruitless++
	}
	switch {
	case r.USN < 0: // a one-way sync: the next one learns the numbers
		s.atOnce(now)
	case !e.Manual && (!s.checking || s.mediaAim != s.mediaUSN):
		s.media.want(now)
	}
	if s.hearing && (s.heard < 0 || s.heard != s.usn) {
		s.wantCheck(now + s.patience())
	}
	s.hearing = false
}
