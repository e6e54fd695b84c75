package hostrunner

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/cardferry/cardferry/core/autosync"
	"github.com/cardferry/cardferry/core/colsync"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/service"
)

// AutoOptions are those of an AutoSync.
type AutoOptions struct {
	// Account is who is logged in; nil: nobody yet (SetAccount).
	Account *colsync.Account
	// Settings are used instead of those that are kept with the profile; nil: those.
	Settings *autosync.Settings
	// Network is what is known of the network; unmetered if empty.
	Network autosync.Network
	// Status is called with what to show, after every change and in their order. It must return quickly, and not call the AutoSync.
	Status func(AutoStatus)
	// Moved is called when the server has moved to another address, which is used from then on; a program keeps it.
	Moved func(endpoint string)
	// After calls f after a time, unless stop is called before; time.AfterFunc if it is not set. The scheduler's clock is that of
	// the profile (OpenOptions.Wrap).
	After func(d time.Duration, f func()) (stop func())
}

// AutoStatus is what to show of a profile that syncs by itself.
type AutoStatus struct {
	Activity autosync.Activity
	// Err is the failure that is not over yet, nil if there is none.
	Err error
	// Status is that of the collection, without the server.
	service.StatusResult
}

// AutoSync syncs a profile by itself, as core/autosync has it. It runs beside other uses of the profile; those that sync are told
// to it by Sync. Its methods may be called by several goroutines, until Close.
type AutoSync struct {
	profile *Profile
	opts    AutoOptions
	ctx     context.Context
	cancel  context.CancelFunc
	events  chan autoEvent
	runs    sync.WaitGroup
	live    *listener

	mu      sync.Mutex
	account *colsync.Account

	// Of the loop.
	status  AutoStatus
	failed  error // the last failure
	stop    func()
	closing bool
}

// autoEvent is an event and who waits until it was noted; nil: nobody.
type autoEvent struct {
	params service.AutoParams
	err    error // of a run that has ended
	done   chan<- error
}

// AutoSync begins to sync the profile by itself: at once, if there is an account.
func (p *Profile) AutoSync(ctx context.Context, opts AutoOptions) (*AutoSync, error) {
	if opts.After == nil {
		opts.After = func(d time.Duration, f func()) func() {
			t := time.AfterFunc(d, f)
			return func() { t.Stop() }
		}
	}
	status, err := p.Status(ctx, service.StatusParams{Offline: true}) // opens the collection, whose settings are needed
	if err != nil {
		return nil, err
	}
	a := &AutoSync{profile: p, opts: opts, account: opts.Account, events: make(chan autoEvent), stop: func() {}}
	a.ctx, a.cancel = context.WithCancel(context.WithoutCancel(ctx))
	a.live = newListener(a.ctx, func(e service.AutoParams) { _ = a.tell(e) })
	a.status.StatusResult = status
	go a.loop()
	err = a.tell(service.AutoParams{
		Event: autosync.Opened, Settings: opts.Settings, Network: opts.Network, LoggedIn: opts.Account != nil, Pending: status.Pending > 0,
	})
	if err != nil {
		a.cancel() // nobody else can end it
		return nil, err
	}
	return a, nil
}

// Edited says that the collection was changed: by an edit, or by another one in its place, imported or restored.
func (a *AutoSync) Edited() error { return a.tell(service.AutoParams{Event: autosync.Edited}) }

// MediaEdited says that media files were changed.
func (a *AutoSync) MediaEdited() error {
	return a.tell(service.AutoParams{Event: autosync.Edited, Media: true})
}

// Hidden says that nobody sees the profile any more, Visible that somebody does again.
func (a *AutoSync) Hidden() error  { return a.tell(service.AutoParams{Event: autosync.Hidden}) }
func (a *AutoSync) Visible() error { return a.tell(service.AutoParams{Event: autosync.Visible}) }

// SetNetwork says what is known of the network.
func (a *AutoSync) SetNetwork(n autosync.Network) error {
	return a.tell(service.AutoParams{Event: autosync.Net, Network: n})
}

// SetAccount says who is logged in now; nil: nobody.
func (a *AutoSync) SetAccount(acc *colsync.Account) error {
	a.mu.Lock()
	a.account = acc
	a.mu.Unlock()
	a.live.stop()
	return a.tell(service.AutoParams{Event: autosync.Account, LoggedIn: acc != nil})
}

// SetSettings changes all settings and keeps them. Error: fault.InvalidInput.
func (a *AutoSync) SetSettings(s autosync.Settings) error {
	return a.tell(service.AutoParams{Event: autosync.Settled, Settings: &s})
}

// Sync runs what the user has asked for: a sync or a one-way sync of the collection (autosync.Sync), or one of media files. run
// returns the result of the profile's method.
func (a *AutoSync) Sync(what autosync.Action, run func() (result any, err error)) error {
	if err := a.tell(service.AutoParams{Event: autosync.Began, What: what}); err != nil {
		return err
	}
	result, err := run()
	end := finished(what, result, err)
	end.Manual = true
	return errors.Join(err, a.send(autoEvent{params: end, err: err}))
}

// Close ends it. What waits to be sent is sent first, unless ctx ends before. The profile stays open.
func (a *AutoSync) Close(ctx context.Context) error {
	err := a.tell(service.AutoParams{Event: autosync.Closing})
	a.live.stop()
	ended := make(chan struct{})
	go func() {
		a.runs.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
	}
	a.cancel()
	<-ended
	if fault.KindOf(err) == fault.Closed {
		return nil
	}
	return err
}

// tell hands an event to the loop and waits until it was noted.
func (a *AutoSync) tell(p service.AutoParams) error { return a.send(autoEvent{params: p}) }

func (a *AutoSync) send(e autoEvent) error {
	done := make(chan error, 1)
	e.done = done
	select {
	case a.events <- e:
		return <-done
	case <-a.ctx.Done():
		return fault.New(fault.Closed, "syncing by itself has ended")
	}
}

// loop tells the scheduler one event after the other.
func (a *AutoSync) loop() {
	for {
		select {
		case e := <-a.events:
			e.done <- a.note(e)
		case <-a.ctx.Done():
			a.stop()
			return
		}
	}
}

// note tells the scheduler an event and does what it answers.
func (a *AutoSync) note(e autoEvent) error {
	var r service.AutoResult
	// Not with the context: what was begun before Close is still noted.
	if err := a.profile.beside(context.WithoutCancel(a.ctx), service.MethodAuto, e.params, &r); err != nil {
		return err
	}
	a.stop()
	a.stop = func() {}
	if r.Wake > 0 {
		a.stop = a.opts.After(time.Duration(r.Wake)*time.Millisecond, func() {
			_ = a.tell(service.AutoParams{Event: autosync.Wake})
		})
	}
	acc := a.current()
	a.live.set(r.Live, acc)
	if e.params.Event == autosync.Closing {
		a.closing = true
	}
	// A run that follows another is waited for by Close; one by itself would come too late for that.
	late := a.closing && e.params.Event != autosync.Closing && (e.params.Event != autosync.Finished || e.params.Manual)
	if r.Do != autosync.Nothing && acc != nil && !late {
		a.runs.Add(1)
		go a.run(r.Do, *acc)
	}
	a.show(e, r)
	return nil
}

func (a *AutoSync) show(e autoEvent, r service.AutoResult) {
	if e.params.Event == autosync.Finished {
		a.failed = e.err
	}
	a.status.Activity, a.status.Err = r.Activity, nil
	if r.Error != "" {
		if a.status.Err = a.failed; fault.KindOf(a.failed).String() != r.Error {
			a.status.Err = fault.ParseKind(r.Error)
		}
	}
	if r.Status != nil {
		a.status.StatusResult = *r.Status
	}
	if a.opts.Status != nil {
		a.opts.Status(a.status)
	}
}

func (a *AutoSync) current() *colsync.Account {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.account
}

// run does what the scheduler has answered.
func (a *AutoSync) run(what autosync.Action, acc colsync.Account) {
	defer a.runs.Done()
	var result any
	var err error
	if what == autosync.Sync {
		var r service.SyncResult
		r, err = a.profile.Sync(a.ctx, service.SyncParams{Account: &acc})
		a.moved(acc, r.NewEndpoint)
		result = r
	} else {
		var r service.MediaSyncResult
		r, err = a.profile.MediaSync(a.ctx, service.MediaSyncParams{Account: &acc})
		a.moved(acc, r.NewEndpoint)
		result = r
	}
	_ = a.send(autoEvent{params: finished(what, result, err), err: err})
}

// moved keeps the server's new address, unless there is another account by now.
func (a *AutoSync) moved(acc colsync.Account, endpoint string) {
	if endpoint == "" {
		return
	}
	a.mu.Lock()
	mine := a.account != nil && *a.account == acc
	if mine {
		a.account = &colsync.Account{Endpoint: endpoint, Key: acc.Key}
	}
	a.mu.Unlock()
	if mine && a.opts.Moved != nil {
		a.opts.Moved(endpoint)
	}
}

// finished is the event of a run's end.
func finished(what autosync.Action, result any, err error) service.AutoParams {
	p := service.AutoParams{Event: autosync.Finished, What: what}
	if err != nil {
		p.Error = fault.KindOf(err).String()
	} else {
		p.Report = result
	}
	return p
}
