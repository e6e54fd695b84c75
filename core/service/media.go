package service

import (
	"context"

	"github.com/cardferry/cardferry/core/colsync"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/mediasync"
)

// MediaSyncParams are those of a media sync. ServerUSN is the media_usn of a collection sync just made, nil if there was
// none: it saves a request.
type MediaSyncParams struct {
	Account        *colsync.Account `json:"account"`
	AllowDeletions bool             `json:"allow_deletions"`
	RestoreHeld    bool             `json:"restore_held"`
	ServerUSN      *int64           `json:"server_usn,omitempty"`
}

// MediaSyncResult counts files. If deletions are held, the call fails with fault.NeedsDecision, and the error's details
// are the fields of this result.
type MediaSyncResult = mediasync.Report

// GetMediaParams name a media file.
type GetMediaParams struct {
	Account *colsync.Account `json:"account"`
	Name    string           `json:"name"`
}

// GetMediaResult describes a media file that is here now.
type GetMediaResult = mediasync.File

func (o *MediaSyncParams) read(p *params) error {
	o.Account, o.AllowDeletions, o.RestoreHeld = p.account("account"), p.flag("allow_deletions"), p.flag("restore_held")
	o.ServerUSN = p.integer("server_usn")
	return p.end()
}

func (o *GetMediaParams) read(p *params) error {
	o.Account, o.Name = p.account("account"), p.text("name")
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
	o := mediasync.Options{AllowDeletions: p.AllowDeletions, RestoreHeld: p.RestoreHeld}
	if p.ServerUSN != nil {
		o.ServerUSN, o.HasUSN = *p.ServerUSN, true
	}
	return s.media().Sync(ctx, acc, o)
}

func (s *Service) getMedia(ctx context.Context, p GetMediaParams) (GetMediaResult, error) {
	acc, err := mediaAccount(p.Account)
	if err != nil {
		return GetMediaResult{}, err
	}
	return s.media().Get(ctx, acc, p.Name)
}

func (s *Service) forgetMedia(context.Context, none) (none, error) {
	return none{}, s.media().Forget()
}

// media returns the one syncer of media files, which its calls share.
func (s *Service) media() *mediasync.Syncer {
	if s.mediaSyncer == nil {
		s.mediaSyncer = &mediasync.Syncer{Host: s.host}
	}
	s.mediaSyncer.Client = s.client
	return s.mediaSyncer
}
