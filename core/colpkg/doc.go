// Package colpkg writes and reads collection packages (.colpkg), the files in which the desktop program keeps a whole
// collection with its media.
//
// A package is a zip archive (seen in packages that the real program makes and takes):
//
//	meta                 protobuf, field 1: version. 3 is written; 2 and, if the member is missing, 1 are read
//	collection.anki21b   the collection, one zstd frame (version 3); collection.anki21 (2) and collection.anki2 (1) are plain
//	media                the list of media files: zstd of protobuf entries {1: name, 2: size, 3: SHA-1, 255: member};
//	                     in versions 1 and 2 JSON, {"0": "name"}
//	0, 1, …              the media files in the order of the list; one zstd frame each in version 3
//
// Packages come from strangers: sizes are bounded, names are those of media sync, and nothing that is written leaves the
// profile.
package colpkg

import (
	"strconv"

	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
)

// Names of members.
const (
	memberMeta  = "meta"
	memberMedia = "media"
)

// collections are the members with the collection by version.
var collections = [...]string{1: "collection.anki2", 2: "collection.anki21", 3: "collection.anki21b"}

const version = 3

// Staged files.
const (
	Staged           = host.Staging + "package.colpkg"
	stagedCollection = host.Staging + "package.anki2"
	stagedFrame      = host.Staging + "package.zst"
)

// Limits of what a package may hold.
const (
	maxEntries    = 4 << 20
	maxDirectory  = 1 << 30
	maxMeta       = 1 << 10
	maxList       = 256 << 20
	maxCollection = 16 << 30
)

func damaged(format string, args ...any) error {
	return fault.New(fault.DamagedFile, "the package is damaged: "+format, args...).WithHint("Export it again, and check that it was copied whole.")
}

// memberName is the name of the member of the nth media file.
func memberName(n int64) string { return strconv.FormatInt(n, 10) }
