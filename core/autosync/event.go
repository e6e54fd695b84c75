package autosync

import "github.com/cardferry/cardferry/core/fault"

// Kind is what has happened.
type Kind string

// The kinds of events. Fields of Event that a kind does not name are ignored.
const (
	Opened    Kind = "opened"    // the profile is open: Settings, Network, LoggedIn, Pending, Hidden. Everything before is forgotten
	Account   Kind = "account"   // a login or logout: LoggedIn
	Hidden    Kind = "hidden"    // nobody sees the profile any more
	Visible   Kind = "visible"   // somebody sees it again
	Closing   Kind = "closing"   // the profile will be closed: the last chance for a sync
	Edited    Kind = "edited"    // the collection was changed here, or replaced by an import or a backup; with Media, media files were
	Net       Kind = "network"   // Network
	Changed   Kind = "changed"   // the server says that another device has synced: USN, MediaUSN, Empty
	Listening Kind = "listening" // the server's events are being listened to
	Deaf      Kind = "deaf"      // they cannot be listened to, or not any longer
	Settled   Kind = "settings"  // Settings
	Began     Kind = "began"     // the user has started something: What
	Finished  Kind = "finished"  // What has ended: Manual, Error, Report
	Wake      Kind = "wake"      // the time of Answer.Wake has come
)

// Action is something that a host starts.
type Action string

// The actions. A one-way sync that the user starts counts as Sync.
const (
	Nothing   Action = ""
	Sync      Action = "sync"
	MediaSync Action = "mediaSync"
)

// Network is what a host knows of the network.
type Network string

// The states of the network; an empty one is Unmetered. A host that is told to save data says Metered.
const (
	Unmetered Network = "unmetered"
	Metered   Network = "metered"
	Offline   Network = "offline"
)

// Policy says what is synced automatically while the network is metered.
type Policy string

// The policies.
const (
	MeteredAll        Policy = "all"
	MeteredCollection Policy = "collection"
	MeteredNone       Policy = "none"
)

// Settings are those of contract §4. MediaInterval is in minutes, 0 = off. Without AutoSync nothing happens by itself.
type Settings struct {
	AutoSync      bool    `json:"autoSync"`
	Live          bool    `json:"live"`
	SyncMedia     bool    `json:"syncMedia"`
	MediaInterval float64 `json:"mediaInterval"`
	Metered       Policy  `json:"metered"`
}

// Defaults returns the settings of a new profile.
func Defaults() Settings {
	return Settings{AutoSync: true, Live: true, SyncMedia: true, MediaInterval: 15, Metered: MeteredCollection}
}

// maxInterval is a week, in minutes.
const maxInterval = 7 * 24 * 60

// Check returns fault.InvalidInput if a value is out of its range.
func (s Settings) Check() error {
	switch s.Metered {
	case MeteredAll, MeteredCollection, MeteredNone:
	default:
		return fault.New(fault.InvalidInput, "the setting metered must be all, collection or none, not %q", string(s.Metered))
	}
	if !(s.MediaInterval >= 0 && s.MediaInterval <= maxInterval) {
		return fault.New(fault.InvalidInput, "the setting mediaInterval must be between 0 and %d minutes", maxInterval)
	}
	return nil
}

// Event is something that has happened.
type Event struct {
	Kind     Kind
	Settings Settings
	Network  Network
	LoggedIn bool
	Hidden   bool
	Pending  bool
	Media    bool
	What     Action
	// Manual says that the user had started it, not an Answer.
	Manual bool
	// Error is 0 if it went well.
	Error  fault.Kind
	Report Report
	// USN and MediaUSN are numbers of the server, negative if unknown.
	USN, MediaUSN int64
	// Empty says that the other device has only fetched something.
	Empty bool
}

// Report is what the scheduler learns from the report of a sync that went well. Unknown numbers are negative.
type Report struct {
	USN, MediaUSN int64
	// Received counts what a sync has brought.
	Received int64
	// Events says that the server has events to listen to; HasEvents that the report says anything about it.
	Events, HasEvents bool
}

// Activity is what to show.
type Activity string

// The activities (contract §4).
const (
	Idling    Activity = "idle"
	Syncing   Activity = "syncing"
	IsOffline Activity = "offline"
	Attention Activity = "attention"
)

// Answer is what a host does next.
type Answer struct {
	// Do is to be started now; its end is reported as Finished.
	Do Action `json:"do"`
	// Live says whether the server's events are to be listened to.
	Live     bool     `json:"live"`
	Activity Activity `json:"activity"`
	// Error is the name of the kind of failure that is not over yet, "" if there is none.
	Error string `json:"error"`
	// Wake is after how many milliseconds the event Wake is to be reported, unless another one comes before; 0 = not at all.
	Wake int64 `json:"wake_ms"`
}
