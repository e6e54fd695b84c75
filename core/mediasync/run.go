package mediasync

import (
	"context"
	"encoding/hex"
	"time"

	"github.com/cardferry/cardferry/core/digest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/mediawire"
	"github.com/cardferry/cardferry/core/remote"
)

// trashAge is how long files stay in the trash (design.md §10).
const trashAge = 30 * 24 * time.Hour

// Syncer syncs the media files of one profile. Several of its methods may run at the same time.
type Syncer struct {
	Host *host.Host
	// Client names the program in requests, printable ASCII, e.g. "cardferry/1.0".
	Client string

	index *index // nil while no one uses it
	users int
	busy  bool // a sync or a check is running
}

// Options are the user's decisions about deletions that are held, and what a collection sync has just learnt.
type Options struct {
	AllowDeletions bool
	RestoreHeld    bool
	// Evictable says that nobody but us changes the store, and that it may lose files: what a scan misses was not deleted by
	// the user, and is fetched again. Only Remove and Check delete then.
	Evictable bool
	// ServerUSN is the server's change number if HasUSN; it saves a request.
	ServerUSN int64
	HasUSN    bool
	// Order ranks the names that are used by cards; nil leaves the order to the names.
	Order Order
}

// syncRun is one run over the shared index.
type syncRun struct {
	*Syncer
	server   *remote.Server
	options  Options
	account  string // identity of account and server
	report   Report
	setAside asides
	givenUp  int                 // of setAside, files that the server did not hand out or take
	stopped  [3]bool             // kinds of transfers of which too many were given up
	lost     int                 // uploads whose outcome was not known
	checked  int64               // files and rows of the list looked at
	moves    int                 // redirects followed
	acted    bool                // something was listed or transferred
	fresh    bool                // the list has told something since the last plan
	ahead    map[int64]host.Call // pages of the list that were asked for, by what they begin after
}

// errBusy is the error of a second sync.
func errBusy() error {
	return fault.New(fault.Busy, "media files are being synced or checked already").WithHint("Wait until that has ended.")
}

// acquire opens the index, or shares the open one.
func (s *Syncer) acquire(ctx context.Context) (err error) {
	if s.users == 0 {
		if s.index, err = openIndex(ctx, s.Host); err != nil {
			return err
		}
	}
	s.users++
	return nil
}

// release closes the index after its last user.
func (s *Syncer) release(err *error) {
	if s.users--; s.users > 0 {
		return
	}
	if cerr := s.index.close(); *err == nil {
		*err = cerr
	}
	s.index = nil
}

// Forget removes the index, as when the user logs out: the next sync compares both sides anew.
func (s *Syncer) Forget() error {
	if s.users > 0 {
		return errBusy()
	}
	return s.Host.Files.Remove(host.MediaIndex)
}

func (s *Syncer) newRun(acc remote.Account) (*syncRun, error) {
	server, err := remote.New(s.Host, acc, s.Client, remote.MSync)
	if err != nil {
		return nil, err
	}
	return &syncRun{Syncer: s, server: server, account: identity(server.Base, acc.Key), setAside: asides{}}, nil
}

// Sync makes both sides equal. Files that cannot be synced are set aside and reported; all others go on.
// Errors: fault.NeedsDecision (deletions are held, everything else is synced; the report is in the details), fault.Busy,
// fault.NotWritable, fault.StorageFull, fault.Cancelled, and those of the network. After a failure nothing is lost, and
// the next sync goes on.
func (s *Syncer) Sync(ctx context.Context, acc remote.Account, o Options) (_ Report, err error) {
	if o.AllowDeletions && o.RestoreHeld {
		return Report{}, fault.New(fault.InvalidInput, "held deletions can be allowed or restored, not both")
	}
	if s.busy {
		return Report{}, errBusy()
	}
	r, err := s.newRun(acc)
	if err != nil {
		return Report{}, err
	}
	if err := s.acquire(ctx); err != nil {
		return Report{}, err
	}
	s.busy = true
	defer func() {
		s.busy = false
		s.release(&err)
	}()
	r.options = o
	err = r.sync(ctx)
	r.report.SetAside = r.setAside.list()
	r.report.RoundTrips, r.report.NewEndpoint = int64(r.server.Requests), r.server.NewEndpoint
	return r.report, r.finish(err)
}

// finish gives an error what a caller needs to know about the run.
func (r *syncRun) finish(err error) error {
	if err == nil && r.report.Held > 0 {
		err = r.needsDecision()
	}
	e, ok := r.server.WithRedirect(err).(*fault.Error)
	if !ok {
		if err != nil && r.report.changed() {
			return &fault.Error{Kind: fault.KindOf(err), Err: err, Changed: true}
		}
		return err
	}
	c := *e
	c.Changed = c.Changed || r.report.changed()
	if c.Kind == fault.NeedsDecision {
		c.Details = r.report.details()
	}
	return &c
}

func (r *syncRun) sync(ctx context.Context) error {
	r.progress(host.StageMediaIndex, 0, 0)
	if err := r.scan(ctx); err != nil {
		return err
	}
	if err := r.Host.Media.Expire(r.Host.Clock.Now().Add(-trashAge)); err != nil && fault.KindOf(err) != fault.NotFound {
		return fault.Step("empty the trash", err)
	}
	if err := r.connect(ctx); err != nil {
		return err
	}
	if err := r.transfer(ctx); err != nil || !r.acted {
		return err
	}
	return r.checkSanity(ctx)
}

// connect brings the index up to the server's list.
func (r *syncRun) connect(ctx context.Context) error {
	x, o := r.index, r.options
	if err := r.adopt(); err != nil {
		return err
	}
	usn := o.ServerUSN
	// A number below ours would mean that the server was reset: one that was handed over may just be old.
	if !o.HasUSN || usn < x.usn || x.account != r.account {
		r.progress(host.StageConnect, 0, 0)
		body, err := r.server.PostFollowing(ctx, mediawire.Begin, mediawire.BeginRequest(r.Client))
		if err != nil {
			return err
		}
		n, err := mediawire.ParseBegin(body)
		if err != nil {
			return err
		}
		usn = int64(n)
	}
	if usn < x.usn || x.account != r.account {
		return r.relist(ctx, usn)
	}
	return r.list(ctx, usn)
}

// adopt makes an index that knows no server yet one of this account.
func (r *syncRun) adopt() error {
	if r.index.account != "" {
		return nil
	}
	r.index.account = r.account
	return r.index.remember("account", r.account)
}

// claim makes the index one of this account.
func (r *syncRun) claim(ctx context.Context, usn int64) error {
	if err := r.adopt(); err != nil || r.index.account == r.account {
		return err
	}
	return r.relist(ctx, usn)
}

// maxRounds bounds how often a run plans anew, as when files change all the time.
const maxRounds = 10

// transfer does what follows from the index until nothing does any more. Uploads come right after a listing, as nothing
// else tells us of what other devices have sent; after them the list is read again, never guessed (§15).
func (r *syncRun) transfer(ctx context.Context) error {
	for range maxRounds {
		r.fresh = false
		p, err := r.makePlan(ctx)
		if err == nil && !p.empty() {
			r.acted = true
			err = r.carryOut(ctx, p)
		}
		r.report.Held = p.held
		p.close()
		if err != nil || p.empty() {
			return err
		}
	}
	return nil
}

func (r *syncRun) carryOut(ctx context.Context, p *plan) error {
	if p.total[planUpload] == 0 {
		if err := r.rank(ctx, p); err != nil {
			return err
		}
	}
	if err := p.sort(); err != nil {
		return err
	}
	if p.total[planUpload] > 0 {
		return r.uploads(ctx, p)
	}
	if err := r.trashDeleted(ctx, p); err != nil {
		return err
	}
	return r.downloads(ctx, p)
}

// checkSanity compares the numbers of files (§7.7). On a difference the list is read on, as another device may have sent
// something; then read from its beginning. What differs even then is not ours to repair: the server's counter is off.
func (r *syncRun) checkSanity(ctx context.Context) error {
	relisted := false
	for range maxRounds { // more only while other devices go on sending
		n, err := r.index.count("server IS NOT NULL AND server <> x'2d'")
		if err != nil {
			return err
		}
		body, err := r.server.PostFollowing(ctx, mediawire.MediaSanity, mediawire.SanityRequest(n))
		if err != nil {
			return err
		}
		equal, err := mediawire.ParseSanity(body)
		if err != nil || equal {
			return err
		}
		r.fresh = false
		if err := r.list(ctx, unknown); err != nil {
			return err
		}
		if !r.fresh {
			if relisted {
				r.report.Warning = "The server counts another number of files than it lists; its own counter is wrong."
				return nil
			}
			if err := r.relist(ctx, r.index.usn); err != nil {
				return err
			}
			relisted = true
		}
		if err := r.transfer(ctx); err != nil {
			return err
		}
	}
	return nil
}

// maxGivenUp bounds how many files of a run are given up one by one: each costs a few requests.
const maxGivenUp = 50

// giveUp sets a file aside that the server does not hand out or take. After too many of them the rest is left to the next
// run: a server that refuses everything must not cost requests for every name.
func (r *syncRun) giveUp(name string, why reason, kind int) {
	r.setAside[name] = why
	if r.givenUp++; r.givenUp >= maxGivenUp {
		r.stopped[kind] = true
		r.report.Warning = "The server did not hand out or take many of the files; the rest was left for the next time."
	}
}

func (r *syncRun) progress(stage host.Stage, done, total int64) {
	r.Host.Events.Progress(host.Progress{Stage: stage, Done: done, Total: total})
}

// identity is what tells whose list the index has. The key is a secret, so only a sum of it is kept.
func identity(base, key string) string {
	sum := digest.SHA1(key)
	return base + " " + hex.EncodeToString(sum[:8])
}
