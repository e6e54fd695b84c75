// Package host declares what a host lends to the core: SQL, HTTP, staged files, media files, clock, random numbers,
// events, Unicode normalization.
//
// Tasks (calls of core/service) of one core never run at the same time: a task gives up its turn only while it waits in
// HTTP.Wait, Call.Read, Yielder.Tick or Yielder.Pause. So core code needs no locks, and must not rely on shared state over these.
//
// The core decides, hosts lend: an implementation has no sync logic. Every implementation passes the contract
// suites in core/coretest. Errors are *fault.Error where a kind is known (each method says which); any other error
// counts as fault.Other.
package host

import (
	"context"
	"time"
)

// Host is one profile's set of ports. All fields are mandatory.
type Host struct {
	SQL    SQL
	HTTP   HTTP
	Files  Files
	Media  Media
	Text   Text
	Clock  Clock
	Random Random
	Events Events
	Yield  Yielder
}

// Names of the files of a profile, relative to it, with "/" between levels. Hosts map them to what they have (a
// folder, an OPFS pool); names handed to SQL.Open and Files are always such relative names.
const (
	Collection = "collection.anki2"   // the collection
	State      = "cardferry.state.db" // the core's own small state about the collection
	Staging    = "cardferry.tmp/"     // prefix of temporary files; emptied when a profile is opened, but for folders in it: they are the host's
	Backups    = "cardferry.backups/" // prefix of backups
	MediaIndex = "cardferry.media.db" // what media sync knows of here and the server
)

// Clock tells the time.
type Clock interface {
	// Now returns the current time; millisecond precision is enough.
	Now() time.Time
	// MinutesWest returns the local time zone's offset at t in minutes west of UTC (UTC+1 = -60), daylight
	// saving included.
	MinutesWest(t time.Time) int
}

// Text knows Unicode. It is lent, since hosts have its tables, which would be a tenth of the guest.
type Text interface {
	// NFC returns s, valid UTF-8, in normalization form C.
	NFC(s string) string
	// NFKD returns s, valid UTF-8, in normalization form KD.
	NFKD(s string) string
}

// Random fills p with random bytes. It never fails.
type Random interface {
	Random(p []byte)
}

// Stage names what a running task does; the names are those of the progress lines (contract §3).
type Stage string

// The stages: of a collection sync, of full transfers, of a media sync (the last two count files).
const (
	StageConnect  Stage = "connect"
	StageGraves   Stage = "graves"
	StageChanges  Stage = "changes"
	StageChunks   Stage = "chunks"
	StageFinish   Stage = "finish"
	StageUpload   Stage = "upload"
	StageDownload Stage = "download"
	StageCheck    Stage = "check"

	StageMediaIndex    Stage = "media_index"
	StageMediaDownload Stage = "media_download"
	StageMediaUpload   Stage = "media_upload"
)

// Progress is one progress report. Done and Total count rows, bytes or files, depending on the stage; Total is 0
// while unknown.
type Progress struct {
	Stage Stage
	Done  int64
	Total int64
}

// Events receives what a running task reports. Implementations must return quickly and may drop reports that
// arrive in quick succession, but not the last one of a stage.
type Events interface {
	Progress(Progress)
}

// Yielder lets other work of the host run during a long computation.
type Yielder interface {
	// Tick returns ctx.Err. A host with one thread may first let its event loop run, at most every 100 ms. It may
	// be called inside a transaction: a host then runs no other SQL on that database until the commit.
	Tick(ctx context.Context) error
	// Pause is Tick by a task that waits for another one: that one gets its turn at once, if the host runs several. A task that
	// waits for something else than another one's turn must not call it.
	Pause(ctx context.Context) error
}
