package autosync_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/cardferry/cardferry/core/autosync"
	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
)

// steady is a host.Random that never leaves anything out: waits are the longest ones.
type steady struct{}

func (steady) Random(p []byte) {
	for i := range p {
		p[i] = 0
	}
}

// step is an event some time after the one before, and the answer: what to do, if live is wanted, the activity and its error, the
// time until the next wake.
type step struct {
	after time.Duration
	event autosync.Event
	want  string
}

func show(a autosync.Answer) string {
	s := string(a.Activity)
	if a.Error != "" {
		s += "(" + a.Error + ")"
	}
	if a.Live {
		s += " live"
	}
	if a.Do != "" {
		s += " do=" + string(a.Do)
	}
	if a.Wake != 0 {
		s += fmt.Sprint(" wake=", time.Duration(a.Wake)*time.Millisecond)
	}
	return s
}

// The events of the tables.
var (
	wake      = autosync.Event{Kind: autosync.Wake}
	edited    = autosync.Event{Kind: autosync.Edited}
	added     = autosync.Event{Kind: autosync.Edited, Media: true}
	hidden    = autosync.Event{Kind: autosync.Hidden}
	visible   = autosync.Event{Kind: autosync.Visible}
	listening = autosync.Event{Kind: autosync.Listening}
	deaf      = autosync.Event{Kind: autosync.Deaf}
	began     = autosync.Event{Kind: autosync.Began, What: autosync.Sync}
	login     = autosync.Event{Kind: autosync.Account, LoggedIn: true}
	logout    = autosync.Event{Kind: autosync.Account}
)

func opened(change ...func(*autosync.Event)) autosync.Event {
	e := autosync.Event{Kind: autosync.Opened, Settings: autosync.Defaults(), LoggedIn: true}
	for _, c := range change {
		c(&e)
	}
	return e
}

func with(change func(*autosync.Settings)) autosync.Event {
	return opened(func(e *autosync.Event) { change(&e.Settings) })
}

func settings(change func(*autosync.Settings)) autosync.Event {
	e := with(change)
	e.Kind = autosync.Settled
	return e
}

// quiet has no media sync, so that tables about the collection stay short.
func quiet(s *autosync.Settings) { s.SyncMedia = false }

func synced(usn int64) autosync.Event {
	return autosync.Event{Kind: autosync.Finished, What: autosync.Sync, Report: autosync.Report{USN: usn, MediaUSN: 3}}
}

// syncedLive is the end of a sync with a server that has events.
func syncedLive(usn, received int64) autosync.Event {
	e := synced(usn)
	e.Report.Events, e.Report.HasEvents, e.Report.Received = true, true, received
	return e
}

func failed(kind fault.Kind) autosync.Event {
	return autosync.Event{Kind: autosync.Finished, What: autosync.Sync, Error: kind}
}

func media(kind fault.Kind) autosync.Event {
	return autosync.Event{Kind: autosync.Finished, What: autosync.MediaSync, Error: kind}
}

func changed(usn, mediaUSN int64) autosync.Event {
	return autosync.Event{Kind: autosync.Changed, USN: usn, MediaUSN: mediaUSN}
}

// empty is a sync of another device that has only fetched something.
func empty(usn int64) autosync.Event {
	e := changed(usn, -1)
	e.Empty = true
	return e
}

func network(n autosync.Network) autosync.Event {
	return autosync.Event{Kind: autosync.Net, Network: n}
}

func manual(e autosync.Event) autosync.Event {
	e.Manual = true
	return e
}

const (
	s = time.Second
	m = time.Minute
)

func TestScheduler(t *testing.T) {
	t.Parallel()
	for name, steps := range map[string][]step{
		"open, media with it, and again later": {
			{0, opened(), "syncing do=sync"},
			{s, synced(7), "syncing do=mediaSync"},
			{s, media(0), "idle wake=15m0s"},
			{15 * m, wake, "syncing do=mediaSync"},
			{s, media(0), "idle wake=15m0s"},
		},
		"no account": {
			{0, opened(func(e *autosync.Event) { e.LoggedIn = false }), "idle"},
			{s, edited, "idle"},
			{s, hidden, "idle"},
			{s, visible, "idle"},
			{s, login, "idle wake=2s"},
			{2 * s, wake, "syncing do=sync"},
			{s, logout, "syncing"},
			{s, synced(7), "idle"},
		},
		"after a login the application syncs itself": {
			{0, opened(func(e *autosync.Event) { e.LoggedIn = false; quiet(&e.Settings) }), "idle"},
			{s, login, "idle wake=2s"},
			{s, began, "syncing"},
			{s, manual(synced(7)), "idle"},
			{m, wake, "idle"},
		},
		"after a one-way sync the numbers are asked for": {
			{0, opened(func(e *autosync.Event) { e.LoggedIn = false; quiet(&e.Settings) }), "idle"},
			{s, login, "idle wake=2s"},
			{s, began, "syncing"},
			{s, manual(synced(-1)), "syncing do=sync"},
			{s, syncedLive(7, 0), "idle live"},
		},
		"edits": {
			{0, with(quiet), "syncing do=sync"},
			{s, synced(7), "idle"},
			{s, edited, "idle wake=20s"},
			{19 * s, edited, "idle wake=20s"},
			{19 * s, wake, "idle wake=1s"},
			{s, wake, "syncing do=sync"},
			{s, synced(8), "idle"},
			{s, edited, "idle wake=58s"}, // a minute after the last one began
			{10 * s, edited, "idle wake=48s"},
			{48 * s, wake, "syncing do=sync"},
			{s, edited, "syncing"},
			{s, synced(9), "idle wake=58s"},
		},
		"edits without an end": {
			{0, with(quiet), "syncing do=sync"},
			{s, synced(7), "idle"},
			{0, edited, "idle wake=20s"},
			{19 * s, edited, "idle wake=20s"}, {19 * s, edited, "idle wake=20s"}, {19 * s, edited, "idle wake=20s"},
			{19 * s, edited, "idle wake=20s"}, {19 * s, edited, "idle wake=20s"}, {19 * s, edited, "idle wake=20s"},
			{19 * s, edited, "idle wake=20s"}, {19 * s, edited, "idle wake=20s"}, {19 * s, edited, "idle wake=20s"},
			{19 * s, edited, "idle wake=20s"}, {19 * s, edited, "idle wake=20s"}, {19 * s, edited, "idle wake=20s"},
			{19 * s, edited, "idle wake=20s"}, {19 * s, edited, "idle wake=20s"}, {19 * s, edited, "idle wake=15s"},
			{15 * s, edited, "syncing do=sync"},
		},
		"hide and show": {
			{0, with(quiet), "syncing do=sync"},
			{s, synced(7), "idle"},
			{s, hidden, "idle"}, // just synced, nothing to send
			{s, visible, "idle"},
			{s, edited, "idle wake=20s"},
			{s, hidden, "syncing do=sync"},
			{s, synced(8), "idle"},
			{6 * s, visible, "syncing do=sync"},
			{s, synced(8), "idle"},
			{m, hidden, "syncing do=sync"},
			{s, synced(8), "idle"},
		},
		"closing with something to send, while a sync runs": {
			{0, with(quiet), "syncing do=sync"},
			{s, edited, "syncing"},
			{s, autosync.Event{Kind: autosync.Closing}, "syncing"},
			{s, synced(7), "syncing do=sync"},
		},
		"pending when opened, and the sync was cancelled": {
			{0, opened(func(e *autosync.Event) { e.Pending = true; quiet(&e.Settings) }), "syncing do=sync"},
			{s, failed(fault.Cancelled), "idle wake=5m0s"},
			{s, hidden, "syncing do=sync"},
		},
		"retries": {
			{0, with(quiet), "syncing do=sync"},
			{s, failed(fault.Timeout), "offline(timeout) wake=5s"},
			{s, edited, "offline(timeout) wake=4s"},
			{4 * s, wake, "syncing do=sync"},
			{s, failed(fault.ServerError), "offline(server_error) wake=10s"},
			{10 * s, wake, "syncing do=sync"},
			{s, failed(fault.Conflict), "idle(conflict) wake=20s"},
			{20 * s, wake, "syncing do=sync"},
			{s, synced(7), "idle"},
			{m, edited, "idle wake=20s"},
			{20 * s, wake, "syncing do=sync"},
			{s, failed(fault.Network), "offline(network) wake=5s"}, // from the beginning
		},
		"the longest wait": {
			{0, with(quiet), "syncing do=sync"},
			{0, failed(fault.Offline), "offline(offline) wake=5s"}, {5 * s, wake, "syncing do=sync"},
			{0, failed(fault.Offline), "offline(offline) wake=10s"}, {10 * s, wake, "syncing do=sync"},
			{0, failed(fault.Offline), "offline(offline) wake=20s"}, {20 * s, wake, "syncing do=sync"},
			{0, failed(fault.Offline), "offline(offline) wake=40s"}, {40 * s, wake, "syncing do=sync"},
			{0, failed(fault.Offline), "offline(offline) wake=1m20s"}, {80 * s, wake, "syncing do=sync"},
			{0, failed(fault.Offline), "offline(offline) wake=2m40s"}, {160 * s, wake, "syncing do=sync"},
			{0, failed(fault.Offline), "offline(offline) wake=5m20s"}, {320 * s, wake, "syncing do=sync"},
			{0, failed(fault.Offline), "offline(offline) wake=10m40s"}, {640 * s, wake, "syncing do=sync"},
			{0, failed(fault.Offline), "offline(offline) wake=15m0s"}, {15 * m, wake, "syncing do=sync"},
			{0, failed(fault.Offline), "offline(offline) wake=15m0s"},
			{s, visible, "offline(offline) wake=14m59s"}, // it was visible
			{s, hidden, "syncing do=sync"},
			{s, failed(fault.Offline), "offline(offline) wake=15m0s"},
			{s, network(autosync.Offline), "offline(offline)"},
			{s, network(autosync.Metered), "syncing do=sync"},
			{s, failed(fault.Offline), "offline(offline) wake=5s"},
		},
		"what needs the user": {
			{0, with(quiet), "syncing do=sync"},
			{s, failed(fault.Auth), "attention(auth)"},
			{s, edited, "attention(auth)"},
			{s, hidden, "attention(auth)"},
			{s, visible, "attention(auth)"},
			{s, changed(9, 9), "attention(auth)"},
			{s, network(autosync.Offline), "attention(auth)"},
			{s, network(autosync.Unmetered), "attention(auth)"},
			{24 * 60 * m, wake, "attention(auth)"},
			{s, login, "idle wake=2s"},
			{2 * s, wake, "syncing do=sync"},
			{s, failed(fault.OneWayNeeded), "attention(one_way_needed)"},
			{s, began, "syncing"},
			{s, manual(failed(fault.Cancelled)), "idle wake=5m0s"}, // there are edits
			{s, began, "syncing"},
			{s, manual(failed(fault.Clock)), "attention(clock)"},
			{s, settings(quiet), "syncing do=sync"},
		},
		"doubtful failures": {
			{0, with(quiet), "syncing do=sync"},
			{s, failed(fault.DamagedDownload), "idle(damaged_download) wake=5s"},
			{5 * s, wake, "syncing do=sync"},
			{s, failed(fault.DamagedDownload), "idle(damaged_download) wake=10s"},
			{10 * s, wake, "syncing do=sync"},
			{s, failed(fault.ProxyAuth), "idle(proxy_auth) wake=20s"},
			{20 * s, wake, "syncing do=sync"},
			{s, failed(fault.ProxyAuth), "attention(proxy_auth)"},
			{s, network(autosync.Offline), "attention(proxy_auth)"},
			{s, network(autosync.Unmetered), "syncing do=sync"},
		},
		"held deletions stop media only": {
			{0, opened(), "syncing do=sync"},
			{s, synced(7), "syncing do=mediaSync"},
			{s, media(fault.NeedsDecision), "attention(needs_decision)"},
			{15 * m, edited, "attention(needs_decision) wake=20s"},
			{20 * s, wake, "syncing do=sync"},
			{s, synced(8), "attention(needs_decision)"},
			{s, began, "syncing"},
			{s, manual(synced(8)), "attention(needs_decision)"},
			{s, autosync.Event{Kind: autosync.Began, What: autosync.MediaSync}, "syncing"},
			{s, manual(media(0)), "idle wake=15m0s"},
		},
		"the user stops the media after a one-way sync": {
			{0, opened(), "syncing do=sync"},
			{s, failed(fault.OneWayNeeded), "attention(one_way_needed)"},
			{s, began, "syncing"},
			{s, manual(synced(-1)), "syncing do=sync"},
			{0, autosync.Event{Kind: autosync.Began, What: autosync.MediaSync}, "syncing"},
			{s, synced(7), "syncing"},
			{s, manual(media(fault.Cancelled)), "idle wake=15m0s"}, // and not at once again
			{15 * m, wake, "syncing do=mediaSync"},
		},
		"the user stops the media while a sync runs": {
			{0, opened(), "syncing do=sync"},
			{0, autosync.Event{Kind: autosync.Began, What: autosync.MediaSync}, "syncing"},
			{s, manual(media(fault.Cancelled)), "syncing"},
			{s, synced(7), "idle wake=4m59s"},
			{s, autosync.Event{Kind: autosync.Began, What: autosync.MediaSync}, "syncing"}, // now they are wanted
			{s, manual(media(0)), "idle wake=15m0s"},
		},
		"media fails and is tried again": {
			{0, opened(), "syncing do=sync"},
			{s, synced(7), "syncing do=mediaSync"},
			{s, media(fault.Timeout), "offline(timeout) wake=5s"},
			{5 * s, wake, "syncing do=mediaSync"},
			{s, edited, "syncing wake=20s"},
			{20 * s, wake, "syncing do=sync"}, // beside it
			{s, synced(8), "syncing"},
			{s, media(0), "syncing do=mediaSync"},
			{s, media(0), "idle wake=15m0s"},
			{s, added, "idle wake=20s"},
			{20 * s, wake, "syncing do=mediaSync"},
		},
		"live": {
			{0, with(quiet), "syncing do=sync"},
			{s, syncedLive(7, 5), "idle live"},
			{s, listening, "syncing live do=sync"}, // what was missed
			{s, syncedLive(7, 0), "idle live"},
			{s, changed(7, -1), "idle live"}, // our own
			{s, changed(8, -1), "syncing live do=sync"},
			{s, changed(9, -1), "syncing live"}, // that of the running one, as it will turn out
			{s, syncedLive(9, 1), "idle live"},
			{s, changed(-1, 3), "syncing live do=sync"},
			{s, changed(12, -1), "syncing live"},
			{s, syncedLive(11, 1), "syncing live do=sync"},
			{s, changed(13, -1), "syncing live"},
			{s, failed(fault.Timeout), "offline(timeout) live wake=5s"},
			{s, hidden, "offline(timeout) wake=4s"},
			{10 * s, visible, "syncing live do=sync"},
			{s, syncedLive(13, 1), "idle live"},
			{s, empty(14), "idle live"},
			{s, empty(15), "idle live"},
			{s, empty(17), "syncing live do=sync"},
		},
		"changes of media files only": {
			{0, opened(), "syncing do=sync"},
			{s, syncedLive(7, 5), "syncing live do=mediaSync"},
			{s, media(0), "idle live wake=15m0s"},
			{s, listening, "syncing live do=sync"},
			{s, syncedLive(7, 0), "idle live wake=14m58s"}, // nothing new for media
			{s, changed(7, 4), "syncing live do=mediaSync"},
			{s, changed(7, 5), "syncing live"},
			{s, media(0), "syncing live do=mediaSync"},
			{s, media(0), "idle live wake=15m0s"},
		},
		"a server that cannot be listened to": {
			{0, with(quiet), "syncing do=sync"},
			{s, syncedLive(7, 5), "idle live"},
			{s, deaf, "idle wake=5s"},
			{5 * s, wake, "idle live"},
			{s, deaf, "idle wake=10s"},
			{10 * s, wake, "idle live"},
			{s, listening, "syncing live do=sync"},
			{s, syncedLive(7, 0), "idle live"},
			{s, deaf, "idle wake=20s"}, // it did not last
			{20 * s, listening, "syncing live do=sync"},
			{s, syncedLive(7, 0), "idle live"},
			{m, deaf, "idle wake=5s"},
		},
		"two devices that keep each other busy": {
			{0, with(quiet), "syncing do=sync"},
			{s, syncedLive(7, 5), "idle live"},
			{s, changed(8, -1), "syncing live do=sync"}, {0, syncedLive(9, 0), "idle live"},
			{s, changed(10, -1), "syncing live do=sync"}, {0, syncedLive(11, 0), "idle live"},
			{s, changed(12, -1), "idle live wake=5s"}, {5 * s, wake, "syncing live do=sync"}, {0, syncedLive(13, 0), "idle live"},
			{s, changed(14, -1), "idle live wake=10s"}, {10 * s, wake, "syncing live do=sync"}, {0, syncedLive(15, 1), "idle live"},
			{s, changed(16, -1), "syncing live do=sync"},
		},
		"metered": {
			{0, opened(func(e *autosync.Event) { e.Network = autosync.Metered }), "syncing do=sync"},
			{s, syncedLive(7, 1), "idle live"},
			{15 * m, settings(func(s *autosync.Settings) { s.Metered = autosync.MeteredNone }), "idle"},
			{s, edited, "idle"},
			{s, hidden, "idle"},
			{s, network(autosync.Unmetered), "syncing do=sync"},
			{s, synced(8), "syncing do=mediaSync"},
			{s, media(0), "idle"},
			{s, network(autosync.Metered), "idle"},
			{s, settings(func(s *autosync.Settings) { s.Metered = autosync.MeteredAll }), "idle"},
			{15 * m, visible, "syncing live do=sync"},
			{s, synced(8), "syncing live do=mediaSync"},
		},
		"turned off": {
			{0, with(func(s *autosync.Settings) { s.AutoSync = false }), "idle"},
			{s, edited, "idle"},
			{s, hidden, "idle"},
			{s, visible, "idle"},
			{s, began, "syncing"},
			{s, manual(failed(fault.Timeout)), "offline(timeout)"},
			{m, wake, "offline(timeout)"},
			{s, began, "syncing"},
			{s, manual(syncedLive(7, 1)), "idle"},
			{s, settings(func(s *autosync.Settings) { s.Live, s.MediaInterval = false, 0 }), "syncing do=sync"},
			{s, synced(8), "syncing do=mediaSync"},
			{s, media(0), "idle"},
			{s, settings(func(s *autosync.Settings) { s.Live = false }), "idle wake=14m59s"},
			{s, settings(quiet), "idle live"},
		},
		"a user's sync beside ours": {
			{0, with(quiet), "syncing do=sync"},
			{s, began, "syncing"},
			{s, failed(fault.Timeout), "syncing"},
			{s, manual(synced(7)), "idle"},
			{s, manual(synced(7)), "idle"}, // there was none
			{s, failed(fault.Timeout), "idle"},
		},
		"many reasons": {
			{0, with(quiet), "syncing do=sync"}, {0, syncedLive(1, 1), "idle live"},
			{0, changed(2, 3), "syncing live do=sync"}, {0, syncedLive(2, 1), "idle live"},
			{0, changed(3, 3), "syncing live do=sync"}, {0, syncedLive(3, 1), "idle live"},
			{0, changed(4, 3), "syncing live do=sync"}, {0, syncedLive(4, 1), "idle live"},
			{0, changed(5, 3), "syncing live do=sync"}, {0, syncedLive(5, 1), "idle live"},
			{0, changed(6, 3), "syncing live do=sync"}, {0, syncedLive(6, 1), "idle live"},
			{0, changed(7, 3), "idle live wake=10s"},
			{10 * s, wake, "syncing live do=sync"}, {0, syncedLive(7, 1), "idle live"},
			{15 * s, changed(8, 3), "syncing live do=sync"}, {0, syncedLive(8, 1), "idle live"},
			{0, changed(9, 3), "idle live wake=5s"},
		},
		"a clock that is set back": {
			{0, with(quiet), "syncing do=sync"},
			{s, synced(7), "idle"},
			{s, edited, "idle wake=20s"},
			{-100 * m, wake, "idle wake=20s"},
			{20 * s, wake, "syncing do=sync"},
		},
		"a new profile in the same place": {
			{0, with(quiet), "syncing do=sync"},
			{s, with(quiet), "syncing do=sync"},
			{s, synced(7), "idle"},
			{s, synced(7), "idle"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock := coretest.NewClock(time.UnixMilli(1_800_000_000_000), 0)
			scheduler := autosync.New(clock, steady{})
			for i, step := range steps {
				clock.Advance(step.after)
				a, err := scheduler.Handle(step.event)
				if got := show(a); err != nil || got != step.want {
					t.Fatalf("step %d, %s: %s, %v; want %s", i, step.event.Kind, got, err, step.want)
				}
			}
		})
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	clock := coretest.NewClock(time.UnixMilli(1_800_000_000_000), 0)
	scheduler := autosync.New(clock, steady{})
	if a, err := scheduler.Handle(wake); err != nil || show(a) != "idle" {
		t.Error(a, err)
	}
	for _, e := range []autosync.Event{
		{}, {Kind: "open"}, {Kind: autosync.Finished}, {Kind: autosync.Began, What: "upload"}, network("5g"),
		with(func(s *autosync.Settings) { s.Metered = "" }), settings(func(s *autosync.Settings) { s.MediaInterval = -1 }),
		settings(func(s *autosync.Settings) { s.MediaInterval = 1e6 }),
	} {
		if _, err := scheduler.Handle(e); fault.KindOf(err) != fault.InvalidInput {
			t.Errorf("%+v: %v", e, err)
		}
	}
}
