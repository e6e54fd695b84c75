package hostrunner

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/hostrunner/filehost"
	"github.com/cardferry/cardferry/hostrunner/mediahost"
	"github.com/cardferry/cardferry/hostrunner/nethost"
	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
)

// ports is what one engine lends to the core.
type ports struct {
	host   host.Host
	sql    *sqlitehost.SQL
	http   *nethost.HTTP
	media  *mediahost.Media
	dbs    *openDBs
	report *reporter
	log    func(line string)
}

// lane is what the ports know of one call.
type lane struct {
	ctx    context.Context // its end interrupts the call's SQL
	events *events
}

func newPorts(o OpenOptions) *ports {
	files := filehost.New(o.Dir, sqlitehost.Settle)
	media := mediahost.New(o.Dir)
	p := &ports{
		sql: sqlitehost.New(o.Dir), http: nethost.New(files, media), media: media,
		report: &reporter{to: o.Progress}, log: o.Log,
	}
	if p.log == nil {
		p.log = func(string) {}
	}
	p.host = host.Host{
		SQL: p.sql, HTTP: p.http, Files: files, Media: media,
		Clock: clock{}, Random: random{}, Text: text{}, Events: p.report, Yield: yield{},
	}
	if o.Wrap != nil {
		p.host = o.Wrap(p.host)
	}
	p.dbs = &openDBs{SQL: p.host.SQL, open: map[*trackedDB]bool{}}
	p.host.SQL = p.dbs
	return p
}

// newLane is for a call whose context is ctx.
func (p *ports) newLane(ctx context.Context) *lane {
	return &lane{ctx: ctx, events: &events{report: p.report.to, now: time.Now}}
}

// enter says whose turn it is from now on: SQL statements end with that call, and progress is that call's. nil is no
// one's.
func (p *ports) enter(l *lane) {
	p.report.lane = l
	if l == nil {
		p.sql.SetContext(context.Background())
	} else {
		p.sql.SetContext(l.ctx)
	}
}

// end reports what progress is still held.
func (l *lane) end() { l.events.flush() }

func (p *ports) close() error {
	err := p.dbs.closeAll()
	p.http.Close()
	p.media.Close()
	return err
}

// openDBs knows the databases that the core has open, so that they can be closed when it cannot do so any more.
type openDBs struct {
	host.SQL
	mu   sync.Mutex
	open map[*trackedDB]bool
}

type trackedDB struct {
	host.DB
	of *openDBs
}

func (o *openDBs) Open(ctx context.Context, name string, mode host.OpenMode) (host.DB, error) {
	db, err := o.SQL.Open(ctx, name, mode)
	if err != nil {
		return nil, err
	}
	t := &trackedDB{DB: db, of: o}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.open[t] = true
	return t, nil
}

func (d *trackedDB) Close() error {
	d.of.mu.Lock()
	delete(d.of.open, d)
	d.of.mu.Unlock()
	return d.DB.Close()
}

func (o *openDBs) closeAll() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	var errs []error
	for d := range o.open {
		errs = append(errs, d.DB.Rollback(), d.DB.Close())
	}
	clear(o.open)
	return errors.Join(errs...)
}

type clock struct{}

func (clock) Now() time.Time { return time.Now() }

func (clock) MinutesWest(t time.Time) int {
	_, east := t.Local().Zone()
	return -east / 60
}

type random struct{}

func (random) Random(p []byte) { _, _ = rand.Read(p) } // never fails

type text struct{}

func (text) NFC(s string) string { return norm.NFC.String(s) }

func (text) NFKD(s string) string { return norm.NFKD.String(s) }

// yield is for an engine with threads of its own: there is no other work to let in.
type yield struct{}

func (yield) Tick(ctx context.Context) error { return ctx.Err() }

func (yield) Pause(ctx context.Context) error { return ctx.Err() }

// reportEvery bounds how often a stage is reported.
const reportEvery = 50 * time.Millisecond

// reporter takes the progress reports of all calls, each in its turn.
type reporter struct {
	to   func(host.Progress)
	lane *lane
}

// Progress hands a report to the call whose turn it is.
func (r *reporter) Progress(p host.Progress) {
	if r.lane != nil {
		r.lane.events.Progress(p)
	}
}

// events thins out the progress reports of a call; the last one of a stage is always kept.
type events struct {
	report func(host.Progress)
	now    func() time.Time
	last   time.Time
	stage  host.Stage
	held   *host.Progress
}

// Progress reports p now, or holds it until the next one or the end of its stage.
func (e *events) Progress(p host.Progress) {
	if e.report == nil {
		return
	}
	if p.Stage != e.stage {
		e.flush()
	}
	now := e.now()
	if p.Stage == e.stage && p.Done != p.Total && now.Sub(e.last) < reportEvery {
		e.held = &p
		return
	}
	e.stage, e.last, e.held = p.Stage, now, nil
	e.report(p)
}

// flush reports what is held.
func (e *events) flush() {
	if e.held != nil {
		e.report(*e.held)
		e.held = nil
	}
	e.stage = ""
}
