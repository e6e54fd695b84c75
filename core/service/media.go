package service

import (
	"context"

	"github.com/cardferry/cardferry/core/collection"
	"github.com/cardferry/cardferry/core/colsync"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/mediasync"
	"github.com/cardferry/cardferry/core/mediause"
)

// MediaSyncParams are those of a media sync. ServerUSN is the media_usn of a collection sync just made, nil if there was
// none: it saves a request.
type MediaSyncParams struct {
	Account        *colsync.Account `json:"account"`
	AllowDeletions bool             `json:"allow_deletions"`
	RestoreHeld    bool             `json:"restore_held"`
	ServerUSN      *int64           `json:"server_usn,omitempty"`
	Evictable      bool             `json:"evictable"`        // see mediasync.Options
	Client         string           `json:"client,omitempty"` // as of open, which need not come before
}

// MediaSyncResult counts files. If deletions are held, the call fails with fault.NeedsDecision, and the error's details
// are the fields of this result.
type MediaSyncResult = mediasync.Report

// GetMediaParams name a media file.
type GetMediaParams struct {
	Account *colsync.Account `json:"account"`
	Name    string           `json:"name"`
	Client  string           `json:"client,omitempty"` // as of open, which need not come before
}

// GetMediaResult describes a media file that is here now.
type GetMediaResult = mediasync.File

func (o *MediaSyncParams) read(p *params) error {
	o.Account, o.AllowDeletions, o.RestoreHeld = p.account("account"), p.flag("allow_deletions"), p.flag("restore_held")
	o.ServerUSN, o.Evictable, o.Client = p.integer("server_usn"), p.flag("evictable"), p.text("client")
	return p.end()
}

// MediaCheckParams say whether unused files are moved to the trash.
type MediaCheckParams struct {
	Apply     bool `json:"apply"`
	Evictable bool `json:"evictable"` // see mediasync.Options
}

// MediaCheckResult lists missing and unused files.
type MediaCheckResult = mediasync.CheckReport

func (o *MediaCheckParams) read(p *params) error {
	o.Apply, o.Evictable = p.flag("apply"), p.flag("evictable")
	return p.end()
}

func (o *GetMediaParams) read(p *params) error {
	o.Account, o.Name, o.Client = p.account("account"), p.text("name"), p.text("client")
	return p.end()
}

// mediaAccount returns the account of a media method, which needs no open collection.
func mediaAccount(acc *colsync.Account) (a colsync.Account, err error) {
	if acc == nil || acc.Key == "" {
		return a, fault.New(fault.Auth, "not logged in").WithHint("Log in first.")
	}
	return *acc, nil
}

func (s *Service) mediaSync(ctx context.Context, p MediaSyncParams) (MediaSyncResult, error) {
	acc, err := mediaAccount(p.Account)
	if err != nil {
		return MediaSyncResult{}, err
	}
	o := mediasync.Options{AllowDeletions: p.AllowDeletions, RestoreHeld: p.RestoreHeld, Evictable: p.Evictable}
	if p.ServerUSN != nil {
		o.ServerUSN, o.HasUSN = *p.ServerUSN, true
	}
	o.Order = s.mediaOrder
	return s.media(p.Client).Sync(ctx, acc, o)
}

// mediaOrder reads from the collection when files are needed, on a connection of its own: another call may be using the
// collection, which need not even be open. It keeps the turn until it has closed the connection, as a download could not
// replace the file meanwhile. The end of ctx interrupts its SQL.
func (s *Service) mediaOrder(ctx context.Context, yield func(name string, day int) error) error {
	db, err := s.host.SQL.Open(ctx, host.Collection, host.ReadOnly)
	switch {
	case err == nil:
		defer db.Close()
	case fault.KindOf(err) == fault.Busy && s.profile != nil: // a page opens a file once only
		db = s.profile.DB()
	default:
		return err
	}
	return mediause.Due(ctx, mediause.Collection{DB: db, Text: s.host.Text, Yield: keepTurn{}}, s.host.Clock, yield)
}

// keepTurn is a host.Yielder that lets no other call go on.
type keepTurn struct{}

func (keepTurn) Tick(ctx context.Context) error { return ctx.Err() }

func (keepTurn) Pause(ctx context.Context) error { return ctx.Err() }

func (s *Service) mediaCheck(ctx context.Context, p MediaCheckParams) (MediaCheckResult, error) {
	if s.profile == nil {
		return MediaCheckResult{}, notOpen()
	}
	o := mediasync.CheckOptions{Apply: p.Apply, Evictable: p.Evictable}
	var err error
	if o.NotesUSN, _, err = s.profile.MediaSeen(); err != nil {
		return MediaCheckResult{}, err
	}
	col, err := collection.ReadCol(s.profile.DB())
	if err != nil {
		return MediaCheckResult{}, err
	}
	o.Synced = col.LS != 0
	return s.media("").Check(ctx, s.profile.DB(), o)
}

func (s *Service) getMedia(ctx context.Context, p GetMediaParams) (GetMediaResult, error) {
	acc, err := mediaAccount(p.Account)
	if err != nil {
		return GetMediaResult{}, err
	}
	return s.media(p.Client).Get(ctx, acc, p.Name)
}

func (s *Service) forgetMedia(context.Context, none) (none, error) {
	return none{}, s.media("").Forget()
}

// media returns the one syncer of media files, which its calls share. client is how the program was named, "" as before.
func (s *Service) media(client string) *mediasync.Syncer {
	if s.mediaSyncer == nil {
		s.mediaSyncer = &mediasync.Syncer{Host: s.host}
	}
	if client == "" {
		client = s.client
	}
	s.mediaSyncer.Client = client
	return s.mediaSyncer
}
