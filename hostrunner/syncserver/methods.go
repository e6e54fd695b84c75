package syncserver

import "context"

// method is one of the protocol. It has either serve, for messages, or stream, for what is too large for the memory.
type method struct {
	open  bool  // needs no key
	limit int64 // of the decompressed message; Limits.Message may be less
	serve func(ctx context.Context, c *call, payload []byte) (answer, error)
	// stream reads c.body by itself. Its context has no deadline; for the work after that, call.work sets one.
	stream func(ctx context.Context, c *call) (answer, error)
	// redirects says that clients follow a 308 to the node that serves the account.
	redirects bool
}

// methodNamed returns the method at a path, nil if there is none.
func methodNamed(path string) *method {
	if m := collectionMethods[path]; m != nil {
		return m
	}
	return mediaMethods[path]
}

// The limits of messages that have no reason to be large.
const (
	tinyMessage  = 64 << 10
	largeMessage = 1 << 40 // as much as Limits.Message allows
)

// collectionMethods are those of §2.2.
var collectionMethods = map[string]*method{
	"sync/hostKey":      {limit: tinyMessage, serve: hostKey, open: true},
	"sync/meta":         {limit: tinyMessage, serve: meta, redirects: true},
	"sync/start":        {limit: largeMessage, serve: start},
	"sync/applyGraves":  {limit: largeMessage, serve: applyGraves},
	"sync/applyChanges": {limit: largeMessage, serve: applyChanges},
	"sync/chunk":        {limit: tinyMessage, serve: chunk},
	"sync/applyChunk":   {limit: largeMessage, serve: applyChunk},
	"sync/sanityCheck2": {limit: tinyMessage, serve: sanityCheck},
	"sync/finish":       {limit: tinyMessage, serve: finish},
	"sync/abort":        {limit: tinyMessage, serve: abort},
	"sync/upload":       {stream: upload},
	"sync/download":     {limit: tinyMessage, serve: download},
}

// mediaMethods are those of media-sync.md §4.
var mediaMethods = map[string]*method{
	"msync/begin":         {limit: tinyMessage, serve: mediaBegin},
	"msync/mediaChanges":  {limit: tinyMessage, serve: mediaChanges},
	"msync/downloadFiles": {limit: tinyMessage, serve: downloadFiles},
	"msync/uploadChanges": {stream: uploadChanges},
	"msync/mediaSanity":   {limit: tinyMessage, serve: mediaSanity},
}
