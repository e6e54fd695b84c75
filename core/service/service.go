// Package service offers everything the core does as named methods with JSON parameters and results: the one list
// of methods that the Wasm boundary, the native engine, the program and the page share.
package service

import (
	"context"
	"errors"

	"github.com/cardferry/cardferry/core/autosync"
	"github.com/cardferry/cardferry/core/colsync"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/jsontext"
	"github.com/cardferry/cardferry/core/mediasync"
	"github.com/cardferry/cardferry/core/profile"
)

// Service runs methods on one profile.
type Service struct {
	host    *host.Host
	client  string
	profile *profile.Profile
	using   string // the method that uses the collection, "" if none does
	// mediaSyncer is nil until it is needed.
	mediaSyncer *mediasync.Syncer
	// scheduler is nil until it is told something.
	scheduler *autosync.Scheduler
}

// New returns a service on the given host. Its fields must not change afterwards.
func New(h host.Host) *Service {
	return &Service{host: &h, client: "cardferry/" + Version}
}

// Call runs a method. Its errors have a kind; Changed reports of one whether the profile was changed.
// Several calls may run, in turn (see package host). One of them at a time uses the collection: another one fails
// with fault.Busy. Edits need not wait for the end of a sync, only for that of its transactions.
func (s *Service) Call(ctx context.Context, method string, params []byte) ([]byte, error) {
	collection, owner := !besides(method), false
	var result jsontext.Appender
	var err error
	switch {
	case collection && s.using != "":
		err = errInUse()
	case collection:
		s.using, owner = method, true
		if s.profile != nil {
			s.profile.TakeChanged() // by calls before this one
		}
		defer func() { s.using = "" }()
	case between(method):
		err = s.waitForTransaction(ctx)
	}
	if err == nil {
		result, err = s.run(ctx, method, readParams(params))
	}
	if err != nil {
		e := finishError(ctx, err)
		// Only a call that uses the collection can have changed it, or an edit, which changes nothing when it fails.
		e.Changed = e.Changed || owner && s.profile != nil && s.profile.TakeChanged()
		return nil, e
	}
	return result.AppendJSON(nil), nil
}

// besides reports whether a method runs beside one that uses the collection. Those of media files see to it themselves that
// they do not get in each other's way.
func besides(method string) bool {
	switch method {
	case MethodLogin, MethodVersion, MethodMediaSync, MethodGetMedia, MethodForgetMedia, MethodAddMedia, MethodRemoveMedia, MethodMediaState, MethodAuto:
		return true
	}
	return between(method)
}

// between reports whether a method runs between the transactions of one that syncs. Such a method never lets others go on, so
// that it has the collection to itself.
func between(method string) bool {
	switch method {
	case MethodEdit, MethodUndo, MethodDeckTree, MethodNextCards, MethodRender, MethodCompareTyped:
		return true
	}
	return false
}

// waitForTransaction waits until a method of the kind of between may run. A call that replaces or closes the collection, or reads all
// of it, has to end first, which is for the caller to wait for.
func (s *Service) waitForTransaction(ctx context.Context) error {
	for s.profile != nil && s.profile.InTransaction() {
		if err := s.host.Yield.Pause(ctx); err != nil {
			return err
		}
	}
	switch s.using {
	case "", MethodStatus, MethodSync, MethodUpload, MethodDownload:
		return nil
	}
	return errInUse()
}

func errInUse() error {
	return fault.New(fault.Busy, "the collection is in use by another call").WithHint("Wait until it has ended.")
}

// finishError gives every error a kind.
func finishError(ctx context.Context, err error) *fault.Error {
	kind := fault.KindOf(err)
	if ctx.Err() != nil {
		kind = fault.Cancelled
	}
	var e *fault.Error
	if f, ok := err.(*fault.Error); ok && f.Kind == kind {
		c := *f
		e = &c
	} else {
		e = &fault.Error{Kind: kind, Err: err}
	}
	if e.Hint == "" && e.Details == nil {
		e.Hint, e.Details = advice(err)
	}
	if kind == fault.Cancelled {
		e = fault.New(fault.Cancelled, "cancelled")
	}
	e.Changed = changed(err)
	return e
}

// changed reports whether any error in the chain says that the profile was changed.
func changed(err error) bool {
	for {
		e, ok := errors.AsType[*fault.Error](err)
		if !ok || e.Changed {
			return ok
		}
		err = e.Err
	}
}

// advice returns hint and details of the first error in the chain that has any: a step in front of an error adds none.
func advice(err error) (hint string, details map[string]any) {
	for {
		e, ok := errors.AsType[*fault.Error](err)
		if !ok || e.Hint != "" || e.Details != nil {
			if ok {
				hint, details = e.Hint, e.Details
			}
			return hint, details
		}
		err = e.Err
	}
}

// run decodes the parameters and runs the method.
func (s *Service) run(ctx context.Context, method string, p *params) (jsontext.Appender, error) {
	switch method {
	case MethodOpen:
		return with(ctx, p, s.open)
	case MethodClose:
		return with(ctx, p, s.close)
	case MethodLogin:
		return with(ctx, p, s.login)
	case MethodStatus:
		return with(ctx, p, s.status)
	case MethodSync:
		return with(ctx, p, s.sync)
	case MethodUpload:
		return with(ctx, p, s.upload)
	case MethodDownload:
		return with(ctx, p, s.download)
	case MethodBackups:
		return with(ctx, p, s.backups)
	case MethodRestore:
		return with(ctx, p, s.restore)
	case MethodVersion:
		return with(ctx, p, s.version)
	case MethodMediaSync:
		return with(ctx, p, s.mediaSync)
	case MethodGetMedia:
		return with(ctx, p, s.getMedia)
	case MethodEdit:
		return with(ctx, p, s.edit)
	case MethodUndo:
		return with(ctx, p, s.undo)
	case MethodDeckTree:
		return with(ctx, p, s.deckTree)
	case MethodNextCards:
		return with(ctx, p, s.nextCards)
	case MethodMediaCheck:
		return with(ctx, p, s.mediaCheck)
	case MethodForgetMedia:
		return with(ctx, p, s.forgetMedia)
	case MethodAddMedia:
		return with(ctx, p, s.addMedia)
	case MethodRemoveMedia:
		return with(ctx, p, s.removeMedia)
	case MethodMediaState:
		return with(ctx, p, s.mediaState)
	case MethodExportFile:
		return with(ctx, p, s.exportFile)
	case MethodImportFile:
		return with(ctx, p, s.importFile)
	case MethodAuto:
		return with(ctx, p, s.auto)
	case MethodRender:
		return with(ctx, p, s.render)
	case MethodCompareTyped:
		return with(ctx, p, s.compareTyped)
	}
	return nil, fault.New(fault.InvalidInput, "there is no method %q", method)
}

func with[P any, PP interface {
	*P
	read(*params) error
}, R jsontext.Appender](ctx context.Context, p *params, do func(context.Context, P) (R, error)) (jsontext.Appender, error) {
	var in P
	if err := PP(&in).read(p); err != nil {
		return nil, err
	}
	return do(ctx, in)
}

// none are no parameters, or the empty result.
type none struct{}

func (none) AppendJSON(dst []byte) []byte { return append(dst, "{}"...) }

func (s *Service) open(ctx context.Context, p OpenParams) (OpenResult, error) {
	if s.profile != nil {
		return OpenResult{}, fault.New(fault.InvalidInput, "the profile is open already")
	}
	if p.Client != "" {
		s.client = p.Client
	}
	var o OpenResult
	var err error
	s.profile, o, err = profile.Open(ctx, s.host, p.Create)
	return o, err
}

func (s *Service) close(context.Context, none) (none, error) {
	if s.profile == nil {
		return none{}, nil
	}
	err := s.profile.Close()
	s.profile = nil
	return none{}, err
}

func (s *Service) login(ctx context.Context, p LoginParams) (LoginResult, error) {
	client := p.Client
	if client == "" {
		client = s.client
	}
	return colsync.Login(ctx, s.host, client, p.Endpoint, p.User, p.Password)
}

// syncer returns the flows on the open profile.
func (s *Service) syncer() (*colsync.Syncer, error) {
	if s.profile == nil {
		return nil, notOpen()
	}
	return &colsync.Syncer{Host: s.host, Store: s.profile, Client: s.client}, nil
}

func notOpen() error {
	return fault.New(fault.Closed, "no collection is open").WithHint("Open the profile first.")
}

// logged is syncer for methods that need an account.
func (s *Service) logged(acc *colsync.Account) (*colsync.Syncer, error) {
	if acc == nil || acc.Key == "" {
		return nil, fault.New(fault.Auth, "not logged in").WithHint("Log in first.")
	}
	return s.syncer()
}

func (s *Service) status(ctx context.Context, p StatusParams) (StatusResult, error) {
	y, err := s.syncer()
	if err != nil {
		return StatusResult{}, err
	}
	return y.Status(ctx, p.Account, p.Offline)
}

func (s *Service) sync(ctx context.Context, p SyncParams) (SyncResult, error) {
	switch p.OnConflict {
	case "":
		p.OnConflict = colsync.Ask
	case colsync.Ask, colsync.Upload, colsync.Download:
	default:
		return SyncResult{}, fault.New(fault.InvalidInput, "on_conflict must be ask, upload or download, not %q", p.OnConflict)
	}
	y, err := s.logged(p.Account)
	if err != nil {
		return SyncResult{}, err
	}
	return y.Sync(ctx, *p.Account, p.OnConflict)
}

func (s *Service) upload(ctx context.Context, p TransferParams) (TransferResult, error) {
	y, err := s.logged(p.Account)
	if err != nil {
		return TransferResult{}, err
	}
	y.OwnBackup = p.OwnBackup
	return y.Upload(ctx, *p.Account, p.Backup)
}

func (s *Service) download(ctx context.Context, p TransferParams) (TransferResult, error) {
	y, err := s.logged(p.Account)
	if err != nil {
		return TransferResult{}, err
	}
	return y.Download(ctx, *p.Account, p.Backup)
}

func (s *Service) backups(context.Context, none) (BackupsResult, error) {
	list, err := profile.Backups(s.host)
	return BackupsResult{Backups: list}, err
}

func (s *Service) restore(ctx context.Context, p RestoreParams) (RestoreResult, error) {
	if s.profile != nil {
		id, err := s.profile.Restore(ctx, p.ID)
		return RestoreResult{Backup: id}, err
	}
	id, err := profile.RestoreClosed(ctx, s.host, p.ID)
	return RestoreResult{Backup: id}, err
}

func (s *Service) version(context.Context, none) (VersionResult, error) {
	return VersionResult{Version: Version}, nil
}
