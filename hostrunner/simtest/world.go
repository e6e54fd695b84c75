package simtest

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/cardferry/cardferry/core/colsync"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/rows"
	"github.com/cardferry/cardferry/core/service"
	"github.com/cardferry/cardferry/core/wire"
	"github.com/cardferry/cardferry/hostrunner/syncserver"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// world is a server, its accounts and their devices, while a script is played.
type world struct {
	rng      *rand.Rand
	mutant   *mutant
	cover    *Coverage
	accounts []*account
	devices  []*device // of all accounts
	server   *syncserver.Server
	stores   syncserver.Server // its stores outlive a restart
	clock    clock
	slice    int // rows in a message
	newCore  func(host.Host) caller
	plain    bool        // see script
	codec    *wire.Codec // to look into messages
	requests int
	restarts int // of the server
	settling bool
	ending   bool // nothing follows
	syncs    int
	log      []string
	failures []string
	digest   hash.Hash
}

// account is a learner with devices, and what is known of both. Accounts share the server and nothing else.
type account struct {
	id       int
	owner    store.AccountID
	devices  []*device
	truth    truth
	media    mediaTruth
	met      map[int64]int64 // decks whose name has met another one's, and when
	versions versions
	eye      eye // into the server's collection
	index    eye // into the server's media state
}

// clock is the server's; it may be read by what the server does after its answer.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// result is what playing a script has shown.
type result struct {
	syncs, requests int
	failures        []string
	log             []string
	digest          [32]byte
}

// play plays a script. m is a seeded fault, nil for none.
func play(s *script, m *mutant, cover *Coverage) *result { return playOn(s, m, cover, compiledIn) }

// playOn is play with the core in another host.
func playOn(s *script, m *mutant, cover *Coverage, core func(host.Host) caller) *result {
	w := newWorld(s, m, cover, core)
	defer w.end()
	return w.play(s)
}

// newWorld is a world in which the script can begin.
func newWorld(s *script, m *mutant, cover *Coverage, core func(host.Host) caller) *world {
	w := &world{
		newCore: core, plain: s.plain,
		rng: rand.New(rand.NewPCG(s.seed, 0xd3)), mutant: m, cover: cover, digest: sha256.New(), codec: wire.NewCodec(), clock: clock{now: start},
	}
	w.begin(s)
	return w
}

func (w *world) play(s *script) *result {
	for i := range s.actions {
		if len(w.failures) > 0 {
			break
		}
		w.act(&s.actions[i])
	}
	if len(w.failures) == 0 {
		w.ending = true
		w.settle()
	}
	r := &result{syncs: w.syncs, requests: w.requests, failures: w.failures, log: w.log}
	copy(r.digest[:], w.digest.Sum(nil))
	return r
}

func (w *world) end() {
	_ = w.server.Close(context.Background())
	for _, d := range w.devices {
		d.eye.close()
		d.index.close()
		d.disk.free()
	}
	for _, a := range w.accounts {
		a.eye.close()
		a.index.close()
		_ = w.stores.Collections.Remove(context.Background(), a.owner)
	}
}

func (w *world) startServer() {
	w.server = &syncserver.Server{
		Accounts: w.stores.Accounts, Blobs: w.stores.Blobs, Collections: w.stores.Collections, Leases: w.stores.Leases,
		Limits:    syncserver.Limits{Slice: w.slice},
		Passwords: syncserver.Passwords{Memory: 8, Passes: 1, Random: func(p []byte) { clear(p) }}, Now: w.clock.Now,
	}
}

// restartServer ends the server, which rolls a session back, and starts it on the same data.
func (w *world) restartServer() {
	w.restarts++
	_ = w.server.Close(context.Background())
	w.startServer()
}

// act plays an action.
func (w *world) act(a *action) {
	w.note("%s", a)
	d := w.devices[a.device%len(w.devices)]
	rng := rand.New(rand.NewPCG(a.seed, 1))
	if rng.IntN(5) > 0 && !a.atOnce { // the rest happens within one second
		w.tick(d, time.Duration(1+rng.IntN(60))*time.Second)
	}
	d.plan = &plan{faults: a.faults, at: maps.Clone(a.at), rng: rng, look: a.look}
	for _, f := range slices.Concat(slices.Collect(maps.Values(a.faults)), slices.Collect(maps.Values(a.at))) {
		d.plan.deadly = d.plan.deadly || f == killBefore || f == killAfter
	}
	d.http.Pick = nil
	if a.reorder {
		d.http.Pick = rng.IntN
	}
	d.steps, d.killAt, d.fullAt, d.cancelAt = 0, a.killAt, a.fullAt, a.cancelAt
	if d.readOnly = a.readOnly; a.locked || a.readOnly {
		d.plan.hit++
		d.media.Lock(a.locked)
	}
	switch a.kind {
	case doEdit:
		w.edit(d, rng, a.about)
	case doUndo:
		w.undo(d)
	case doMedia:
		w.changeFiles(d, rng, a.about)
	case doSync:
		w.syncOne(d)
	case doMediaSyn:
		w.mediaOne(d)
	case doOneWay:
		w.oneWay(d, a.about == focusUpload || a.about == "" && rng.IntN(2) == 0)
	case doClock:
		w.jump(d, rng, a.about)
	case doKill:
		d.dead = true
	case doServer:
		w.restartServer()
	case doSettle:
		w.settle()
	}
	d.killAt, d.fullAt, d.cancelAt, d.http.Pick = 0, 0, 0, nil
	d.media.Lock(false)
	d.readOnly = false
	d.plan = newPlan(d)
	if d.dead {
		d.revive(rng)
	}
}

// lap is the time in which each device has its own seconds, and milliseconds, so that two of them rarely edit in the same one: what
// happens then is a known exception (edition).
const lap = 64 * time.Second

// tick lets time pass for everybody.
func (w *world) tick(d *device, by time.Duration) {
	by = by.Truncate(lap) + lap
	w.clock.advance(by)
	for _, each := range w.devices {
		each.clock.Advance(by)
	}
	now, own := d.clock.Now(), time.Duration(d.lane)*(20*time.Second+100*time.Millisecond)
	d.clock.Set(now.Truncate(lap).Add(own + time.Duration(d.plan.rng.IntN(50))*time.Millisecond))
}

// jump sets the clock of a device, or lets days pass.
func (w *world) jump(d *device, rng *rand.Rand, about focus) {
	if about == focusTogether {
		for _, each := range d.own.devices {
			each.clock.Set(w.clock.Now())
		}
		return
	}
	switch rng.IntN(4) {
	case 0:
		d.clock.Advance(time.Duration(rng.IntN(9)-4) * lap)
	case 1:
		d.clock.Advance(time.Duration(rng.IntN(41)-20) * lap)
	case 2:
		w.clock.advance(24 * time.Hour)
		for _, each := range w.devices {
			each.clock.Advance(24 * time.Hour)
		}
	case 3:
		d.clock.Set(w.clock.Now())
	}
	w.note("device %d: its clock is %v beside the server's", d.id, d.clock.Now().Sub(w.clock.Now()))
}

// nestedSync lets another device sync while d waits for an answer.
func (w *world) nestedSync(d *device) {
	if len(w.devices) < 2 {
		return
	}
	other := w.devices[(d.id+1+d.plan.rng.IntN(len(w.devices)-1))%len(w.devices)]
	if other.plan.nested || other == d {
		return
	}
	other.plan = &plan{nested: true, rng: d.plan.rng}
	w.syncOne(other)
	w.mediaOne(other)
	other.plan = newPlan(other)
}

// syncOne syncs the collection of a device, and does what a person would if it needs a direction.
func (w *world) syncOne(d *device) {
	if _, err := w.trySync(d, ""); fault.KindOf(err) == fault.OneWayNeeded {
		w.choose(d, err, d.plan.rng.IntN(3) == 0)
	}
}

// choose makes a one-way sync that is needed, in the wanted direction if there is a choice.
func (w *world) choose(d *device, err error, upload bool) {
	if !d.forced {
		w.fail("device %d needs a one-way sync that nothing has forced: %v", d.id, err)
	}
	e, _ := errors.AsType[*fault.Error](err)
	up, _ := e.Details["upload_ok"].(bool)
	down, _ := e.Details["download_ok"].(bool)
	w.oneWay(d, up && (!down || upload))
}

// trySync is one call of sync.
func (w *world) trySync(d *device, how colsync.Direction) (r service.SyncResult, err error) {
	w.syncs++
	w.mergeCells(d)
	b, err := d.call(service.MethodSync, service.SyncParams{Account: &d.account, OnConflict: how})
	if err == nil {
		err = json.Unmarshal(b, &r)
	}
	if err == nil && d.forced && (r.RoundTrips > 1 || w.oneLine(d)) {
		d.forced = false
	}
	w.ended(d, "sync", err)
	w.meetNames(d)
	return r, err
}

// oneLine reports whether the collections of a device and of the server can be merged. A sync that finds equal times, which may be chance, does
// not ask (sync spec, trap 10).
func (w *world) oneLine(d *device) bool {
	server, err := w.serverCollection(d.own)
	if err != nil {
		return false
	}
	scm, err := rows.IntOf(server, "SELECT scm FROM col")
	own := d.look("SELECT scm FROM col")
	return err == nil && len(own) == 1 && own[0] == scm
}

// oneWay replaces the server's collection or the device's.
func (w *world) oneWay(d *device, upload bool) {
	method, word := service.MethodDownload, "download"
	if upload {
		method, word = service.MethodUpload, "upload"
	}
	w.syncs++
	d.own.excuse(w)
	before := maps.Clone(d.own.truth.made)
	_, err := d.call(method, service.TransferParams{Account: &d.account})
	if !upload {
		d.own.excuseNew(before) // what was edited meanwhile is in the backup only (design §3)
	}
	if upload {
		for _, each := range d.own.devices {
			each.forced = true
			each.plan.replaced = each != d
		}
	}
	w.ended(d, word, err)
}

// mediaOne syncs the media files of a device.
func (w *world) mediaOne(d *device) (r service.MediaSyncResult, err error) {
	w.syncs++
	w.mediaCells(d)
	p := service.MediaSyncParams{Account: &d.account}
	choices := 6 // mostly the user does not decide
	if w.settling {
		choices = 2
	}
	switch d.plan.rng.IntN(choices) {
	case 0:
		p.RestoreHeld = true
	case 1:
		p.AllowDeletions = true
	}
	before := d.own.media.before(d)
	b, err := d.call(service.MethodMediaSync, p)
	if err == nil {
		err = json.Unmarshal(b, &r)
	}
	d.own.media.after(d, before, err, p)
	w.ended(d, "media sync", err)
	return r, err
}

// ended judges how a call of a device ended.
func (w *world) ended(d *device, what string, err error) {
	k := fault.KindOf(err)
	w.trace("%d %s %v", d.id, what, k)
	if err != nil {
		w.note("device %d: %s: %v", d.id, what, err)
		if !d.dead {
			w.cover.add("kind: " + k.String())
		}
	}
	skewed := d.clock.Now().Sub(w.clock.Now()).Abs() > 299*time.Second
	switch {
	case d.dead, err == nil, k == fault.OneWayNeeded, k == fault.NeedsDecision, k == fault.Clock && skewed:
	case k == fault.Sanity && d.plan.replaced && w.restarts > 0:
		// Another device has uploaded between our meta and start, and the server has forgotten what it told us (README).
		w.cover.add("known: an upload between meta and start, and a restart")
	case k == fault.Sanity, k == fault.Internal, k == fault.DamagedFile, k == fault.Resync, k == fault.NotFound, k == fault.Closed:
		w.fail("device %d: %s: %v", d.id, what, err)
	case d.plan.disturbed(), d.fullAt > 0:
	default:
		w.fail("device %d: %s, with nothing in its way: %v", d.id, what, err)
	}
}

func (w *world) note(format string, args ...any) { w.log = append(w.log, fmt.Sprintf(format, args...)) }

func (w *world) trace(format string, args ...any) { fmt.Fprintf(w.digest, format+"\n", args...) }

func (w *world) fail(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	w.failures = append(w.failures, text)
	w.note("FAILURE: %s", text)
}
