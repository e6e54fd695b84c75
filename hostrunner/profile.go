package hostrunner

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/cardferry/cardferry/core/edit"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/service"
	"github.com/cardferry/cardferry/hostrunner/filehost"
	"github.com/cardferry/cardferry/hostrunner/profilelock"
	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
	"github.com/cardferry/cardferry/wasm/abi"
)

// OpenOptions are those of a Profile; Dir is mandatory.
type OpenOptions struct {
	// Dir is the profile folder.
	Dir string
	// Engine runs the core; Wazero if it is not set.
	Engine Engine
	// ClientName names the program in requests, e.g. "my-app/1.2"; "cardferry/<version>" if empty.
	ClientName string
	// Create makes a missing folder, and an empty collection when a method needs one. Without it these fail with
	// fault.NotFound.
	Create bool
	// Progress is called with what a running method reports, at most 20 times a second and for the end of each
	// stage. Methods that run at the same time report in turn: it is never called twice at a time, and not after the
	// method has returned. It must return quickly, and not call the profile.
	Progress func(host.Progress)
	// Log gets lines for developers, without keys and card content.
	Log func(line string)
	// Wrap may replace ports that the core gets, for example HTTP by a network of the caller's, or all of them by ones
	// that fail at chosen moments. Databases that it opens itself must be interrupted by itself.
	Wrap func(host.Host) host.Host
}

// Profile is an open profile folder. Its methods may be called by several goroutines. They run one after the other,
// except that Edit and Undo run beside Sync, Upload, Download and Status, and MediaSync, GetMedia and ForgetMedia run beside the others: while those wait for the network, mostly. The
// collection is opened by the first method that needs it, and stays open until Close.
//
// When the context of a call ends, the call ends within a second with fault.Cancelled, and the collection is
// consistent. A crash of the core ends all running calls with fault.Internal; the next call starts a new instance.
type Profile struct {
	rt      *Runtime
	opts    OpenOptions
	lock    *profilelock.Lock
	turn    chan struct{} // holds one token; a method that does not run beside others has it
	engines *engines
}

// Open locks the profile folder for this process. Errors: fault.Busy (another process uses it), fault.NotFound,
// fault.NotWritable, fault.InvalidInput.
func (rt *Runtime) Open(_ context.Context, opts OpenOptions) (*Profile, error) {
	if opts.Dir == "" {
		return nil, fault.New(fault.InvalidInput, "no profile folder is given")
	}
	dir, err := filepath.Abs(opts.Dir)
	if err != nil {
		return nil, fault.Wrap(fault.Other, err, "find the profile folder")
	}
	opts.Dir = dir
	if opts.Create {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			if errors.Is(err, fs.ErrExist) { // a link to nowhere is neither a folder nor free for one
				return nil, fault.New(fault.NotFound, "the profile folder %s is a link to a folder that is not there", opts.Dir).
					WithHint("Make that folder, or remove the link.")
			}
			return nil, filehost.Convert(err, "create the profile folder")
		}
	}
	lock, err := profilelock.Acquire(dir)
	if err != nil {
		return nil, err
	}
	clearAdded(dir)
	p := &Profile{rt: rt, opts: opts, lock: lock, turn: make(chan struct{}, 1)}
	p.turn <- struct{}{}
	p.engines = newEngines(func(ctx context.Context) (engine, error) { return rt.start(ctx, opts) })
	return p, nil
}

// Login exchanges user and password for a key. Nothing is stored: the caller keeps the key and passes it on.
func (p *Profile) Login(ctx context.Context, params service.LoginParams) (r service.LoginResult, err error) {
	if params.Client == "" {
		params.Client = p.opts.ClientName
	}
	return r, p.do(ctx, service.MethodLogin, params, &r)
}

// Status says what a sync would do.
func (p *Profile) Status(ctx context.Context, params service.StatusParams) (r service.StatusResult, err error) {
	return r, p.doOpen(ctx, service.MethodStatus, params, &r)
}

// Sync syncs the collection.
func (p *Profile) Sync(ctx context.Context, params service.SyncParams) (r service.SyncResult, err error) {
	return r, p.doOpen(ctx, service.MethodSync, params, &r)
}

// Upload replaces the server's collection by ours.
func (p *Profile) Upload(ctx context.Context, params service.TransferParams) (r service.TransferResult, err error) {
	return r, p.doOpen(ctx, service.MethodUpload, params, &r)
}

// Download replaces our collection by the server's.
func (p *Profile) Download(ctx context.Context, params service.TransferParams) (r service.TransferResult, err error) {
	return r, p.doOpen(ctx, service.MethodDownload, params, &r)
}

// MediaSync syncs the media files, beside other methods; a second one meanwhile fails with fault.Busy. It needs no
// collection, but fetches the files of cards that are due first if there is one. If deletions are held back, it fails with
// fault.NeedsDecision; all else is synced then.
func (p *Profile) MediaSync(ctx context.Context, params service.MediaSyncParams) (r service.MediaSyncResult, err error) {
	if params.Client == "" {
		params.Client = p.opts.ClientName
	}
	return r, p.beside(ctx, service.MethodMediaSync, params, &r)
}

// GetMedia fetches one media file now, if it is not here yet, beside other methods. fault.NotFound if no one has it.
func (p *Profile) GetMedia(ctx context.Context, params service.GetMediaParams) (r service.GetMediaResult, err error) {
	if params.Client == "" {
		params.Client = p.opts.ClientName
	}
	return r, p.beside(ctx, service.MethodGetMedia, params, &r)
}

// MediaCheck lists the media files that are missing and those that no note uses, which it moves to the trash if it is told to.
// fault.Busy while MediaSync runs.
func (p *Profile) MediaCheck(ctx context.Context, params service.MediaCheckParams) (r service.MediaCheckResult, err error) {
	return r, p.doOpen(ctx, service.MethodMediaCheck, params, &r)
}

// ForgetMedia forgets what is known of the server's media files, as when another account is used. The files stay.
// fault.Busy while MediaSync or GetMedia runs.
func (p *Profile) ForgetMedia(ctx context.Context) error {
	return p.beside(ctx, service.MethodForgetMedia, struct{}{}, &struct{}{})
}

// Edit changes the collection: all operations or, if one of them is wrong (fault.InvalidInput), none. It need not wait for a running
// sync, upload or download; it waits for other methods.
func (p *Profile) Edit(ctx context.Context, ops ...edit.Op) (r service.EditResult, err error) {
	return r, p.between(ctx, service.MethodEdit, service.EditParams{Ops: append([]edit.Op{}, ops...)}, &r)
}

// Undo takes back the last Edit. fault.NotFound if there is none since the collection was opened, or since the last sync.
func (p *Profile) Undo(ctx context.Context) (r service.UndoResult, err error) {
	return r, p.between(ctx, service.MethodUndo, struct{}{}, &r)
}

// DeckTree returns the list of decks with what is to be studied today. Like Edit it need not wait for a running sync.
func (p *Profile) DeckTree(ctx context.Context) (r service.DeckTreeResult, err error) {
	return r, p.between(ctx, service.MethodDeckTree, struct{}{}, &r)
}

// NextCards returns the head of a deck's queue. fault.NotFound if there is no such deck. Like Edit it need not wait for a running sync.
func (p *Profile) NextCards(ctx context.Context, params service.NextCardsParams) (r service.NextCardsResult, err error) {
	return r, p.between(ctx, service.MethodNextCards, params, &r)
}

// Render renders both sides of a card, of a stored note or of one that an editor shows before it is stored. Like Edit it need not
// wait for a sync.
func (p *Profile) Render(ctx context.Context, params service.RenderParams) (r service.RenderResult, err error) {
	return r, p.between(ctx, service.MethodRender, params, &r)
}

// CompareTyped compares an answer that was typed in with the expected one. Nor need it wait for a sync.
func (p *Profile) CompareTyped(ctx context.Context, params service.CompareTypedParams) (r service.CompareTypedResult, err error) {
	return r, p.between(ctx, service.MethodCompareTyped, params, &r)
}

// Backups lists the backups, newest first.
func (p *Profile) Backups(ctx context.Context) (r service.BackupsResult, err error) {
	return r, p.do(ctx, service.MethodBackups, struct{}{}, &r)
}

// Restore replaces our collection by a backup, keeping a backup of what it replaces. It works without an open
// collection, since that may be the damaged one.
func (p *Profile) Restore(ctx context.Context, params service.RestoreParams) (r service.RestoreResult, err error) {
	return r, p.do(ctx, service.MethodRestore, params, &r)
}

// Version describes the core.
func (p *Profile) Version(ctx context.Context) (r service.VersionResult, err error) {
	return r, p.do(ctx, service.MethodVersion, struct{}{}, &r)
}

// Query runs one SQL statement that only reads the collection, and returns its columns and rows (nil, int64, float64,
// string, []byte). Arguments are nil, bool, int, int32, int64, float64, string or []byte. Anything that could change
// something is refused with fault.InvalidInput.
func (p *Profile) Query(ctx context.Context, sql string, args ...any) (cols []string, rows [][]any, err error) {
	if err := p.enter(ctx); err != nil {
		return nil, nil, err
	}
	defer p.leave()
	if err := p.with(ctx, func(s *shared) error { return p.ensureOpen(ctx, s) }); err != nil {
		return nil, nil, err
	}
	own := sqlitehost.New(p.opts.Dir) // not the engine's, which has the context of its calls
	own.SetContext(ctx)
	db, err := own.Open(ctx, host.Collection, host.ReadOnly)
	if err != nil {
		return nil, nil, err
	}
	defer db.Close()
	return db.(*sqlitehost.DB).ReadOnlyQuery(sql, args...)
}

// Close closes the collection and unlocks the folder. It waits for running calls, which their contexts can end sooner.
// Further calls fail with fault.Closed, a second Close does nothing.
func (p *Profile) Close() error {
	<-p.turn
	defer p.leave()
	last, first := p.engines.close()
	if !first {
		return nil
	}
	var err error
	if last != nil {
		if last.opened.Load() {
			_, err = last.call(context.Background(), service.MethodClose, []byte("{}"))
		}
		err = errors.Join(err, last.close())
	}
	p.lock.Release()
	return err
}

// enter waits for the profile's turn.
func (p *Profile) enter(ctx context.Context) error {
	select {
	case <-p.turn:
	case <-ctx.Done():
		return fault.Wrap(fault.Cancelled, ctx.Err(), "wait for another call")
	}
	if p.engines.isClosed() {
		p.leave()
		return errClosed()
	}
	return nil
}

func errClosed() error { return fault.New(fault.Closed, "the profile is closed") }

func (p *Profile) leave() { p.turn <- struct{}{} }

// do runs a method that does not need the collection.
func (p *Profile) do(ctx context.Context, method string, params, result any) error {
	if err := p.enter(ctx); err != nil {
		return err
	}
	defer p.leave()
	return p.beside(ctx, method, params, result)
}

// doOpen opens the collection if it is not open yet, and runs a method on it.
func (p *Profile) doOpen(ctx context.Context, method string, params, result any) error {
	if err := p.enter(ctx); err != nil {
		return err
	}
	defer p.leave()
	return p.with(ctx, func(s *shared) error {
		if err := p.ensureOpen(ctx, s); err != nil {
			return err
		}
		return call(ctx, s, method, params, result)
	})
}

func (p *Profile) ensureOpen(ctx context.Context, s *shared) error {
	if s.opened.Load() {
		return nil
	}
	open := service.OpenParams{Client: p.opts.ClientName, Create: p.opts.Create}
	if err := call(ctx, s, service.MethodOpen, open, &service.OpenResult{}); err != nil {
		return err
	}
	s.opened.Store(true)
	return nil
}

// between runs a method that runs between the transactions of one that syncs. If the collection is not open yet, or something else
// uses it, that comes first.
func (p *Profile) between(ctx context.Context, method string, params, result any) error {
	wait := false
	err := p.with(ctx, func(s *shared) error {
		if wait = !s.opened.Load(); wait {
			return nil
		}
		return call(ctx, s, method, params, result)
	})
	if wait || fault.KindOf(err) == fault.Busy {
		return p.doOpen(ctx, method, params, result)
	}
	return err
}

// beside runs a method that others may run beside.
func (p *Profile) beside(ctx context.Context, method string, params, result any) error {
	return p.with(ctx, func(s *shared) error { return call(ctx, s, method, params, result) })
}

// with lends the engine to use.
func (p *Profile) with(ctx context.Context, use func(*shared) error) error {
	if err := ctx.Err(); err != nil {
		return fault.Wrap(fault.Cancelled, err, "cancelled")
	}
	s, err := p.engines.acquire(ctx)
	if err != nil {
		return err
	}
	defer p.engines.release(s)
	return use(s)
}

func call(ctx context.Context, e engine, method string, params, result any) error {
	b, err := json.Marshal(params)
	if err != nil {
		return fault.Wrap(fault.Internal, err, "encode the parameters of %s", method)
	}
	answer, err := e.call(ctx, method, b)
	if err != nil {
		return err
	}
	return fault.Wrap(fault.Internal, json.Unmarshal(answer, result), "decode the result of %s", method)
}

// start makes an engine.
func (rt *Runtime) start(ctx context.Context, opts OpenOptions) (engine, error) {
	if rt.isClosed() {
		return nil, fault.New(fault.Closed, "the runtime is closed")
	}
	if opts.Engine == Native {
		return newNative(newPorts(opts), func(h host.Host) abi.Service { return service.New(h) }), nil
	}
	g, err := rt.compiled(ctx)
	if err != nil {
		return nil, err
	}
	defer g.release(context.WithoutCancel(ctx)) // the instance has a use of its own
	return newInstance(ctx, g, newPorts(opts))
}
