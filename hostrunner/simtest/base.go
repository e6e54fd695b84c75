package simtest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/service"
	"github.com/cardferry/cardferry/core/wire"
	"github.com/cardferry/cardferry/hostrunner/syncserver"
	"github.com/cardferry/cardferry/hostrunner/syncserver/memstore"
	"github.com/cardferry/cardferry/hostrunner/syncserver/store"
)

// base is a world as scripts find it: accounts with a collection on a first device and copies of it on the others. Making one takes
// as long as dozens of syncs, so there are some for all seeds, made when first needed and copied from then on.
type base struct {
	once sync.Once
	w    *world
	all  []savedDevice // of all accounts, in turn
	kept memstore.Saved
}

// savedDevice is a device at rest.
type savedDevice struct {
	*device
	files map[string][]byte
}

const (
	baseAccounts = 2
	baseDevices  = 4 // of each account
)

// bases are never changed once made. More of them would be more of the same: what scripts do differs. The last one is large: its rows
// need several messages, and its syncs take twice as long, so it is that of one world in ten.
var bases [5]base

// largeNotes is how many notes a large collection has.
const largeNotes = 300

// baseOf returns the base of a seed.
func baseOf(seed uint64) *base {
	const large = len(bases) - 1
	number := seed % 10 % uint64(large)
	if seed%10 == 9 {
		number = uint64(large)
	}
	b := &bases[number]
	b.once.Do(func() { b.make(number) })
	return b
}

// make makes the accounts, a collection on the first device of each, and copies on the others.
func (b *base) make(number uint64) {
	b.w = &world{newCore: compiledIn, rng: rand.New(rand.NewPCG(number, 0xba5e)), cover: NewCoverage(), digest: sha256.New(), codec: wire.NewCodec(), clock: clock{now: start}}
	w := b.w
	w.stores = syncserver.Server{
		Accounts: memstore.NewAccounts(), Blobs: memstore.NewBlobs(), Collections: w.collections(memstore.NewCollections()), Leases: memstore.NewLeases(""),
	}
	w.startServer()
	for i := range baseAccounts {
		a, err := w.server.Users().Add(context.Background(), user(i), password)
		if err != nil {
			panic(fmt.Sprintf("simtest: make an account: %v", err))
		}
		own := newAccount(i, a.ID, baseAccounts*baseDevices)
		w.accounts = append(w.accounts, own)
	}
	for i := range baseAccounts * baseDevices {
		d := w.addDevice(i, w.accounts[i%baseAccounts])
		if err := d.login(); err != nil {
			panic(fmt.Sprintf("simtest: log in: %v", err))
		}
	}
	for _, a := range w.accounts {
		first := a.devices[0]
		for range 6 {
			w.tick(first, 0)
			w.edit(first, w.rng, "")
		}
		if number == uint64(len(bases)-1) {
			w.fill(first, largeNotes)
		}
		w.firstFiles(first)
		for _, d := range a.devices {
			w.tick(d, 0)
			d.forced = true
			w.syncOne(d)
			w.mediaOne(d)
		}
	}
	for _, d := range w.devices {
		b.all = append(b.all, d.save())
	}
	err := w.server.Close(context.Background())
	if err == nil {
		b.kept, err = w.stores.Collections.(kept).Save()
	}
	if err != nil || len(w.failures) > 0 {
		panic(fmt.Sprintf("simtest: base %d: %v %q", number, err, w.failures))
	}
}

// save ends a device and returns what is on its disk.
func (d *device) save() savedDevice {
	if _, err := d.call(service.MethodClose, struct{}{}); err != nil {
		d.w.fail("close: %v", err)
	}
	saved := savedDevice{d, map[string][]byte{}}
	for name, e := range d.disk.entries {
		content, err := e.bytes()
		if err != nil {
			d.w.fail("save %s: %v", name, err)
		}
		saved.files[name] = slices.Clip(content)
	}
	d.eye.close()
	d.index.close()
	d.disk.free()
	return saved
}

// smallSlice is the number of rows in a message of servers other than ours (sync spec §7.6).
const smallSlice = 250

// begin copies as much of the base as the script needs.
func (w *world) begin(s *script) {
	from := baseOf(s.seed)
	var owners []store.AccountID
	for i := range s.accounts {
		owners = append(owners, from.w.accounts[i].owner)
		w.accounts = append(w.accounts, newAccount(i, owners[i], s.devices))
	}
	w.stores = syncserver.Server{
		Accounts: from.w.stores.Accounts.(*memstore.Accounts).Clone(), Blobs: from.w.stores.Blobs.(*memstore.Blobs).Clone(),
		Collections: w.collections(from.kept.Collections(owners...)), Leases: memstore.NewLeases(""),
	}
	w.clock.now = from.w.clock.Now()
	if w.rng.IntN(2) == 0 {
		w.slice = smallSlice
	}
	w.startServer()
	for i := range s.devices {
		own := w.accounts[i%s.accounts]
		saved := from.all[len(own.devices)*baseAccounts+own.id]
		d := w.addDevice(i, own)
		d.clock.Set(w.clock.now)
		d.account = saved.account
		d.media = saved.media.Clone(d.clock)
		d.media.Fail = func(step, name string) error { return d.gate("media "+step, name) }
		for name, content := range saved.files {
			d.disk.entries[name] = &entry{data: content}
		}
		d.boot()
	}
	for _, a := range w.accounts {
		a.known(a.devices[0])
	}
}

// known notes what is on a device at the beginning, as what the learner has made.
func (a *account) known(d *device) {
	for o := range a.truth.look(d) {
		a.truth.made[o] = true
	}
	a.versions.changed(nil, d.notes())
}

func newAccount(id int, owner store.AccountID, devices int) *account {
	return &account{id: id, owner: owner, truth: newTruth(), met: map[int64]int64{}, versions: versions{}, media: newMediaTruth(devices)}
}

// addDevice adds a new device to an account.
func (w *world) addDevice(id int, own *account) *device {
	d := &device{w: w, id: id, own: own, lane: len(own.devices), clock: coretest.NewClock(start, 0)}
	d.plan = newPlan(d)
	d.disk = newDisk(d.gate)
	d.disk.mayDie = func() bool { return d.killAt > 0 || d.plan.deadly }
	d.disk.rewrite, d.disk.plain = w.mutant.clientSQL(), w.plain
	d.media = coretest.NewMedia(d.clock)
	d.media.Fail = func(step, name string) error { return d.gate("media "+step, name) }
	d.boot()
	w.devices = append(w.devices, d)
	own.devices = append(own.devices, d)
	return d
}
