package syncserver

import (
	"context"

	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/mediawire"
)

// The methods of media sync (media-sync.md §4). Each stands alone: there are no sessions, and any number of an account's requests may be
// under way. Bodies are received, hashed and sent without the media state's lock, which is held for its transactions only.

// mediaBegin tells the number of the last change (§4.1).
func mediaBegin(ctx context.Context, c *call, payload []byte) (answer, error) {
	if _, err := mediawire.ParseBeginRequest(payload); err != nil {
		return answer{}, err
	}
	last, err := c.tenant.media.number(ctx, true)
	return answer{message: mediawire.AppendBegin(nil, last, c.header.key)}, err
}

// changesPage is how many changes are in an answer (§2).
const changesPage = 1000

// mediaChanges lists what has changed after a change, in order (§4.2).
func mediaChanges(ctx context.Context, c *call, payload []byte) (answer, error) {
	after, err := mediawire.ParseChangesRequest(payload)
	if err != nil {
		return answer{}, err
	}
	x := &c.tenant.media
	var list []mediawire.Change
	err = x.with(ctx, host.ReadWrite, func() (err error) {
		list, err = x.changes(after, changesPage)
		return err
	})
	return answer{message: mediawire.AppendChanges(nil, list)}, err
}

// mediaSanity compares the number of files (§4.5).
func mediaSanity(ctx context.Context, c *call, payload []byte) (answer, error) {
	want, err := mediawire.ParseSanityRequest(payload)
	if err != nil {
		return answer{}, err
	}
	x := &c.tenant.media
	var have int64
	err = x.with(ctx, host.ReadWrite, func() (err error) {
		have, err = x.files()
		return err
	})
	return answer{message: mediawire.AppendSanity(nil, have == want)}, err
}
