// Package mediawire has the messages and archives of media sync, protocol 11: bytes in, values out, no I/O.
//
// Decoders refuse what they do not understand with fault.DamagedDownload, for it came from the network, but for what
// shared/spec/media-sync.md, whose section numbers the comments name, says that clients cope with.
package mediawire

import (
	"errors"

	"github.com/cardferry/cardferry/core/fault"
)

// Limits of the protocol (§2).
const (
	MaxEntries = 25        // names in one request
	MaxFile    = 100 << 20 // bytes of a file
	BatchBytes = 2_621_440 // an archive takes no more files once it has more than this
)

var (
	errType     = errors.New("a value has a wrong type or is out of range")
	errOrder    = errors.New("the changes are not in the order of their numbers")
	errTooMany  = errors.New("the archive has more entries than were asked for")
	errTooLong  = errors.New("the archive is larger than media files can be")
	errFormat   = errors.New("not a zip archive")
	errFeature  = errors.New("the archive uses a feature of zip that is not supported here")
	errChecksum = errors.New("a checksum in the archive is wrong")
	errMeta     = errors.New("the archive has no list of names")
)

// damaged says which message could not be decoded.
func damaged(what string, err error) error {
	return fault.Wrap(fault.DamagedDownload, err, "decode %s", what).(*fault.Error).
		WithHint("Try again; if it stays, the server or a proxy on the way has a problem.")
}
