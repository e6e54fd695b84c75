// Package autosync decides when a profile syncs by itself: one scheduler for every host, a state machine without timers,
// goroutines or I/O.
//
// A host tells it what happens (Event) and does what it answers (Answer): start a sync or a media sync, listen to the server's
// events, and come back after some time (Wake) if nothing else happens before. The clock and the random numbers are the host's,
// so that a test never waits.
//
// What it does, while the settings and the network allow it:
//
//   - A sync when the profile is opened, a moment after a login, when the page is hidden or closed with something to send (or the
//     last sync is a minute old), when it is shown again, and when the network is back.
//   - A quiet sync after edits: 20 s after the last one, or 5 minutes after the first one, whichever is sooner, and not within a
//     minute after the one before.
//   - A sync at once when the server says that another device has synced, unless the number it says is that of our own sync. If
//     such syncs bring nothing twice in a row, they wait longer and longer: two devices must not keep each other busy.
//   - A media sync after each sync, when the server says that files have changed, after files were added here, and every
//     MediaInterval while the profile is visible.
//   - After a failure that may pass, a retry: after 5 s at most, then twice as long each time up to 15 minutes, of which a random part
//     of up to a half is left out, so that devices do not return all at once. An edit does not shorten that; showing the page,
//     the network's return, and anything that the user does with an account, a setting or a sync of their own do.
//   - After any other failure nothing, until the user acts: the activity is Attention.
//   - What is asked for while a sync runs leads to one more after it. On average there is at most one sync in 10 s, however many
//     reasons there are.
package autosync

import "time"

// The times of the rules above.
const (
	// Idle is how long after the last edit a quiet sync comes.
	Idle = 20 * time.Second
	// Longest is how long after the first edit a quiet sync comes, although there are more.
	Longest = 5 * time.Minute
	// Apart is the least time between two quiet syncs.
	Apart = time.Minute
	// Fresh is how long after a sync hiding the page needs no other one, if there is nothing to send.
	Fresh = time.Minute
	// Glance is for how short a look away showing the page again needs no sync.
	Glance = 5 * time.Second
	// AfterLogin leaves an application the time to make the first sync itself, which may need a decision.
	AfterLogin = 2 * time.Second
	// FirstRetry and LastRetry bound the wait before a retry.
	FirstRetry = 5 * time.Second
	LastRetry  = 15 * time.Minute
	// Steady is how long listening must have lasted for its end to count as the first failure.
	Steady = time.Minute
	// Each sync uses up Cost of an allowance that is Burst times as large and fills by itself.
	Cost  = 10 * time.Second
	Burst = 6
	// Doubts is how often a failure that may pass, but may need the user as well, is retried.
	Doubts = 3
)
