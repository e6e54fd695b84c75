package colsync

import (
	"context"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/remote"
)

// StatusResult says what a sync would do. LastSync is in milliseconds, 0 = never; Pending counts rows with usn -1
// and graves, without config keys.
type StatusResult struct {
	Required    Required `json:"required"`
	UploadOK    bool     `json:"upload_ok"`
	DownloadOK  bool     `json:"download_ok"`
	LastSync    int64    `json:"last_sync"`
	Pending     int64    `json:"pending"`
	NewEndpoint string   `json:"new_endpoint"`
}

// Status compares the collection with its last sync and, where that says nothing, with the server (§15). acc may be
// nil only if offline is set. Errors: fault.Auth without an account, those of meta.
func (s *Syncer) Status(ctx context.Context, acc *Account, offline bool) (StatusResult, error) {
	col, empty, err := localState(s.db())
	if err != nil {
		return StatusResult{}, err
	}
	res := StatusResult{Required: RequiredNone, UploadOK: true, DownloadOK: true, LastSync: col.LS}
	pending, err := collection.PendingCounts(s.db())
	if err != nil {
		return res, err
	}
	for _, n := range pending {
		res.Pending += n
	}
	switch {
	case col.LS != 0 && col.Scm > col.LS:
		res.Required = RequiredFull
	case col.LS != 0 && col.Mod > col.LS:
		res.Required = RequiredNormal
	}
	// A needed full sync is asked for as well: only the server knows which directions there are.
	if offline || res.Required == RequiredNormal {
		return res, nil
	}
	if acc == nil {
		if res.Required == RequiredFull {
			return res, nil
		}
		return res, notLoggedIn()
	}
	r, err := remote.New(s.Host, *acc, s.Client, remote.Sync)
	if err != nil {
		return res, err
	}
	m, err := meta(ctx, r)
	if err != nil && res.Required == RequiredFull && fault.KindOf(err) != fault.Cancelled {
		return res, nil // known without the server
	}
	if err != nil {
		return res, r.WithRedirect(err)
	}
	d := decide(col, empty, m)
	if res.Required == RequiredNone || col.Scm == m.Scm { // an scm above ls that the server has as well is that of a clock that was ahead
		res.Required = d.required
	}
	res.UploadOK, res.DownloadOK, res.NewEndpoint = d.uploadOK, d.downloadOK, r.NewEndpoint
	return res, nil
}

func notLoggedIn() error {
	return fault.New(fault.Auth, "not logged in").WithHint("Log in first.")
}

// db is the open collection.
func (s *Syncer) db() host.DB { return s.Store.DB() }
