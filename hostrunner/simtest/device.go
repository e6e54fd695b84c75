package simtest

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/cardferry/cardferry/core/colsync"
	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/service"
	"github.com/cardferry/cardferry/hostrunner/sqlitehost"
)

// device is one device of the account: the real core on simulated ports.
type device struct {
	w       *world
	id      int
	own     *account
	lane    int // its number within the account, which says when it edits (world.tick)
	disk    *disk
	media   *coretest.Media
	clock   *coretest.Clock
	http    *coretest.HTTP
	core    caller
	opened  bool
	account colsync.Account
	plan    *plan // the faults of the running action
	eye     eye   // into the collection
	index   eye   // into the media index
	forced  bool  // it may need a one-way sync

	dead     bool
	cancel   func() // what the user may do while a call runs
	steps    int    // of ports, in this action
	killAt   int    // the step in which the device dies; 0: none
	fullAt   int    // the step from which on the disk is full; 0: none
	cancelAt int    // the step in which the user cancels; 0: none
	readOnly bool   // the media folder is
}

// start is the moment in which each world begins.
var start = time.UnixMilli(1_800_000_000_000)

// boot starts the program anew on what is on the disk.
func (d *device) boot() {
	d.disk.drop()
	d.dead, d.opened, d.killAt, d.fullAt, d.cancelAt, d.steps = false, false, 0, 0, 0, 0
	d.http = &coretest.HTTP{Answer: d.answer, Files: files{d.disk}, Media: d.media}
	d.core = d.w.newCore(host.Host{
		SQL: d.disk, HTTP: d.http, Files: files{d.disk}, Media: d.media, Text: coretest.Text{}, Clock: d.clock,
		Random: coretest.NewRandom(d.w.rng.Uint64()), Events: silent{}, Yield: coretest.Yield{},
	})
}

// caller is the core, or what runs it.
type caller interface {
	// Call runs a method of core/service; params is what its parameters are in Go.
	Call(ctx context.Context, method string, params any) ([]byte, error)
}

// inside is the core as it is compiled into this program.
type inside struct{ *service.Service }

// Call runs a method.
func (c inside) Call(ctx context.Context, method string, params any) ([]byte, error) {
	b, err := json.Marshal(params)
	if err != nil {
		return nil, err
	}
	return c.Service.Call(ctx, method, b)
}

func compiledIn(h host.Host) caller { return inside{service.New(h)} }

// silent is a host.Events that nobody looks at.
type silent struct{}

func (silent) Progress(host.Progress) {}

// gate is asked before every step of a port.
func (d *device) gate(step, _ string) error {
	if d.dead {
		return errDead
	}
	d.steps++
	switch {
	case d.steps == d.killAt:
		d.dead = true
		d.w.note("device %d is killed at step %d (%s)", d.id, d.steps, step)
		d.w.cover.add("kill: " + step)
		return errDead
	case d.steps == d.cancelAt && d.cancel != nil:
		d.plan.hit++
		d.w.note("device %d: the user cancels at step %d (%s)", d.id, d.steps, step)
		d.w.cover.add("cancel: " + step)
		d.cancel()
	case d.fullAt > 0 && d.steps >= d.fullAt && writes(step):
		d.w.cover.add("disk full: " + step)
		return fault.New(fault.StorageFull, "no space left on the device")
	case d.readOnly && (strings.HasPrefix(step, "media ") && writes(step) || step == "media trash"):
		return fault.New(fault.NotWritable, "%s: the folder is read-only", step)
	}
	return nil
}

// writes reports whether a step may need room. Of statements it is not known, which is harmless.
func writes(step string) bool {
	switch step {
	case "sql run", "sql copy", "file write", "file create", "media write", "media create", "media install", "media copy":
		return true
	}
	return false
}

// revive restarts a device that was killed. With the power gone, what was not flushed of the media files is there or not.
func (d *device) revive(rng *rand.Rand) {
	if rng.IntN(2) == 0 {
		d.media.PowerCut(func(string) coretest.Survival { return coretest.Survival(rng.IntN(3)) })
		if d.disk.powerCut(rng) {
			d.w.note("device %d: its media index is as it was some commits ago", d.id)
			d.w.cover.add("power cut: media index")
			d.own.media.cut[d.id] = true
		}
	} else {
		d.media.PowerCut(func(string) coretest.Survival { return coretest.Kept })
	}
	d.boot()
	if d.disk.entries[host.Collection] == nil {
		return
	}
	switch dump, _, err := d.w.deviceDump(d); {
	case err != nil:
		d.w.fail("device %d was killed: read its collection: %v", d.id, err)
	default: // what was committed is of one piece
		d.own.invariants(d.w, fmt.Sprintf("device %d was killed", d.id), dump)
	}
}

// call runs a method of the core. The answer is nil if it fails.
func (d *device) call(method string, params any) ([]byte, error) {
	if !d.opened && method != service.MethodLogin && !strings.HasPrefix(method, "media") {
		if _, err := d.core.Call(context.Background(), service.MethodOpen, service.OpenParams{Create: true}); err != nil {
			return nil, err
		}
		d.opened = true
	}
	ctx, cancel := context.WithCancel(context.Background())
	outer := d.cancel
	d.cancel = cancel
	defer func() {
		cancel()
		d.cancel = outer
	}()
	return d.core.Call(ctx, method, params)
}

// login gives the device a key.
func (d *device) login() error {
	b, err := d.call(service.MethodLogin, service.LoginParams{Endpoint: endpoint, User: user(d.own.id), Password: password})
	if err != nil {
		return err
	}
	var r service.LoginResult
	if err := json.Unmarshal(b, &r); err != nil {
		return err
	}
	d.account = colsync.Account{Endpoint: r.Endpoint, Key: r.Key}
	return nil
}

// look reads the device's collection from outside, one value a row.
func (d *device) look(sql string, args ...any) (list []int64) {
	d.each(sql, func(r rows.Row) { list = append(list, r[0].Int()) }, args...)
	return list
}

// eye is a connection that looks into a device or the server from outside. It never keeps a lock.
type eye struct {
	file string
	db   *statements
}

// into returns the connection to the database in memory of a name: the one that there is, unless it is to another one.
func (e *eye) into(file string) (*statements, error) {
	if e.db == nil || e.file != file {
		e.close()
		db, err := sqlitehost.OpenMemory(file, host.ReadOnly)
		if err != nil {
			return nil, err
		}
		*e = eye{file, keepStatements(db, nil)}
	}
	return e.db, nil
}

func (e *eye) close() {
	if e.db != nil {
		_ = e.db.Close()
	}
	*e = eye{}
}

// each calls do for each row of the device's collection. A device without one has no rows.
func (d *device) each(sql string, do func(rows.Row), args ...any) {
	e := d.disk.entries[host.Collection]
	if e == nil {
		return
	}
	e.database()
	from := d.disk.resting(e)
	if from == nil {
		from = d.through(e)
	}
	if from == nil {
		return
	}
	for row, err := range rows.Query(from, sql, args...) {
		if err != nil {
			d.w.fail("device %d: look: %v", d.id, err)
			return
		}
		do(row)
	}
}

// through returns the eye's connection to a database; nil if there is none.
func (d *device) through(e *entry) *statements {
	db, err := d.eye.into(e.db)
	if err != nil {
		d.w.fail("device %d: look: %v", d.id, err)
		return nil
	}
	return db
}
