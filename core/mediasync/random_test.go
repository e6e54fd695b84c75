package mediasync_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/cardferry/cardferry/core/coretest"
	"github.com/cardferry/cardferry/core/fault"
	"github.com/cardferry/cardferry/core/host"
	"github.com/cardferry/cardferry/core/mediasync"
	"github.com/cardferry/cardferry/core/mediawire"
)

// world is two devices of one user and a server, with what the user did. What a user replaces or deletes is what they
// see; every other version they made has to be found in the end.
type world struct {
	t       *testing.T
	r       *rand.Rand
	server  *server
	devices [2]*device
	alive   map[version]bool
	made    map[version]bool
	next    int
	log     []string
	// unsure are names that a device has sent without getting an answer, until its next sync; mayReturn those that another
	// device has deleted meanwhile: the list cannot tell the first device that the deletion was one of its version. unseen
	// are files that a device has received when it was killed: if the user deletes one, no one knows that it was here.
	unsure    [2]map[string]bool
	unseen    [2]map[string]bool
	mayReturn map[string]bool
}

type version struct{ name, content string }

func (w *world) number(d *device) int {
	if d == w.devices[1] {
		return 1
	}
	return 0
}

func (w *world) note(format string, args ...any) { w.log = append(w.log, fmt.Sprintf(format, args...)) }

// act lets the user do something on a device.
func (w *world) act(d *device) {
	name := fmt.Sprintf("f%02d.txt", w.r.IntN(40))
	who := w.number(d)
	seen := d.media.Get(name)
	if seen != nil {
		delete(w.alive, version{name, string(seen)})
		if w.r.IntN(5) < 2 {
			w.note("%d deletes %s (%s)", who, name, seen)
			d.media.Remove(name)
			w.mayReturn[name] = w.mayReturn[name] || w.unsure[1-who][name] || w.unseen[who][name]
			return
		}
	}
	w.next++
	v := version{name, fmt.Sprintf("content %d", w.next)}
	w.alive[v], w.made[v] = true, true
	w.note("%d writes %s: %s over %s", who, name, v.content, seen)
	d.put(name, v.content)
}

// disturb lets one sync of a device be interrupted in some way, and returns what ends that.
func (w *world) disturb(d *device, killed chan<- bool) (kind string) {
	w.server.before, w.server.after, d.media.Fail = nil, nil, nil
	die := func() {
		killed <- true
		select {}
	}
	request := w.r.IntN(8)
	n := 0
	unsure := func(method string, body []byte) {
		if method == mediawire.UploadChanges {
			list, _, _ := unpack(body)
			for _, e := range list {
				w.unsure[w.number(d)][e[0].(string)] = true
			}
		}
	}
	at := func(do func() (*host.Response, error)) func(string, []byte) (*host.Response, error) {
		return func(method string, body []byte) (*host.Response, error) {
			if n++; n == request+1 {
				unsure(method, body)
				return do()
			}
			return nil, nil
		}
	}
	cut := func() (*host.Response, error) { return nil, broken }
	kill := func() (*host.Response, error) { die(); return nil, nil }
	busy := func() (*host.Response, error) { w.act(d); return nil, nil }
	switch w.r.IntN(10) {
	case 0:
		kind, w.server.before = "cut before", at(cut)
	case 1:
		kind, w.server.after = "reply lost", at(cut)
	case 2:
		kind, w.server.before = "killed before", at(kill)
	case 3:
		kind, w.server.after = "killed after", at(kill)
	case 4:
		kind = "killed at a step of the store"
		step := w.r.IntN(120)
		d.media.Fail = func(string, string) error {
			if step--; step == 0 {
				die()
			}
			return nil
		}
	case 5:
		kind, w.server.before = "user works meanwhile", func(string, []byte) (*host.Response, error) { return busy() }
	case 6:
		kind, w.server.after = "user works after", at(busy)
	case 7:
		kind, w.server.after = "everything is lost after", func(method string, body []byte) (*host.Response, error) {
			if n++; n > request {
				unsure(method, body)
				return nil, broken
			}
			return nil, nil
		}
	case 8:
		kind, w.server.before = "a file is fetched meanwhile", at(func() (*host.Response, error) {
			before := w.server.before
			w.server.before = nil
			name := fmt.Sprintf("f%02d.txt", w.r.IntN(40))
			if _, err := d.get(w.t.Context(), name); err == nil { // also one that the user has just deleted
				w.alive[version{name, string(d.media.Get(name))}] = true
				w.note("%d gets %s", w.number(d), name)
			}
			w.server.before = before
			return nil, nil
		})
	}
	return kind
}

// sync syncs a device under some disturbance.
func (w *world) sync(d *device) {
	killed, done := make(chan bool, 1), make(chan error, 1)
	kind, before := w.disturb(d, killed), d.files()
	go func() {
		_, err := d.try(mediasync.Options{})
		done <- err
	}()
	select {
	case <-killed:
		d.media.PowerCut(func(string) coretest.Survival { return coretest.Survival(w.r.IntN(2)) })
		w.note("  sync (%s): killed", kind)
		d.start()
		for name, content := range d.files() {
			w.unseen[w.number(d)][name] = before[name] != content
		}
	case err := <-done:
		if err == nil {
			clear(w.unsure[w.number(d)])
			clear(w.unseen[w.number(d)])
		}
		w.note("  sync (%s): %v", kind, err)
		if k := fault.KindOf(err); k != 0 && k != fault.Network {
			w.t.Fatalf("%v\n%s", err, w.log)
		}
	}
	w.server.before, w.server.after, d.media.Fail = nil, nil, nil
}

// TestRandom: whatever happens, both devices and the server are equal in the end; every version that no one has replaced
// or deleted is there or in a trash; what was deleted stays deleted.
func TestRandom(t *testing.T) {
	t.Parallel()
	seeds, rounds := 24, 25
	if n, err := strconv.Atoi(os.Getenv("CARDFERRY_SEEDS")); err == nil {
		seeds = n
	}
	if testing.Short() {
		seeds = 6
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w := &world{t: t, r: rand.New(rand.NewPCG(uint64(seed), 7)), server: newServer(), alive: map[version]bool{}, made: map[version]bool{}, mayReturn: map[string]bool{}}
			w.unsure, w.unseen = [2]map[string]bool{{}, {}}, [2]map[string]bool{{}, {}}
			w.devices = [2]*device{newDevice(t, w.server), newDevice(t, w.server)}
			for i := range 60 { // so that the brake never holds
				w.devices[0].put(fmt.Sprintf("base%02d.txt", i), fmt.Sprint(i))
			}
			w.devices[0].sync()
			w.devices[1].sync()
			for range rounds {
				d := w.devices[w.r.IntN(2)]
				for range w.r.IntN(4) {
					w.act(d)
				}
				w.sync(d)
			}
			w.converge()
		})
	}
}

func (w *world) converge() {
	for range 3 {
		for _, d := range w.devices {
			d.sync()
		}
	}
	for _, d := range w.devices {
		w.server.requests()
		if r := d.sync(); r.RoundTrips != 1 {
			w.t.Errorf("not settled: %s", w.server.requests())
		}
		sameFiles(w.t, "a folder", d.files(), w.server.files())
	}
	final := w.server.files()
	trash := map[version]bool{}
	for _, d := range w.devices {
		for _, f := range d.media.Trashed() {
			trash[version{f.Name, string(f.Data)}] = true
		}
	}
	wanted := map[string]bool{}
	for v := range w.alive {
		wanted[v.name] = true
		if final[v.name] != v.content && !trash[v] {
			w.t.Errorf("lost: %s %s", v.name, v.content)
		}
	}
	for name, content := range final {
		if name[:4] == "base" {
			continue
		}
		if !w.made[version{name, content}] {
			w.t.Errorf("no one has made %s %q", name, content)
		}
		if !wanted[name] && !w.mayReturn[name] {
			w.t.Errorf("%s (%s) was deleted and is back", name, content)
		}
	}
	for i := range 60 {
		if name := fmt.Sprintf("base%02d.txt", i); final[name] != fmt.Sprint(i) {
			w.t.Errorf("%s is %q", name, final[name])
		}
	}
	if w.t.Failed() {
		for _, line := range w.log {
			w.t.Log(line)
		}
	}
}
