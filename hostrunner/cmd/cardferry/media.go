package main

import (
	"encoding/json"
	"maps"

	"github.com/cardferry/cardferry/core/colsync"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/mediasync"
	"github.com/cardferry/cardferry/core/service"
	"github.com/cardferry/cardferry/hostrunner"
)

type mediaCommand struct {
	Sync  mediaSyncCommand  `cmd:"" help:"Sync the media files: pictures and sounds."`
	Get   mediaGetCommand   `cmd:"" help:"Fetch one media file now."`
	Check mediaCheckCommand `cmd:"" help:"List media files that are missing, and those that no note uses."`
}

type mediaSyncCommand struct {
	profileFlag
	AllowDeletions bool `help:"Delete on the server, and so everywhere, what is gone from the folder, however much it is." xor:"held"`
	RestoreHeld    bool `help:"Fetch again what is gone from the folder, instead of deleting it on the server." xor:"held"`
}

func (c *mediaSyncCommand) Run(app *app) error {
	var res service.MediaSyncResult
	err := app.withAccount(c.Profile, existing, func(p *hostrunner.Profile, acc *colsync.Account) (_ string, err error) {
		res, err = p.MediaSync(app.ctx, service.MediaSyncParams{Account: acc, AllowDeletions: c.AllowDeletions, RestoreHeld: c.RestoreHeld})
		return res.NewEndpoint, err
	})
	if err != nil {
		return heldHint(c.Profile, err)
	}
	app.out.result(res, mediaText(res))
	return nil
}

// heldHint tells a person with which commands to decide about held deletions.
func heldHint(profile string, err error) error {
	e, ok := err.(*fault.Error)
	if !ok || e.Hint != mediasync.HeldHint { // such as a folder that cannot be read
		return err
	}
	c := *e
	dir := shellWord(profile)
	c.Hint = "If the files were lost by accident: cardferry media sync --restore-held --profile " + dir +
		"; if they shall be deleted everywhere: cardferry media sync --allow-deletions --profile " + dir
	return &c
}

type mediaGetCommand struct {
	profileFlag
	Name string `arg:"" help:"The file's name, as a note has it."`
}

func (c *mediaGetCommand) Run(app *app) error {
	var res service.GetMediaResult
	err := app.withAccount(c.Profile, existing, func(p *hostrunner.Profile, acc *colsync.Account) (_ string, err error) {
		res, err = p.GetMedia(app.ctx, service.GetMediaParams{Account: acc, Name: c.Name})
		return res.NewEndpoint, err
	})
	if err != nil {
		return err
	}
	app.out.result(res, res.Name+", "+size(res.Size))
	return nil
}

type mediaCheckCommand struct {
	profileFlag
	Apply bool `help:"Move the files that no note uses to the trash; the next sync deletes them on the server, and so everywhere."`
}

func (c *mediaCheckCommand) Run(app *app) error {
	var res service.MediaCheckResult
	err := app.with(c.Profile, existing, func(p *hostrunner.Profile) (err error) {
		if err := app.ready(p); err != nil {
			return err
		}
		res, err = p.MediaCheck(app.ctx, service.MediaCheckParams{Apply: c.Apply})
		return err
	})
	if err != nil {
		return err
	}
	app.out.result(res, mediaCheckText(res))
	return nil
}

// synced is the result of sync: that of the collection, and that of the media files, null if there is none.
type synced struct {
	service.SyncResult
	Media *service.MediaSyncResult `json:"media"`

	replaced bool // the collection here, by the server's
}

// syncMedia syncs the media files after the collection. If it fails, its error has what was done until then.
func (app *app) syncMedia(p *hostrunner.Profile, acc *colsync.Account, res *synced) error {
	usn := int64(res.MediaUSN)
	params := service.MediaSyncParams{Account: acc, ServerUSN: &usn}
	if res.NewEndpoint != "" {
		params.Account = &colsync.Account{Endpoint: res.NewEndpoint, Key: acc.Key}
	}
	media, err := p.MediaSync(app.ctx, params)
	if err != nil {
		return res.after(err)
	}
	res.Media = &media
	res.RoundTrips += int(media.RoundTrips)
	return nil
}

// after returns the error of the media sync with the collection's result beside it. For needs_decision, which comes with a
// result of its own, that is the field media.
func (r *synced) after(err error) error {
	var e fault.Error
	if f, ok := err.(*fault.Error); ok {
		e = *f
	} else {
		e = fault.Error{Kind: fault.KindOf(err), Err: err}
	}
	var fields map[string]any
	if b, jerr := json.Marshal(r); jerr != nil || json.Unmarshal(b, &fields) != nil {
		return err
	}
	if e.Kind == fault.NeedsDecision {
		trips, _ := e.Details["round_trips"].(int64)
		fields["media"], fields["round_trips"] = e.Details, int64(r.RoundTrips)+trips
	} else {
		maps.Copy(fields, e.Details)
	}
	e.Details = fields
	e.Changed = e.Changed || r.replaced
	for _, n := range r.Received {
		e.Changed = e.Changed || n > 0
	}
	return &e
}
